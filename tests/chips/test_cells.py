"""Cells of similar lines: the same centres on any machine, each line in the nearest, nearness both ways."""

import numpy as np
import numpy.typing as npt
import pytest

from igarape.chips import cells
from igarape.chips.cells import Lines, asked, asking, assigned, learnt, near, reach


def lines(count: int, seed: int) -> Lines:
    """Draw lines of any levels."""
    return np.random.default_rng(seed).integers(0, 256, (count, 64), dtype=np.uint8)


def squared(ours: Lines, theirs: Lines) -> npt.NDArray[np.intp]:
    """Return the squared distances in whole numbers."""
    return np.asarray(((ours[:, None].astype(np.intp) - theirs[None]) ** 2).sum(axis=2))


def test_distances_are_exact_at_the_ends_of_the_scale() -> None:
    """The farthest lines too: 64 times 255 squared, which is below 2^24."""
    ends = np.array([[0] * 64, [255] * 64, [0, 255] * 32, [254] + [255] * 63], dtype=np.uint8)
    every = np.concatenate([ends, lines(50, 0)])
    np.testing.assert_array_equal(asking(every) @ asked(every).T, squared(every, every))


@pytest.mark.parametrize("block", [1, 1000, 2**20])
def test_a_line_lies_in_the_cell_of_the_nearest_centre(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are compared at once; none is none."""
    monkeypatch.setattr(cells, "BLOCK", block)
    centres, some = lines(30, 1), lines(200, 2)
    np.testing.assert_array_equal(assigned(some, centres), squared(some, centres).argmin(axis=1))
    assert assigned(some[:0], centres).shape == (0,)


def test_centres_depend_on_no_order_of_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are whole numbers, the same in blocks of any size, and nearer to their lines than lines by chance are."""
    some = lines(2000, 3)
    centres = learnt(some)
    assert centres.dtype == np.uint8
    by_chance = squared(some, some[: len(centres)]).min(axis=1)[len(centres) :]
    assert squared(some, centres).min(axis=1)[len(centres) :].mean() < by_chance.mean()
    monkeypatch.setattr(cells, "BLOCK", 7777)
    np.testing.assert_array_equal(learnt(some), centres)


def test_cells_are_near_to_each_other_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearest ones, itself among them, and those to which it is one of the nearest: so nearness goes both ways."""
    monkeypatch.setattr(cells, "NEAR", 5)
    centres = lines(60, 4)
    found = np.zeros((60, 60), dtype=np.bool_)
    for cell, others in enumerate(near(centres, reach(centres), slice(0, 60))):
        found[cell, others] = True
    nearest = squared(centres, centres).argsort(axis=1).argsort(axis=1) < 5
    np.testing.assert_array_equal(found, nearest | nearest.T)
    assert found.diagonal().all()
    (some,) = near(centres, reach(centres), slice(7, 8))
    np.testing.assert_array_equal(some, np.flatnonzero(found[7]))


def test_few_cells_are_all_near() -> None:
    """One cell is near to itself."""
    for count in (1, 3):
        centres = lines(count, 5)
        assert [list(cell) for cell in near(centres, reach(centres), slice(0, count))] == [list(range(count))] * count
