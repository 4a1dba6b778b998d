"""The tiles of a part of a scene, cut from bands of rows: each row of pixels is read once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from igarape.chips.pictures import Pixels
from igarape.labels import Booleans
from igarape.sites.raster import Raster, Samples
from igarape.sites.stretch import Table, stretched

SQUARES, SQUARE = 8, 128  # along each side of a scene, and their side in pixels
DEEPER = 257  # what a value of 8 bits is multiplied by, to be one of 16
Reals = npt.NDArray[np.float32]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Row:
    """A row of tiles, until the next one is asked for, which takes its memory.

    left: the first column of pixels. samples, of shape (bands, size, width): those that are used. valid: the share of
    each tile that holds something. cell: the first row of cells. counts: how many pixels hold something in each cell
    from there on, of those rows and columns of pixels that belong to no tile after these.
    """

    left: int
    samples: Samples
    valid: Reals
    cell: int
    counts: Counts

    def colours(self, left: int, tables: Sequence[Table] | None) -> Pixels:
        """Return the tile that begins at a column of pixels, stretched: (size, size, 3)."""
        return stretched(self._tile(left)[:3], tables)

    def infrared(self, left: int) -> npt.NDArray[np.uint16]:
        """Return blue, green, red, near-infrared of a tile, of 16 bits, as chips.nir has them: (size, size, 4)."""
        samples = self._tile(left)[[2, 1, 0, 3]]
        deep = samples.astype(np.uint16) * (DEEPER if samples.dtype == np.uint8 else 1)
        return np.ascontiguousarray(np.moveaxis(deep, 0, -1))

    def _tile(self, left: int) -> Samples:
        first = left - self.left
        return self.samples[:, :, first : first + self.samples.shape[1]]


def rows_of_tiles(raster: Raster, rows: Sequence[int], columns: Sequence[int]) -> Iterator[Row]:
    """Yield rows of tiles of a scene on its grid from the top down; rows, columns: runs of neighbours."""
    grid = raster.grid
    left, right = grid.columns[columns[0]], grid.columns[columns[-1]] + grid.size
    starts = np.array([grid.columns[column] - left for column in columns])
    samples, valid = raster.empty(grid.size, right - left)
    across, end = _end(grid.columns, columns[-1], grid.size) - left, 0
    for row in rows:
        top, bottom = grid.rows[row], grid.rows[row] + grid.size
        kept = max(end - top, 0)
        samples[:, :kept] = samples[:, grid.size - kept :]
        valid[:kept] = valid[grid.size - kept :]
        raster.read(bottom - (grid.size - kept), left, samples[:, kept:], valid[kept:])
        end = bottom
        down = _end(grid.rows, row, grid.size) - top
        counts = _counts(valid[:down, :across], top, left, grid.stride)
        yield Row(left, samples, _shares(valid, starts, grid.size), top // grid.stride, counts)


def _end(starts: Sequence[int], place: int, size: int) -> int:
    """Return where the pixels end that a tile shares with no tile after it, along a side."""
    return starts[place + 1] if place + 1 < len(starts) else starts[place] + size


def _shares(valid: Booleans, starts: npt.NDArray[np.int64], size: int) -> Reals:
    """Return the share of each tile that holds something."""
    before = np.concatenate([[0], np.cumsum(valid.sum(axis=0, dtype=np.int64))])
    return np.asarray((before[starts + size] - before[starts]) / size**2, dtype=np.float32)


def _counts(valid: Booleans, top: int, left: int, stride: int) -> Counts:
    """Return how many pixels hold something in each cell, from the one on in which the first pixel lies."""
    down, across = (
        [0, *range(stride - first % stride, length, stride)]
        for first, length in zip((top, left), valid.shape, strict=True)
    )
    return np.asarray(np.add.reduceat(np.add.reduceat(valid, down, axis=0, dtype=np.int64), across, axis=1))


def sample(raster: Raster) -> npt.NDArray[Any]:
    """Return colours of pixels that hold something, (3, n): of squares that lie evenly over the scene.

    Which ones depends on the grid only, not on how the file is laid out, so that the same picture gives the same ones.
    """
    (top, bottom), (left, right) = raster.rows, raster.columns
    found = []
    for row, column in product(_evenly(top, bottom), _evenly(left, right)):
        samples, valid = raster.empty(min(SQUARE, bottom - row), min(SQUARE, right - column))
        raster.read(row, column, samples, valid)
        found.append(samples[:3, valid])
    return np.concatenate(found, axis=1)


def _evenly(first: int, last: int) -> list[int]:
    """Return where squares begin along a side: as many as fit without overlap, at most SQUARES."""
    count = max(1, min(SQUARES, (last - first) // SQUARE))
    return [int(start) for start in np.linspace(first, max(first, last - SQUARE), count)]
