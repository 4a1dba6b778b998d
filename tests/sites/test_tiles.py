"""Tiles cover the ground, edges included; cells blend what lies over them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igarape.sites.tiles import Grid


def grid(width: int, height: int, size: int, stride: int) -> Grid:
    """Return a grid of 3 m."""
    return Grid("EPSG:32718", 500_000.0, 9_000_000.0, 3.0, width, height, size, stride)


@given(st.integers(16, 90), st.integers(16, 90), st.integers(1, 16))
def test_tiles_are_whole_and_cover_everything(width: int, height: int, stride: int) -> None:
    """Each lies inside, each pixel lies in one, and only the last is off the stride."""
    one = grid(width, height, 16, stride)
    for starts, side in ((one.rows, height), (one.columns, width)):
        covered = np.zeros(side, dtype=bool)
        for start in starts:
            assert 0 <= start <= side - 16
            covered[start : start + 16] = True
        assert covered.all()
        assert [start % stride for start in starts[:-1]] == [0] * (len(starts) - 1)
        assert len(set(starts)) == len(starts)


def test_what_is_smaller_than_a_tile_has_none() -> None:
    """Nothing is padded."""
    assert grid(15, 40, 16, 8).columns == ()


def test_bounds_are_in_the_order_of_rows() -> None:
    """Left, bottom, right, top; the last tile is shifted inwards."""
    bounds = grid(40, 20, 16, 16).bounds(np.arange(6))
    assert bounds.shape == (6, 4)
    np.testing.assert_allclose(bounds[0], [500_000, 8_999_952, 500_048, 9_000_000])
    np.testing.assert_allclose(bounds[5], [500_072, 8_999_940, 500_120, 8_999_988])


@settings(max_examples=20)
@given(st.integers(16, 60), st.integers(1, 16), st.integers(0, 5))
def test_a_cell_is_the_mean_of_the_tiles_over_it(side: int, stride: int, seed: int) -> None:
    """Weighed by the pixels that they cover; tiles without a value do not count."""
    one = grid(side, side, 16, stride)
    rng = np.random.default_rng(seed)
    values = rng.random((len(one.rows), len(one.columns), 1))
    values[rng.random(values.shape) < 0.3] = np.nan
    total, weight = np.zeros((side, side)), np.zeros((side, side))
    for row, top in enumerate(one.rows):
        for column, left in enumerate(one.columns):
            if not np.isnan(values[row, column, 0]):
                total[top : top + 16, left : left + 16] += values[row, column, 0]
                weight[top : top + 16, left : left + 16] += 1
    found = one.blend(values)[:, :, 0]
    for row, column in np.ndindex(*one.cells):
        part = np.s_[row * stride : (row + 1) * stride, column * stride : (column + 1) * stride]
        if weight[part].sum():
            assert found[row, column] == pytest.approx(total[part].sum() / weight[part].sum())
        else:
            assert np.isnan(found[row, column])
