"""What several tests of reports need: what three learners predicted of six chips."""

from typing import Any

import numpy as np
import pytest

from igarape.config.documents import CALIBRATED, Decision, LearnerManifest, RuleSettings, StackSummary
from igarape.ensemble.decision import Rule
from igarape.labels import Vocabulary
from igarape.reports.results import Results

VOCABULARY = Vocabulary(exclusive=(), alone=(), common=("tree", "pond"), rare=("kiln",))


def manifest(name: str, scope: Any) -> LearnerManifest:
    """Give a learner's manifest."""
    labels = VOCABULARY.targets(scope).labels
    return LearnerManifest(
        name=name, chips="raw", size=32, scope=scope, labels=labels, tta=False, f2=0.5, map=0.5, settings={}, folds=()
    )


@pytest.fixture
def results() -> Results:
    """Give what three learners predicted of six chips, two of which are held out; sure is always right."""
    y = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 1]], dtype=np.bool_)
    sure = np.where(y, 0.9, 0.1).astype(np.float32)
    return Results(
        image_ids=[f"chip-{row}" for row in range(6)],
        groups=[f"chip-{row}" for row in range(6)],
        folds=np.array([0, 0, 1, 1, -1, -1]),
        y=y,
        stacked={"mean": sure, CALIBRATED: sure},
        manifests={
            "sure": manifest("sure", "all"),
            "unsure": manifest("unsure", "all"),
            "rare": manifest("rare", "rare"),
        },
        learners={"sure": sure, "unsure": 1 - sure, "rare": sure[:, 2:]},
        stack=StackSummary(
            chosen="mean", stackers={"mean": {"f2": 0.6, "map": 0.7}}, weights={}, kept={}, calibration={}
        ),
        decision=Decision(
            rule=RuleSettings(name="fixed", beta=2.0, threshold=0.2, thresholds={}),
            rules={"fixed": {"f2": 0.55}},
            alerts={},
        ),
        rule=Rule("fixed", VOCABULARY, 2.0, threshold=0.2),
    )
