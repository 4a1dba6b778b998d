"""The evidence for the verdict; tests/stages/test_evaluate.py looks at what follows from a whole stream."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from igarape.config.documents import CALIBRATED, Decision, LearnerManifest, RuleSettings, StackSummary
from igarape.config.params import Params, read_params
from igarape.ensemble.decision import Rule
from igarape.labels import Vocabulary
from igarape.reports import evidence as module
from igarape.reports.evidence import Evidence
from igarape.reports.ladder import Ladder

VOCABULARY = Vocabulary(exclusive=(), alone=(), common=("tree", "pond"), rare=("kiln",))
ROOT = Path(__file__).parents[2]


def manifest(name: str, scope: Any) -> LearnerManifest:
    """Give a learner's manifest."""
    labels = VOCABULARY.targets(scope).labels
    return LearnerManifest(
        name=name, chips="raw", size=32, scope=scope, labels=labels, tta=False, f2=0.5, map=0.5, settings={}, folds=()
    )


@pytest.fixture
def evidence() -> Evidence:
    """Give what three learners predicted of six chips, two of which are held out; sure is always right."""
    y = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 1]], dtype=np.bool_)
    sure = np.where(y, 0.9, 0.1).astype(np.float32)
    return Evidence(
        image_ids=[f"chip-{row}" for row in range(6)],
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
            chosen="mean", stackers={"mean": {"f2": 0.6, "map": 0.7}}, weights={}, kept={}, rare={}, calibration={}
        ),
        decision=Decision(
            rule=RuleSettings(name="fixed", beta=2.0, threshold=0.2, thresholds={}),
            rules={"fixed": {"f2": 0.55}},
            alerts={},
        ),
        rule=Rule("fixed", VOCABULARY, 2.0, threshold=0.2),
    )


@pytest.fixture
def params() -> Params:
    """Give the project's own parameters, with few resamples."""
    content = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    assert content["evaluate"]["resamples"] >= 100
    return read_params(ROOT / "params.yaml")


def test_the_hold_out_is_outside(evidence: Evidence) -> None:
    """Fold -1 lies in no fold."""
    assert evidence.inside.tolist() == [True, True, True, True, False, False]


def test_learners_of_all_labels_are_compared_with_the_best_of_them(evidence: Evidence, params: Params) -> None:
    """The best one has nothing to be compared with; a learner of the rare labels has another F2."""
    differences = module._differences(evidence, VOCABULARY, params)
    assert set(differences) == {"unsure"}
    mean, low, high = differences["unsure"]
    assert mean < 0 and low <= mean <= high


def test_the_figures_out_of_fold_are_those_of_the_chosen_rule_and_stacker(evidence: Evidence, params: Params) -> None:
    """And the hold-out's are of what the rule answers there."""
    rows = ~evidence.inside
    metrics = module._metrics(evidence, evidence.rule.apply(evidence.p[rows]), Ladder(None, {}, None), params)
    assert metrics["oof"] == {"f2": 0.55, "map": 1.0}
    assert (metrics["holdout"]["f2"], metrics["holdout"]["n"]) == (1.0, 2)
    assert set(metrics["learners"]) == {"sure", "unsure", "rare"}


def test_answers_are_given_in_the_folds_only_and_once(evidence: Evidence) -> None:
    """By the rule, each fold's fitted on the others: the fixed one has nothing to fit."""
    assert (evidence.answers == evidence.y[evidence.inside]).all()
    assert evidence.answers is evidence.answers
