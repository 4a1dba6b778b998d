"""The trees correct the blend where that is certain to gain, and leave it alone elsewhere."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from opinions import LABELS, draw, known

from igarape.ensemble.boosting import Choice, Corrections, Settings
from igarape.ensemble.linear import log_loss
from igarape.ensemble.nested import Blends, Known, splits

SETTINGS = Settings(rounds=24, depths=(1, 2), rate=0.2, child_weight=1.0, l2=1.0, seeds=2, seed=1)


def tangled(n: int, seed: int) -> Known:
    """Draw opinions that no weighted sum makes tanks of: there is one where a sea is, or a dock, but not both."""
    p, y, folds = draw(n, seed)
    y[:, 3] = y[:, 0] ^ y[:, 1]
    for name in ("plain", "deep"):
        p[name][:, 3] = np.random.default_rng(seed).random(n)
    p["rare"][:, 0] = np.random.default_rng(seed + 1).random(n)
    return known(p, y, folds)


def corrections(given: Known, threads: int = 1, groups: npt.NDArray[np.int64] | None = None) -> Corrections:
    """Return the trees that can be fitted; without groups no rows belong together."""
    together = np.arange(len(given.y)) if groups is None else groups
    return Corrections(given, Blends(given), replace(SETTINGS, threads=threads), together)


def test_trees_find_what_no_sum_does() -> None:
    """Tanks gain by trees of depth 2, as many boosters as seeds, cut at the rounds that were best inside the folds."""
    given = tangled(1500, seed=1)
    choice = corrections(given).choose(given.all, 3)
    assert isinstance(choice, Choice) and choice.depth == 2
    trees = corrections(given).chosen(given.all)[0]["tank"]
    assert len(trees.boosters) == 2
    assert all(booster.num_boosted_rounds() == choice.rounds for booster in trees.boosters)


def test_a_blend_that_is_well_made_is_left_alone() -> None:
    """All labels may be weighed alike, and the best answer is a sum: no label gains for certain."""
    p, y, folds = draw(1500, seed=8)
    kept = corrections(known(p, y, folds)).chosen(frozenset({0, 1, 2, 3}))[1]
    assert len(kept) >= 3
    assert {*kept.values()} == {"trees gain nothing for certain on 1200 rows"}


def test_rows_of_one_group_are_no_more_certain_than_one_of_them() -> None:
    """The gain of eight copies of each row: for certain where they stand alone, not where they belong together."""
    p, y, folds = draw(120, seed=1)
    y[:, 3] = y[:, 0] ^ y[:, 1]
    each = np.repeat(np.arange(120), 8)
    given = known({name: some[each] for name, some in p.items()}, y[each], folds[each])
    assert isinstance(corrections(given).choose(given.all, 3), Choice)
    together = corrections(given, groups=each).choose(given.all, 3)
    assert together == f"trees gain nothing for certain on {8 * 96} rows"


def test_labels_that_are_fitted_side_by_side_are_the_same_to_the_last_bit() -> None:
    """However many threads there are; those that keep the blend say the same too."""
    given = tangled(600, seed=1)
    (one, kept), (other, kept_too) = (corrections(given, threads).chosen(given.all) for threads in (1, 3))
    assert "tank" in one and kept == kept_too
    for label, trees in one.items():
        assert trees.shift == other[label].shift
        for ours, theirs in zip(trees.boosters, other[label].boosters, strict=True):
            assert ours.save_raw() == theirs.save_raw()


def test_without_both_kinds_of_rows_there_is_no_curve() -> None:
    """Nothing was chosen, so nothing is shown."""
    p, y, folds = draw(300, seed=1)
    fitted = corrections(known(p, np.ones_like(y), folds))
    trees, kept = fitted.chosen(frozenset({0, 1, 2, 3}))
    assert not trees and len(kept) == len(LABELS) and fitted.curve(frozenset({0, 1, 2, 3})) == {}


def test_on_noise_no_label_is_corrected() -> None:
    """Which trees would be, they were fitted on: not by their word is it judged."""
    rng = np.random.default_rng(20)  # not draw's seed: its first numbers would be the truth that p was drawn by
    p, _, folds = draw(600, seed=2)
    given = known(p, rng.random((600, len(LABELS))) < 0.3, folds)
    assert corrections(given).chosen(given.all)[0] == {}


def test_the_curve_is_the_loss_that_rounds_were_chosen_by() -> None:
    """From the blend alone, at no rounds; where one label gains it falls to where that label's trees end."""
    given = tangled(1500, seed=1)
    fitted = corrections(given)
    assert fitted.curve(given.all) == {}
    fitted.chosen(given.all)
    choice, curve = fitted.choose(given.all, 3), fitted.curve(given.all)
    assert min(curve) == 0 and max(curve) == SETTINGS.rounds and isinstance(choice, Choice)
    assert curve[choice.rounds] < curve[0]
    margin = np.zeros(given.y.shape)
    for part, others in splits(given.all):
        fitted.blends.margin_of(part, fitted.blends.chosen(others), into=margin)
    rows = given.rows(given.all)
    alone = log_loss(margin[rows], given.y[rows].astype(np.float64)).mean()
    assert curve[0] == pytest.approx(alone, rel=0.05)  # but for the number that the trees' start adds


def test_what_lies_outside_has_no_say() -> None:
    """Another truth in another fold, the same trees."""
    given = tangled(1500, seed=3)
    within = given.all - {2}
    turned = Known(
        given.p,
        np.where((given.parts == 2)[:, None], ~given.y, given.y),
        given.parts,
        given.learners,
        given.targets,
    )
    one, two = (corrections(some).chosen(within)[0]["tank"].boosters for some in (given, turned))
    assert [booster.save_raw() for booster in one] == [booster.save_raw() for booster in two]


def test_a_label_rises_with_its_own_logits() -> None:
    """Its trees may only raise it where a learner does."""
    given = tangled(1500, seed=4)
    (booster, _) = corrections(given).chosen(given.all)[0]["tank"].boosters
    features = given.features[:50]
    for column in (3, 7, 8):
        raised = features.copy()
        raised[:, column] += 2
        change = booster.inplace_predict(raised, predict_type="margin") - booster.inplace_predict(
            features, predict_type="margin"
        )
        assert (change >= 0).all()


def test_a_label_with_nothing_to_learn_keeps_the_blend_and_says_so() -> None:
    """No positive, or no negative, among the rows; one that some parts have none of is tried all the same."""
    p, y, folds = draw(400, seed=5)
    y[:, 2], y[:, 0], y[:, 1] = False, True, folds == 0
    given = known(p, y, folds)
    kept = corrections(given).chosen(given.all)[1]
    assert kept["blow down/1"] == "none of 320 rows has it"
    assert kept["sea"] == "every of 320 rows has it"


def test_seeds_give_different_trees() -> None:
    """Each tree sees a part of the rows and columns; so their mean is steadier than one."""
    given = tangled(1500, seed=6)
    one, two = corrections(given).chosen(given.all)[0]["tank"].boosters
    assert one.save_raw() != two.save_raw()
