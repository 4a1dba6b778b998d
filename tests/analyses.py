"""An analysis that fills in everything the page can show of it."""

import numpy as np

from igarape.config.documents import OperatingPoint
from igarape.reports.analysis import Analysis
from igarape.reports.contributions import Contributions, Feature
from igarape.reports.curves import Curve, Point
from igarape.reports.mistakes import Cost, Group, Swap
from igarape.reports.worth import LabelWorth, RareWorth, Views, Worth
from igarape.scores.comparison import Difference

GAIN, LOSS = Difference(0.0321, 0.01, 0.05), Difference(-0.0432, -0.06, -0.02)
OPEN = Difference(-0.1, -0.3, 0.1)
POINT = OperatingPoint(
    asked=0.5,
    threshold=0.3217,
    positives=7,
    precision=0.6,
    precision_interval=(0.45, 0.75),
    recall=0.4,
    recall_interval=(0.2, 0.65),
)


def analysis(label: str = "kiln", learner: str = "good") -> Analysis:
    """Put an analysis together in which a label, and a learner, are called as the test wants it."""
    return Analysis(
        worths={learner: Worth(f2=GAIN, map=LOSS)},
        irreplaceable=("only",),
        rare=RareWorth(
            0.25, 0.282, GAIN, (LabelWorth(label, 12, 0.25, 0.282, GAIN), LabelWorth("mine", 3, 0.5, 0.4, OPEN))
        ),
        views=(
            Views("raw_one", learner, "dehazed", (), Worth(GAIN, LOSS), (LabelWorth(label, 12, 0.25, 0.282, GAIN),)),
            Views("raw_one", "leafy", "nir", ("dropout",), Worth(LOSS, GAIN), ()),
        ),
        budget=(Cost(label, Difference(0.0765, 0.06, 0.09), 1234, 56),),
        swaps=(Swap(label, "tree", 41, 0.505, 0.123),),
        group=Group(("sun", label), np.array([[2345, 6], [7, 89]]), 3),
        curves=(Curve(label, 12, 0.654, (Point(0.5, 1), Point(1, 0.25)), Point(0.75, 0.5), Point(0.1, 0.9)),),
        contributions=Contributions(
            method="xgboost",
            scale="logits",
            labels=("sun", label),
            learners=(learner, "few"),
            linear=np.array([[2.34, 0.0], [1.0, 0.5]]),
            trees=np.array([[0.0, 0.0], [0.17, 0.06]]),
            features={label: (Feature("few", "sun", 0.16),)},
            chips=987,
        ),
    )
