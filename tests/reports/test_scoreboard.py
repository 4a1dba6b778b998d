"""The scoreboard: every learner and stack under the same names, each scored on the rows and labels that it predicts."""

import numpy as np
import pytest

from igarape.config.documents import CALIBRATED, Decision, LearnerManifest, RuleSettings, StackSummary
from igarape.ensemble.decision import Rule
from igarape.labels import Vocabulary
from igarape.reports.results import Results
from igarape.reports.scoreboard import scoreboard
from igarape.scores.figures import figures

VOCABULARY = Vocabulary(exclusive=("sun", "fog"), alone=(), common=("tree",), rare=("kiln",))
FOLDS = np.arange(60) % 4 - 1


def learner(name: str, scope: str) -> LearnerManifest:
    """Say what a learner is."""
    return LearnerManifest.model_validate(
        {
            "name": name,
            "chips": "raw",
            "size": 32,
            "scope": scope,
            "labels": VOCABULARY.subset(scope),
            "tta": True,
            "f2": 0.5,
            "map": 0.5,
            "settings": {"backbone": "plain"},
            "folds": (),
        }
    )


def results(kilns: slice) -> Results:
    """Give a learner of all labels that is called mean, as a stack is, and one of kilns, which stand in some rows."""
    rng = np.random.default_rng(1)
    y = np.stack([np.arange(60) % 2 == 0, np.arange(60) % 2 == 1, rng.random(60) < 0.5, np.zeros(60, np.bool_)], axis=1)
    y[kilns, 3] = True
    p, other = rng.random((2, 60, 4)).astype(np.float32)
    rule = Rule("fixed", VOCABULARY, 2.0, threshold=0.2)
    return Results(
        image_ids=[f"chip-{row}" for row in range(60)],
        groups=[f"chip-{row}" for row in range(60)],
        folds=FOLDS,
        y=y,
        stacked={"mean": other, CALIBRATED: y.astype(np.float32)},
        manifests={"mean": learner("mean", "all"), "few": learner("few", "rare")},
        learners={"mean": p, "few": p[:, 3:]},
        stack=StackSummary(chosen="mean", stackers={}, weights={}, kept={}, calibration={}),
        decision=Decision(rule=RuleSettings(**rule.to_json()), rules={}, alerts={}),
        rule=rule,
    )


def test_each_is_scored_on_its_own_labels_under_the_same_names() -> None:
    """As scores.figures does, on each side; what is right about everything has 1 everywhere."""
    known = results(slice(0, 20))
    mean, few, stack, used = scoreboard(known)
    assert [row.params["kind"] for row in (mean, few, stack, used)] == ["learner", "learner", "stack", "stack"]
    assert {frozenset(row.figures) for row in (mean, few, stack, used)} == {frozenset(mean.figures)}
    for row, p in ((mean, known.learners["mean"]), (stack, known.stacked["mean"])):
        for side, rows in (("oof", FOLDS >= 0), ("holdout", FOLDS < 0)):
            expected = figures(known.y[rows], p[rows], targets=VOCABULARY.targets("all"))
            assert {name: row.figures[f"{side}_{name}"] for name in expected} == pytest.approx(expected)
    rows = FOLDS < 0
    expected = figures(known.y[rows, 3:], known.learners["few"][rows], targets=VOCABULARY.targets("rare"))
    assert few.figures["holdout_map"] == pytest.approx(expected["map"])
    assert set(used.figures.values()) == {1.0}


def test_the_curve_goes_through_the_fixed_rule() -> None:
    """At 20 %, for what predicts some labels too; at 0 % every label is answered."""
    known = results(slice(0, 20))
    for row in scoreboard(known):
        for side in ("oof", "holdout"):
            assert row.curve[20][f"{side}_f2_by_threshold"] == pytest.approx(row.figures[f"{side}_f2"])
    few = scoreboard(known)[1]
    assert few.curve[0] == {"oof_f2_by_threshold": 1.0, "holdout_f2_by_threshold": 1.0}
    assert list(few.curve) == list(range(0, 101, 2))


def test_without_a_chip_that_holds_its_labels_a_learner_has_no_figure_there() -> None:
    """No kiln in the hold-out: no hold-out figure, and no curve."""
    few = scoreboard(results(slice(1, 4)))[1]
    assert set(few.figures) == {"oof_f2", "oof_map"}
    assert set(few.curve[50]) == {"oof_f2_by_threshold"}
