"""Folds: balanced in every label, groups whole, and the same for the same chips."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igarape.chips.split import make_folds
from igarape.config.datasets import read_dataset
from igarape.errors import InputError
from igarape.labels import Booleans

DATASETS = Path(__file__).parents[2] / "datasets"
FIVE: dict[str, Any] = {"folds": 5, "holdout": 0.2, "seed": 0}


def random_labels(rng: np.random.Generator, chips: int) -> Booleans:
    """Draw labels of very different frequency, from nearly every chip to one in fifty."""
    return rng.random((chips, 12)) < np.geomspace(0.02, 0.9, 12)


def spread(y: Booleans, fold: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return in how many parts each label stands."""
    return np.array([len(np.unique(fold[held])) for held in y.T])


def names(count: int, size: int = 1) -> list[str]:
    """Name the group of each chip, `size` neighbours to a group."""
    return [f"group-{row // size:05d}" for row in range(count)]


def test_each_part_has_its_share_of_chips_and_of_every_label() -> None:
    """Chip by chip, a part deviates from its share by one chip at most, in all and in every label."""
    y = random_labels(np.random.default_rng(0), 2000)
    fold = make_folds(y, names(2000), **FIVE)
    shares = {part: 0.2 if part == -1 else 0.16 for part in range(-1, 5)}
    assert set(fold) == set(shares)
    for part, share in shares.items():
        assert abs((fold == part).sum() - 2000 * share) <= 1
        assert np.abs(y[fold == part].sum(axis=0) - y.sum(axis=0) * share).max() <= 1


def test_groups_stay_whole_and_parts_are_still_balanced() -> None:
    """Of scenes with four chips each, no chip strays; a part is off its share by a scene's worth at most."""
    y = random_labels(np.random.default_rng(1), 2000)
    groups = names(2000, 4)
    fold = make_folds(y, groups, **FIVE)
    assert pd.Series(fold).groupby(groups).nunique().max() == 1
    for part in range(-1, 5):
        share = 0.2 if part == -1 else 0.16
        assert abs((fold == part).sum() - share * 2000) <= 4
        assert np.abs(y[fold == part].sum(axis=0) - y.sum(axis=0) * share).max() < 4


@pytest.mark.parametrize("seed", range(40))
def test_a_label_of_enough_groups_reaches_each_fold_and_the_holdout(seed: int) -> None:
    """However the labels fall: folds + 1 groups are enough, in small sets and large, by chip and by scene."""
    rng = np.random.default_rng(seed)
    folds, size = int(rng.integers(2, 8)), int(rng.integers(1, 5))
    chips = int(rng.integers(150, 400)) * size
    y = random_labels(rng, chips)
    for label in range(4):  # rare labels of just as many groups as are needed, or a few more
        y[:, label] = False
        chosen = rng.choice(chips // size, folds + 1 + label, replace=False)
        y[chosen * size, label] = True
    fold = make_folds(y, names(chips, size), folds=folds, holdout=float(rng.uniform(0.05, 0.3)), seed=seed)
    assert (spread(y, fold) == folds + 1).all()


def test_rare_labels_that_share_their_groups_reach_each_part_too() -> None:
    """Twelve labels crowd into 40 of 200 chips: dealing them one label after another is not enough."""
    for seed in range(30):
        rng = np.random.default_rng(seed)
        y = np.zeros((200, 12), np.bool_)
        for label in range(12):
            y[rng.choice(40, int(rng.integers(6, 12)), replace=False), label] = True
        assert (spread(y, make_folds(y, names(200), **FIVE | {"seed": seed})) == 6).all()


def test_a_label_of_few_groups_is_spread_as_far_as_it_goes() -> None:
    """Three chips of a label lie in three parts."""
    y = np.ones((60, 2), np.bool_)
    y[3:, 0] = False
    assert list(spread(y, make_folds(y, names(60), **FIVE))) == [3, 6]


def test_the_same_chips_in_another_order_get_the_same_folds() -> None:
    """The rows of a table have no order; another seed deals differently."""
    rng = np.random.default_rng(2)
    y, groups = random_labels(rng, 300), np.array(names(300, 3))
    fold = make_folds(y, list(groups), **FIVE)
    assert (make_folds(y, list(groups), **FIVE) == fold).all()
    order = rng.permutation(300)
    assert (make_folds(y[order], list(groups[order]), **FIVE) == fold[order]).all()
    assert (make_folds(y, list(groups), **FIVE | {"seed": 1}) != fold).any()


def test_chips_without_a_label_are_dealt_too() -> None:
    """Evenly, like the others."""
    fold = make_folds(np.zeros((100, 3), np.bool_), names(100), **FIVE)
    assert sorted(np.unique(fold, return_counts=True)[1]) == [16, 16, 16, 16, 16, 20]


def test_too_few_groups_are_an_error() -> None:
    """Each fold and the hold-out need one; the error names the knobs."""
    words = (
        r"5 folds and a hold-out need at least 6 groups.*found 5 of 20 chips\. Set split\.folds to 4, or set split\.by"
    )
    with pytest.raises(InputError, match=words):
        make_folds(np.ones((20, 1), np.bool_), names(20, 4), **FIVE, by="scene")


@pytest.mark.parametrize(
    ("count", "by", "advice"), [(5, "chip", "Set split.folds to 4, or"), (2, "scene", "Bring more")]
)
def test_advice_looks_at_what_is_set(count: int, by: str, advice: str) -> None:
    """A split by chip is not told to split by chip, nor one whose scenes have one chip each; folds stay two."""
    with pytest.raises(InputError) as caught:
        make_folds(np.ones((count, 1), np.bool_), names(count), **FIVE, by=by)
    assert f"found {count} of {count} chips. {advice}" in str(caught.value) and "split.by" not in str(caught.value)


def test_what_the_data_set_holds_out_is_the_hold_out() -> None:
    """All of it and nothing else; the others are dealt as if there were no hold-out to fill."""
    y = random_labels(np.random.default_rng(3), 100)
    held = np.arange(100) % 4 == 0
    fold = make_folds(y, names(100), **FIVE, held=held)
    assert ((fold == -1) == held).all() and set(fold[~held]) == set(range(5))
    inside = [name for name, out in zip(names(100), held, strict=True) if not out]
    assert (fold[~held] == make_folds(y[~held], inside, **FIVE | {"holdout": 0.0})).all()
    assert (make_folds(y, names(100), **FIVE, held=held & False) == make_folds(y, names(100), **FIVE)).all()


def test_a_label_of_as_many_chips_as_folds_reaches_each_fold() -> None:
    """Then the hold-out gives way; with one chip more it has one too."""
    for count in (5, 6):
        y = np.ones((60, 2), np.bool_)
        y[count:, 0] = False
        for seed in range(10):
            fold = make_folds(y, names(60), **FIVE | {"seed": seed})
            assert set(range(5)) <= set(fold[y[:, 0]])
            assert (-1 in fold[y[:, 0]]) == (count == 6)


def test_without_a_hold_out_all_chips_are_in_folds() -> None:
    """A share of 0 holds nothing out."""
    fold = make_folds(random_labels(np.random.default_rng(3), 101), names(101), folds=4, holdout=0.0, seed=0)
    assert len(np.bincount(fold)) == 4 and np.abs(np.bincount(fold) - 25).max() <= 1


def test_a_group_larger_than_a_fold_is_an_error() -> None:
    """It could only stand alone in a fold that is too large; the error names it and the ways out."""
    groups = ["big"] * 20 + names(80)
    y = np.ones((100, 1), np.bool_)
    with pytest.raises(
        InputError, match=r"the group of big has 20 chips.*room for 16.*split\.ratio.*split\.by to chip"
    ):
        make_folds(y, groups, **FIVE, by="scene")
    with pytest.raises(InputError, match=r"Set split\.folds lower, or set split\.hamming lower$"):
        make_folds(y, groups, **FIVE, by="chip")
    assert (make_folds(y, groups, **FIVE | {"folds": 4})[:20] >= -1).all()


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_whatever_the_groups_and_labels(data: st.DataObject) -> None:
    """Groups stay whole, no part is empty, order plays no role, and no part lacks a label of enough groups."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    folds = data.draw(st.integers(2, 6))
    chips = data.draw(st.integers(60, 400))
    groups = np.array([f"group-{one:03d}" for one in rng.integers(0, data.draw(st.integers(40, 400)), chips)])
    y = rng.random((chips, 6)) < rng.uniform(0.1, 0.8, 6)
    fold = make_folds(y, list(groups), folds=folds, holdout=0.2, seed=1)
    assert pd.Series(fold).groupby(groups).nunique().max() == 1
    assert set(fold) == set(range(-1, folds))
    order = rng.permutation(chips)
    assert (make_folds(y[order], list(groups[order]), folds=folds, holdout=0.2, seed=1) == fold[order]).all()
    having = np.array([len(np.unique(groups[held])) for held in y.T])
    assert (spread(y, fold)[having > 2 * folds] == folds + 1).all()


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"folds": 1}, "folds: expected at least 2, found 1"),
        ({"holdout": -0.5}, "holdout: expected at least 0 and less than 1, found -0.5"),
        ({"holdout": 1}, "holdout: expected at least 0 and less than 1, found 1"),
        ({"holdout": np.nan}, "holdout: expected at least 0 and less than 1, found nan"),
        ({"by": "nonsense"}, "by: expected chip or scene, found 'nonsense'"),
        ({"groups": ["a"] * 7}, "groups: expected one for each of the 8 rows of y, found 7"),
        ({"held": np.ones(9, np.bool_)}, "held: expected one for each of the 8 rows of y, found 9"),
    ],
)
def test_a_value_out_of_its_range_is_refused(how: dict[str, Any], said: str) -> None:
    """From Python no schema stands before it, and something would be dealt all the same."""
    usual: dict[str, Any] = {"groups": list("abcdefgh"), "folds": 2, "holdout": 0.25, "seed": 0}
    with pytest.raises(InputError, match=f"^split: {re.escape(said)}$"):
        make_folds(np.zeros((8, 1), np.bool_), **usual | how)


@pytest.fixture(scope="module")
def rows(planet: Path) -> Booleans:
    """Give the labels of Planet's 40,479 chips."""
    labels = read_dataset("planet", DATASETS).labels.vocabulary()
    table = pd.read_csv(planet / "train_v2.csv", keep_default_na=False)
    encoded = {tags: labels.encode(tags.split()) for tags in table["tags"].unique()}
    y = np.array([encoded[tags] for tags in table["tags"]])
    assert y.shape == (40_479, 17)
    return y


@pytest.mark.parametrize(("folds", "holdout"), [(5, 0.0), (5, 0.2), (10, 0.0), (10, 0.2)])
def test_planets_40479_chips_are_dealt_as_evenly_as_whole_chips_can_be(
    rows: Booleans, folds: int, holdout: float
) -> None:
    """No part is off a label's share, relatively, by more than one chip of a fold is, or a quarter of a percent."""
    fold = make_folds(rows, names(len(rows)), folds=folds, holdout=holdout, seed=0)
    counts = np.column_stack([rows, np.ones(len(rows), np.bool_)])
    chip = 1 / (counts.sum(axis=0) * (1 - holdout) / folds)
    for part in np.unique(fold):
        wanted = counts.sum(axis=0) * (holdout if part == -1 else (1 - holdout) / folds)
        off = np.abs(counts[fold == part].sum(axis=0) / wanted - 1)
        assert (off < np.maximum(chip, 0.0025)).all()
        assert off[-1] < 2 * chip[-1]


def test_planets_chips_are_dealt_nearly_as_evenly_by_scenes_of_25(rows: Booleans) -> None:
    """Each label's share of each part is off by a hundredth at most, or by two chips."""
    fold = make_folds(rows, names(len(rows), 25), **FIVE)
    for part in range(-1, 5):
        wanted = rows.sum(axis=0) * (0.2 if part == -1 else 0.16)
        assert (np.abs(rows[fold == part].sum(axis=0) - wanted) <= np.maximum(2, 0.01 * wanted)).all()
