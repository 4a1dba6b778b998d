"""One fold: what its model is known by, and the rows that early stopping watches. test_crossfit.py fits them all."""

from dataclasses import replace

import numpy as np
import tiny
from hypothesis import given
from hypothesis import strategies as st

from igarape.learners.folds import Recipe, set_aside

COUNT = 60
GROUPS = [f"scene-{row // 3}" for row in range(COUNT)]
RECIPE = Recipe(
    experiment=tiny.tiny(epochs=99),
    hyperparameters=tiny.values(),
    targets=tiny.targets(2),
    epochs=2,
    validation=0.25,
    patience=7,
    seed=40,
    threads=1,
)


def test_the_machine_is_no_part_of_what_a_recipe_is_known_by() -> None:
    """Another number of processors gives the same models; another seed others."""
    assert repr(replace(RECIPE, threads=8)) == repr(RECIPE)
    assert repr(replace(RECIPE, seed=8)) != repr(RECIPE)


groups = st.lists(st.integers(0, 30).map(str), min_size=1, max_size=80)


@given(groups, st.floats(0, 0.5), st.integers(0, 5))
def test_setting_aside_splits_rows_by_groups(names: list[str], share: float, seed: int) -> None:
    """Every row is on one side, no group on both, and about the share of the groups is watched."""
    rows = np.arange(0, len(names), 2)
    train, validation = set_aside(rows, names, share=share, seed=seed)
    assert sorted([*train, *validation]) == rows.tolist()
    learned, watched = ({names[row] for row in side} for side in (train, validation))
    assert not learned & watched
    assert abs(len(watched) - share * len(learned | watched)) <= 0.5


def test_a_share_of_0_sets_nothing_aside() -> None:
    """Early stopping is turned off so."""
    train, validation = set_aside(np.arange(9), GROUPS, share=0.0, seed=1)
    assert train.tolist() == list(range(9))
    assert validation.tolist() == []


def test_the_same_seed_sets_the_same_rows_aside() -> None:
    """And another seed others."""
    one, two, other = (set_aside(np.arange(COUNT), GROUPS, share=0.3, seed=seed)[1].tolist() for seed in (1, 1, 2))
    assert one == two
    assert one != other
