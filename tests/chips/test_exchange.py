"""Exchanges between parts: each evens them out, until none does."""

from itertools import combinations, product

import numpy as np
import pytest

from igarape.chips.exchange import Counts, even_out, groups_with
from igarape.tables import Folds

SHARES = np.array([0.3, 0.3, 0.4])


def unevenness(part: Folds, counts: Counts) -> float:
    """Return the sum over parts and labels of (held / wanted - 1)^2."""
    held = np.array([counts[part == one].sum(axis=0) for one in range(len(SHARES))])
    return float(((held / np.outer(SHARES, counts.sum(axis=0)) - 1) ** 2).sum())


def exchanged(part: Folds, one: int, two: int, groups: tuple[int | None, int | None]) -> Folds:
    """Give a group of part one to part two, and one back; None gives nothing."""
    after = part.copy()
    for group, target in zip(groups, (two, one), strict=True):
        if group is not None:
            after[group] = target
    return after


@pytest.mark.parametrize("seed", range(4))
def test_no_exchange_is_left_that_would_even_the_parts_out(seed: int) -> None:
    """Each pair of groups is tried, and each group alone, but where a part would lose its last group of a label."""
    rng = np.random.default_rng(seed)
    counts = 1.0 * np.column_stack([rng.random((24, 3)) < (0.1, 0.3, 0.6), np.ones(24)]) * rng.integers(1, 4, (24, 1))
    dealt = rng.permutation(np.arange(24) % 3)
    part = even_out(dealt, counts, SHARES, rng)
    assert unevenness(part, counts) < unevenness(dealt, counts)
    held = groups_with(part, counts, 3)
    assert (held[groups_with(dealt, counts, 3) > 0] > 0).all()
    for one, two in combinations(range(3), 2):
        for groups in product([*np.flatnonzero(part == one), None], [*np.flatnonzero(part == two), None]):
            after = exchanged(part, one, two, groups)
            if (groups_with(after, counts, 3)[held > 0] > 0).all():
                assert unevenness(after, counts) > unevenness(part, counts) - 1e-9
