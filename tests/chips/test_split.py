"""Folds: balanced in every label, groups whole, and the same for the same chips."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from igarape.chips.split import make_folds
from igarape.errors import InputError
from igarape.labels import Booleans
from igarape.params import read_dataset

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
    """Chip by chip, a part deviates from its share by five chips at most in all, by two in every label."""
    y = random_labels(np.random.default_rng(0), 2000)
    fold = make_folds(y, names(2000), **FIVE)
    shares = {part: 0.2 if part == -1 else 0.16 for part in range(-1, 5)}
    assert set(fold) == set(shares)
    for part, share in shares.items():
        assert abs((fold == part).sum() - 2000 * share) <= 5
        assert np.abs(y[fold == part].sum(axis=0) - y.sum(axis=0) * share).max() <= 2


def test_groups_stay_whole_and_parts_are_still_balanced() -> None:
    """Of scenes with four chips each, no chip strays; a label is off its share by a scene's worth or so."""
    y = random_labels(np.random.default_rng(1), 2000)
    groups = names(2000, 4)
    fold = make_folds(y, groups, **FIVE)
    assert pd.Series(fold).groupby(groups).nunique().max() == 1
    for part in range(-1, 5):
        share = 0.2 if part == -1 else 0.16
        assert abs((fold == part).mean() - share) < 0.02
        assert np.abs(y[fold == part].sum(axis=0) - y.sum(axis=0) * share).max() < 0.02 * 2000


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
    with pytest.raises(InputError, match=r"5 folds and a hold-out need at least 6 groups.*found 5.*split\.by to chip"):
        make_folds(np.ones((20, 1), np.bool_), names(20, 4), **FIVE)


@pytest.mark.parametrize("size", [1, 25])
def test_planets_40479_chips_are_dealt_with_every_label_in_every_part(planet: Path, size: int) -> None:
    """Chip by chip, each part holds each label's share to within a hundredth; by scenes of 25, to within a fifth."""
    labels = read_dataset("planet", DATASETS).labels.vocabulary()
    table = pd.read_csv(planet / "train_v2.csv", keep_default_na=False)
    encoded = {tags: labels.encode(tags.split()) for tags in table["tags"].unique()}
    y = np.array([encoded[tags] for tags in table["tags"]])
    assert y.shape == (40_479, 17)
    fold = make_folds(y, list(table["image_name"]) if size == 1 else names(len(y), size), **FIVE)
    for part in range(-1, 5):
        wanted = y.sum(axis=0) * (0.2 if part == -1 else 0.16)
        off = np.abs(y[fold == part].sum(axis=0) - wanted)
        assert (off <= np.maximum(2, wanted * (0.01 if size == 1 else 0.2))).all()
