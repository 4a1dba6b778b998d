"""The tiles of a part of a scene, cut from bands of rows: each row of pixels is read once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from igarape.chips.pictures import Pixels
from igarape.labels import Booleans
from igarape.sites.raster import Raster
from igarape.sites.resampling import Samples
from igarape.sites.stretch import Table, stretched
from igarape.sites.units import Deep

SQUARES, SQUARE = 8, 128  # along each side of a scene, and their side in pixels
DEEPER = 257  # what a value of 8 bits is multiplied by, to be one of 16
Reals = npt.NDArray[np.float32]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Row:
    """A row of tiles, until the next one is asked for, which takes its memory.

    left: the first column of pixels. samples, of shape (bands, size, width): those that are used. holds: which pixels
    hold something, (size, width). valid: the share of each tile that does. cell: the first row of cells. counts: how
    many pixels hold something in each cell from there on, of those rows and columns of pixels that belong to no tile
    after these.
    """

    left: int
    samples: Samples
    holds: Booleans
    valid: Reals
    cell: int
    counts: Counts

    def colours(self, left: int, tables: Sequence[Table] | None) -> Pixels:
        """Return the tile that begins at a column of pixels, stretched: (size, size, 3)."""
        return stretched(self._tile(left)[:3], tables)

    def infrared(self, left: int, tables: Sequence[Deep] | None) -> npt.NDArray[np.uint16]:
        """Return blue, green, red, near-infrared of a tile, of 16 bits, as chips.nir has them: (size, size, 4).

        tables: as of Units.tables.
        """
        tile = self._tile(left)
        values = tile if tables is None else [table[plane] for table, plane in zip(tables, tile, strict=True)]
        red, green, blue, nir = values
        deep = cv2.merge([blue, green, red, nir]).astype(np.uint16)
        return np.asarray(deep * np.uint16(DEEPER if self.samples.dtype == np.uint8 else 1))

    def _tile(self, left: int) -> Samples:
        first = left - self.left
        part = np.s_[first : first + self.samples.shape[1]]
        return filled(self.samples[:, :, part], self.holds[:, part])


def filled(samples: Samples, holds: Booleans) -> Samples:
    """Return a tile whose pixels that hold nothing show ground of the same tile: a model takes black for water.

    A pixel shows what lies opposite, turned about the tile's middle: of a tile that a straight border cuts and that is
    at least half valid, all of that is there. Else what lies opposite from left to right, or from top to bottom; else
    the mean of what holds something.

    Parameters
    ----------
    samples
        Of shape (bands, size, size).
    holds
        Which pixels hold something, (size, size); at least one.
    """
    if holds.all():
        return samples
    found, missing = samples.copy(), ~holds
    for opposite in (np.s_[::-1, ::-1], np.s_[:, ::-1], np.s_[::-1, :]):
        there = missing & holds[opposite]
        found[:, there] = samples[:, *opposite][:, there]
        missing &= ~there
    found[:, missing] = np.rint(samples[:, holds].mean(axis=1))[:, None]
    return found


def rows_of_tiles(raster: Raster, rows: Sequence[int], columns: Sequence[int]) -> Iterator[Row]:
    """Yield rows of tiles of a scene on its grid from the top down; rows, columns: runs of neighbours."""
    grid = raster.grid
    left, right = grid.columns[columns[0]], grid.columns[columns[-1]] + grid.size
    starts = np.array([grid.columns[column] - left for column in columns])
    samples, valid = raster.empty(grid.size, right - left)
    across, end = _borders(left, _end(grid.columns, columns[-1], grid.size), grid.stride), 0
    for row in rows:
        top, bottom = grid.rows[row], grid.rows[row] + grid.size
        kept = max(end - top, 0)
        samples[:, :kept] = samples[:, grid.size - kept :]
        valid[:kept] = valid[grid.size - kept :]
        raster.read(bottom - (grid.size - kept), left, samples[:, kept:], valid[kept:])
        end = bottom
        held = cv2.integral(valid.view(np.uint8))  # above and left of each corner of a pixel
        share = (held[-1, starts + grid.size] - held[-1, starts]) / grid.size**2
        down = _borders(top, _end(grid.rows, row, grid.size), grid.stride)
        counts = np.diff(np.diff(held[np.ix_(down, across)], axis=0), axis=1).astype(np.int64)
        yield Row(left, samples, valid, share.astype(np.float32), top // grid.stride, counts)


def _end(starts: Sequence[int], place: int, size: int) -> int:
    """Return where the pixels end that a tile shares with no tile after it, along a side."""
    return starts[place + 1] if place + 1 < len(starts) else starts[place] + size


def _borders(first: int, end: int, stride: int) -> list[int]:
    """Return where cells begin along a side, counted from its first pixel on, and where its pixels end."""
    return [0, *range(stride - first % stride, end - first, stride), end - first]


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
