"""Thinning: as many positives as asked, where that can be, and the hold-out untouched."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igarape.chips.split import make_folds
from igarape.chips.thinning import ASIDE, set_aside, thinned_folds
from igarape.config.datasets import Labels
from igarape.config.params import Split
from igarape.errors import InputError
from igarape.tables import HOLDOUT, Folds

LABELS = ("tree", "kiln", "mine", "dock")
SPLIT = Split(folds=3, holdout=0.25, by="chip", hamming=40, ratio=0.7, correlation=0.5)
Y = np.random.default_rng(0).random((200, 4)) < [0.8, 0.3, 0.2, 0.1]
GROUPS = [f"group-{row // 2}" for row in range(200)]


def labels(**thin: int) -> Labels:
    """Make a vocabulary of which some labels are thinned."""
    return Labels(exclusive=(), alone=(), common=("tree",), rare=("kiln", "mine", "dock"), thin=thin)


@given(st.integers(0, 1000), st.integers(2, 20), st.integers(2, 20))
def test_no_label_is_held_by_more_than_asked_and_chips_without_them_stay(seed: int, kilns: int, mines: int) -> None:
    """A label that is not thinned goes only with one that is."""
    aside = set_aside(Y, labels=LABELS, thin={"kiln": kilns, "mine": mines}, seed=seed)
    assert (Y[~aside].sum(axis=0)[1:3] <= [kilns, mines]).all()
    assert not aside[~Y[:, 1:3].any(axis=1)].any()


@given(st.integers(0, 1000), st.integers(2, 20))
def test_of_labels_that_never_meet_exactly_as_many_are_left_as_asked(seed: int, count: int) -> None:
    """Chance says which."""
    y = np.repeat(np.eye(4, dtype=np.bool_), 30, axis=0)
    aside = set_aside(y, labels=LABELS, thin={"kiln": count, "dock": 30}, seed=seed)
    np.testing.assert_array_equal(y[~aside].sum(axis=0), [30, count, 30, 30])
    assert (aside == set_aside(y, labels=LABELS, thin={"kiln": count, "dock": 30}, seed=seed)).all()


def test_a_label_that_has_no_chip_to_spare_is_spared_where_there_is_another_way() -> None:
    """Of kilns with and without a dock those without go first, as docks are all wanted."""
    y = np.zeros((12, 4), dtype=np.bool_)
    y[:, 1] = True
    y[:4, 3] = True
    for seed in range(5):
        left = ~set_aside(y, labels=LABELS, thin={"kiln": 4, "dock": 4}, seed=seed)
        np.testing.assert_array_equal(y[left].sum(axis=0), [0, 4, 0, 4])
    # There is no other way: all kilns stand beside a dock.
    y[:, 3] = True
    assert y[~set_aside(y, labels=LABELS, thin={"kiln": 3, "dock": 4}, seed=0)].sum(axis=0).tolist() == [0, 3, 0, 3]


def test_another_seed_sets_other_chips_aside() -> None:
    """So that a comparison can be made over several."""
    one, other = (set_aside(Y, labels=LABELS, thin={"kiln": 5}, seed=seed) for seed in (0, 1))
    assert (one != other).any()


def test_more_than_there_is_is_refused() -> None:
    """With what there is, and what can be done."""
    count = int(Y[:, 3].sum())
    with pytest.raises(InputError, match=rf"labels\.thin: dock: 90: only {count} chips .* at most {count}, or leave"):
        set_aside(Y, labels=LABELS, thin={"kiln": 5, "dock": 90}, seed=0)


def test_the_hold_out_is_that_of_all_chips_and_the_rest_is_dealt_anew() -> None:
    """Whole groups together, each fold about as large, and each thinned label spread over the folds."""
    held = np.zeros(200, dtype=np.bool_)
    whole = make_folds(Y, GROUPS, folds=3, holdout=0.25, seed=4, held=held)
    fold = thinned_folds(Y, GROUPS, split=SPLIT, labels=labels(kiln=9, dock=6), seed=4, held=held)
    np.testing.assert_array_equal(fold == HOLDOUT, whole == HOLDOUT)
    assert set(fold.tolist()) == {ASIDE, HOLDOUT, 0, 1, 2}
    inside = fold >= 0
    assert Y[inside].sum(axis=0)[1] <= 9 and Y[inside].sum(axis=0)[3] <= 6
    sizes = np.bincount(fold[inside])
    assert np.ptp(sizes) <= 4
    for label in (1, 3):
        assert all(Y[fold == part, label].any() for part in range(3))
    for group in set(GROUPS):
        rows = np.array([name == group for name in GROUPS])
        assert len(set(fold[rows & (fold != ASIDE)].tolist())) <= 1


def test_without_thinning_nothing_is_set_aside() -> None:
    """The folds are those of make_folds."""
    held = np.arange(200) < 40
    fold = thinned_folds(Y, GROUPS, split=SPLIT, labels=labels(), seed=4, held=held)
    np.testing.assert_array_equal(fold, make_folds(Y, GROUPS, folds=3, holdout=0.25, seed=4, held=held))


def test_all_labels_can_be_thinned_those_that_exclude_each_other_too() -> None:
    """What the data set holds out stays whole, and is not counted; what is left has to fill the folds."""
    rng = np.random.default_rng(1)
    fog = rng.random(200) < 0.4
    y = np.column_stack([~fog, fog, rng.random(200) < 0.3])
    held = np.arange(200) < 40
    named = [f"chip-{row}" for row in range(200)]

    def thinned(**thin: int) -> Folds:
        each = Labels(exclusive=("sun", "fog"), alone=(), common=(), rare=("kiln",), thin=thin)
        return thinned_folds(y, named, split=SPLIT, labels=each, seed=4, held=held)

    fold = thinned(sun=6, fog=9, kiln=15)
    np.testing.assert_array_equal(fold == HOLDOUT, held)
    np.testing.assert_array_equal(y[fold >= 0].sum(axis=0)[:2], [6, 9])
    assert np.bincount(fold[fold >= 0]).tolist() == [5, 5, 5]
    count = int(y[40:, 1].sum())
    with pytest.raises(InputError, match=rf"fog: {count + 1}: only {count} chips outside the hold-out"):
        thinned(fog=count + 1)
    few = Labels(exclusive=("sun", "fog"), alone=(), common=(), rare=("kiln",), thin={"fog": 2})
    with pytest.raises(InputError, match=r"found 2 of 2 chips\. .*labels\.thin set \d+ of \d+ chips aside: larger"):
        thinned_folds(y[fog], named[: fog.sum()], split=SPLIT, labels=few, seed=4, held=held[fog])
