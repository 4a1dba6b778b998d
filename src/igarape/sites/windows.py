"""The tiles of a scene, cut from bands of rows: each row of pixels is read once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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

    row: which one. samples, of shape (bands, size, width): those that are used. valid: the share of each tile that
    holds something, for all columns of the grid. counts: how many pixels do, in each cell (cell rows, cell columns), of
    those rows of pixels that belong to no row of tiles after this one.
    """

    row: int
    samples: Samples
    valid: Reals
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
        return self.samples[:, :, left : left + self.samples.shape[1]]


def rows_of_tiles(raster: Raster, rows: Sequence[int]) -> Iterator[Row]:
    """Yield rows of tiles of a scene on its grid, a run of neighbours from the top down."""
    grid = raster.grid
    samples, valid = raster.empty(grid.size)
    end = 0
    for row in rows:
        top, bottom = grid.rows[row], grid.rows[row] + grid.size
        kept = max(end - top, 0)
        samples[:, :kept] = samples[:, grid.size - kept :]
        valid[:kept] = valid[grid.size - kept :]
        raster.read(bottom - (grid.size - kept), samples[:, kept:], valid[kept:])
        end = bottom
        own = (grid.rows[row + 1] if row + 1 < len(grid.rows) else bottom) - top
        shares = _shares(valid, grid.columns, grid.size)
        yield Row(row, samples, shares, _counts(valid[:own], top, grid.stride, grid.cells))


def _shares(valid: Booleans, columns: Sequence[int], size: int) -> Reals:
    """Return the share of each tile that holds something."""
    before = np.concatenate([[0], np.cumsum(valid.sum(axis=0, dtype=np.int64))])
    first = np.asarray(columns)
    return np.asarray((before[first + size] - before[first]) / size**2, dtype=np.float32)


def _counts(valid: Booleans, top: int, stride: int, cells: tuple[int, int]) -> Counts:
    """Return how many pixels of some rows hold something, in each cell."""
    counts = np.zeros(cells, dtype=np.int64)
    of, columns = (top + np.arange(len(valid))) // stride, np.arange(0, valid.shape[1], stride)
    for cell in np.unique(of).tolist():
        counts[cell] = np.add.reduceat(valid[of == cell].sum(axis=0, dtype=np.int64), columns)
    return counts


def sample(raster: Raster) -> npt.NDArray[Any]:
    """Return colours of pixels that hold something, (3, n): of squares that lie evenly over the scene.

    Which ones depends on the grid only, not on how the file is laid out, so that the same picture gives the same ones.
    """
    (top, bottom), (left, right) = raster.rows, raster.columns
    found = []
    for row in _evenly(top, bottom):
        samples, valid = raster.empty(min(SQUARE, bottom - row))
        raster.read(row, samples, valid)
        for column in _evenly(left, right):
            part = slice(column, min(column + SQUARE, right))
            found.append(samples[:3, :, part][:, valid[:, part]])
    return np.concatenate(found, axis=1)


def _evenly(first: int, last: int) -> list[int]:
    """Return where squares begin along a side: as many as fit without overlap, at most SQUARES."""
    count = max(1, min(SQUARES, (last - first) // SQUARE))
    return [int(start) for start in np.linspace(first, max(first, last - SQUARE), count)]
