"""Operating points and rules in rows and words."""

import numpy as np
from decisions import FREE

from igarape.config.documents import OperatingPoint
from igarape.ensemble.alerts import operating_point
from igarape.reports.operating import (
    RARE,
    OperatingRow,
    alert_lines,
    answers_line,
    fbeta_name,
    operating_rows,
    rules_line,
    with_interval,
)

POINT = OperatingPoint(
    asked=0.8,
    threshold=0.25,
    positives=9,
    precision=0.75,
    precision_interval=(0.5, 1.0),
    recall=0.5,
    recall_interval=(0.25, 0.75),
)


def test_each_rare_label_is_looked_at_at_one_precision_and_then_the_alerts() -> None:
    """By the same operating points that alerts have; a rare label that never gets there has none."""
    rng = np.random.default_rng(1)
    p = rng.beta(0.4, 1.0, (300, 5))
    y, folds = rng.random(p.shape) < p, np.arange(300) % 4 - 1
    y[:, 4] = False
    groups = [str(row // 3) for row in range(300)]
    rows = operating_rows(y, p, folds, groups=groups, alerts={"a": POINT}, vocabulary=FREE, seed=1)
    assert rows[0] == OperatingRow(
        "d", RARE, operating_point(y[:, 3], p[:, 3], folds, groups=groups, precision=RARE, seed=1), alert=False
    )
    assert rows[1:] == [OperatingRow("e", RARE, None, alert=False), OperatingRow("a", 0.8, POINT, alert=True)]


def test_an_alert_is_told_in_one_line() -> None:
    """Figures and intervals, and no precision where nothing was answered."""
    nothing = POINT.model_copy(update={"precision": None, "precision_interval": None})
    rest = "recall 0.500 (0.250 to 0.750) of 9 chips; out of fold, 95 %"
    assert alert_lines({"kiln": POINT, "a b": nothing}) == [
        f"alert {label} from 0.2500 on: precision {precision}, asked 0.8; {rest}"
        for label, precision in (("kiln", "0.750 (0.500 to 1.000)"), ("a b", "none"))
    ]
    assert with_interval(0.5, None) == "0.500"


def test_rules_are_told_by_what_they_are_made_for() -> None:
    """F2 alone, or after another F-beta."""
    scores = {"fixed": {"f2": 0.5, "fbeta": 0.25}}
    assert rules_line({"fixed": {"f2": 0.5}}, 2.0) == "F2 out of fold: fixed 0.5000"
    assert rules_line(scores, 0.5) == "F0.5 out of fold: fixed 0.2500; F2: fixed 0.5000"
    assert (fbeta_name(2.0), fbeta_name(1.25)) == ("F2", "F1.25")


def test_answers_are_told_in_hundreds() -> None:
    """Three tags hold, four are given, two of them rightly; where nothing is given nothing is divided."""
    y = np.array([[True, True], [True, False], [False, False]])
    predicted = np.array([[True, False], [True, True], [True, False]])
    said = "On the hold-out 50 of 100 tags that it gives are right, and it finds 67 of 100 that hold."
    assert answers_line(y, predicted) == said
    assert " 0 of 100 tags that it gives" in answers_line(y, np.zeros_like(y))
