"""Leaving one learner out: who can be, what is lost, and that no row is known to what predicts it."""

import numpy as np
import pytest
from opinions import LABELS, LEARNERS, VOCABULARY, draw, written

from igarape.ensemble.boosting import Settings
from igarape.ensemble.leave_one_out import blends_without, removable
from igarape.ensemble.stackers import fit_stackers
from igarape.labels import Booleans
from igarape.predictions import prediction_table
from igarape.scores.metrics import mean_average_precision
from igarape.tables import Folds, Probabilities

PENALTIES = dict.fromkeys((0, 1, 2, 3, -1), 30.0)


def without(p: dict[str, Probabilities], y: Booleans, folds: Folds) -> dict[str, Probabilities]:
    """Leave each learner out."""
    tables, numbers = written(p, folds)
    return blends_without(
        tables, y, folds=numbers, vocabulary=VOCABULARY, penalties=PENALTIES, report=lambda *_words: None
    )


def test_it_is_the_blend_of_the_others() -> None:
    """As if the learner had never been there, where the penalty is the same; both stacks' penalties are told."""
    p, y, folds = draw(400, seed=1)
    tables, numbers = written(p, folds)
    others = {name: table for name, table in tables.items() if name != "rare"}
    settings = Settings(rounds=1, depths=(1,), rate=0.3, child_weight=1.0, l2=1.0, seeds=1, seed=1)
    fit = fit_stackers(
        others,
        y,
        folds=numbers,
        groups=list(numbers["image_id"]),
        vocabulary=VOCABULARY,
        settings=settings,
        report=lambda *_words: None,
        methods=["mean", "blend"],
    )
    assert set(fit["blend"].penalties) == {0, 1, 2, 3, -1} and fit["mean"].penalties == {}
    seen: list[tuple[int, int, str]] = []
    found = blends_without(
        tables,
        y,
        folds=numbers,
        vocabulary=VOCABULARY,
        penalties=fit["blend"].penalties,
        report=lambda done, total, text: seen.append((done, total, text)),
    )
    assert found["rare"] == pytest.approx(fit["blend"].p, abs=1e-4)
    assert set(found) == set(LEARNERS) and seen[-1] == (3, 3, "without rare")


def test_a_learner_that_stands_twice_is_worth_nothing() -> None:
    """Without one of the two, the other says the same."""
    p, y, folds = draw(400, seed=2)
    ids = [f"chip_{row}" for row in range(len(folds))]
    twice = {"plain": p["plain"], "again": p["plain"]}
    tables = {name: prediction_table(ids, folds, learner=name, labels=LABELS, p=each) for name, each in twice.items()}
    found = blends_without(
        tables, y, folds=written(p, folds)[1], vocabulary=VOCABULARY, penalties=PENALTIES, report=lambda *_words: None
    )
    assert (found["plain"] == found["again"]).all()
    assert mean_average_precision(y, found["plain"]) == pytest.approx(mean_average_precision(y, p["plain"]), abs=5e-3)


def test_what_knows_the_truth_is_missed() -> None:
    """Without it mean average precision falls far; without a poor one it does not."""
    p, y, folds = draw(400, seed=3)
    p["deep"] = np.where(y, 0.95, 0.05).astype(np.float32)
    found = {name: mean_average_precision(y, each) for name, each in without(p, y, folds).items()}
    assert found["deep"] < 0.9 < found["plain"]


def test_no_row_is_predicted_by_what_was_fitted_on_it() -> None:
    """Turning over the truth of one fold, or of the hold-out, leaves the predictions of these rows as they were."""
    p, y, folds = draw(400, seed=4)
    before = without(p, y, folds)
    for fold in (2, -1):
        rows = folds == fold
        after = without(p, np.where(rows[:, None], ~y, y), folds)
        assert all((after[name][rows] == each[rows]).all() for name, each in before.items())
        assert all((after[name][~rows] != each[~rows]).any() == (fold != -1) for name, each in before.items())


def test_who_alone_predicts_a_label_cannot_be_left_out() -> None:
    """The others would leave that label to nobody."""
    assert removable(LEARNERS, LABELS) == ("plain", "deep", "rare")
    assert removable({"plain": LABELS, "rare": LABELS[2:]}, LABELS) == ("rare",)
    assert removable({"one": LABELS[:2], "other": LABELS[2:]}, LABELS) == ()
    assert removable({"alone": LABELS}, LABELS) == ()
