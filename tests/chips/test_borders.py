"""Borders that fit: as comparing all with all finds them, and nearly so in cells."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igarape.chips import borders
from igarape.chips.borders import Lines, fitting

RATIO, CORRELATION = 0.7, 0.5


def facing(count: int, seed: int) -> tuple[Lines, Lines]:
    """Draw borders of every kind of tone; of every other chip, the next one's opposite border goes on in it."""
    rng = np.random.default_rng(seed)
    ours, theirs = (_lines(rng, count) for _ in range(2))
    noise = rng.normal(0, 6, (len(ours[:-1:2]), 64))
    theirs[1::2] = np.clip(ours[: len(theirs[1::2]) * 2 : 2] + noise[: len(theirs[1::2])], 0, 255)
    return ours, theirs


def _lines(rng: np.random.Generator, count: int) -> Lines:
    smooth = cv2.blur(rng.normal(size=(count, 64)), (9, 1)) * 60 + rng.normal(size=(count, 64)) * 15
    return np.clip(rng.uniform(40, 200, (count, 1)) + smooth, 0, 255).astype(np.uint8)


def all_with_all(ours: Lines, theirs: Lines) -> set[tuple[int, int]]:
    """Follow the definition to the letter."""
    distance = ((ours[:, None].astype(int) - theirs[None]) ** 2).sum(axis=2).astype(float)
    np.fill_diagonal(distance, np.inf)
    pairs = set()
    for one, row in enumerate(distance):
        other = int(row.argmin())
        column = distance[:, other]
        third = min(np.delete(row, other).min(), np.delete(column, one).min())
        left, right = (
            line - cv2.blur(line, (9, 1), borderType=cv2.BORDER_REFLECT)
            for line in (each.astype(np.float32)[None] for each in (ours[one], theirs[other]))
        )
        agree = (left * right).sum() / max(1e-6, float(np.linalg.norm(left) * np.linalg.norm(right)))
        if row[other] < RATIO**2 * third and agree >= CORRELATION:
            pairs.add((one, other))
    return pairs


def found(ours: Lines, theirs: Lines) -> set[tuple[int, int]]:
    """Return the pairs as a set."""
    one, other, _ = fitting(ours, theirs, ratio=RATIO, correlation=CORRELATION)
    return set(zip(one.tolist(), other.tolist(), strict=True))


@settings(deadline=None, max_examples=20)
@given(st.integers(3, 60), st.integers(0, 2**32 - 1))
def test_few_borders_are_compared_all_with_all(count: int, seed: int) -> None:
    """Mutual, distinct on either side, alike in detail: the definition, and nothing else."""
    ours, theirs = facing(count, seed)
    assert found(ours, theirs) == all_with_all(ours, theirs)


def test_many_borders_are_compared_in_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the pairs that all with all finds 99 in 100 are found in cells, and few others."""
    ours, theirs = facing(4000, 1)
    exact = found(ours, theirs)
    monkeypatch.setattr(borders, "EXHAUSTIVE", 100)
    cells = found(ours, theirs)
    assert len(exact) > 1000
    assert len(exact & cells) >= 0.99 * max(len(exact), len(cells))


def test_cells_depend_on_no_order_of_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    """Centres are whole numbers; they and the pairs are the same, however many borders are compared in one product."""
    ours, theirs = facing(2000, 2)
    monkeypatch.setattr(borders, "EXHAUSTIVE", 100)
    centres, pairs = borders._centres(theirs), found(ours, theirs)
    assert centres.dtype == np.uint8
    monkeypatch.setattr(borders, "BLOCK", 7777)
    np.testing.assert_array_equal(borders._centres(theirs), centres)
    assert found(ours, theirs) == pairs != set()


def test_cells_that_are_all_near_to_each_other_compare_all_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pair of borders is compared once then, and a chip's own two never: the pairs are the definition's."""
    ours, theirs = facing(60, 5)
    monkeypatch.setattr(borders, "EXHAUSTIVE", 2)
    assert found(ours, theirs) == all_with_all(ours, theirs) != set()


@pytest.mark.parametrize("block", [1, 100, 2**24])
def test_all_with_all_is_compared_in_blocks_of_any_size(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row at a time, some, or all: the pairs are the definition's."""
    ours, theirs = facing(50, 4)
    monkeypatch.setattr(borders, "BLOCK", block)
    assert found(ours, theirs) == all_with_all(ours, theirs) != set()


@pytest.mark.parametrize("limit", [2, 2**16])
def test_borders_that_are_all_the_same_fit_none(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand chips of open water: nothing is distinct, in cells or not."""
    monkeypatch.setattr(borders, "EXHAUSTIVE", limit)
    water = np.full((1000, 64), 60, dtype=np.uint8)
    assert found(water, water) == set()
