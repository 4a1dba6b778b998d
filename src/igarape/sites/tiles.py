"""The grid of tiles: where each one lies, so that maps of two dates lie on each other."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import shapely

from igarape.files import digest

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Grid:
    """Square tiles over a raster that lies north up.

    crs: as text, EPSG:32718 or WKT. left, top: of the first pixel's corner. pixel: its side, in the crs's unit. width,
    height: in pixels. size: the side of a tile in pixels. stride: from one tile to the next. The last row and the last
    column are shifted inwards, so that each tile is whole; a raster that is smaller than a tile has none.
    """

    crs: str
    left: float
    top: float
    pixel: float
    width: int
    height: int
    size: int
    stride: int

    @cached_property
    def hash(self) -> str:
        """Return a hash of all that says where a tile of a name lies."""
        return digest([repr(self)])

    @cached_property
    def rows(self) -> tuple[int, ...]:
        """Return the first pixel row of each row of tiles."""
        return _starts(self.height, self.size, self.stride)

    @cached_property
    def columns(self) -> tuple[int, ...]:
        """Return the first pixel column of each column of tiles."""
        return _starts(self.width, self.size, self.stride)

    @property
    def cells(self) -> tuple[int, int]:
        """Return how many rows and columns of cells, squares of stride x stride pixels, cover the raster."""
        return -(-self.height // self.stride), -(-self.width // self.stride)

    @property
    def transform(self) -> tuple[float, float, float, float, float, float]:
        """Return the affine transform from pixel to crs, in the order of affine.Affine."""
        return self.pixel, 0.0, self.left, 0.0, -self.pixel, self.top

    @property
    def sides(self) -> tuple[float, float, float, float]:
        """Return left, bottom, right, top of the raster, in the crs."""
        return self.left, self.top - self.pixel * self.height, self.left + self.pixel * self.width, self.top

    def corner(self, place: int) -> tuple[int, int]:
        """Return the row and the column of the first pixel of a tile, counted row by row."""
        row, column = divmod(place, len(self.columns))
        return self.rows[row], self.columns[column]

    def bounds(self, places: Integers) -> Floats:
        """Return left, bottom, right, top of tiles, counted row by row: of shape (tiles, 4)."""
        rows, columns = np.divmod(places, len(self.columns))
        left = self.left + self.pixel * np.asarray(self.columns, dtype=np.float64)[columns]
        top = self.top - self.pixel * np.asarray(self.rows, dtype=np.float64)[rows]
        side = self.pixel * self.size
        return np.stack([left, top - side, left + side, top], axis=1)

    def boxes(self, places: Integers) -> npt.NDArray[np.object_]:
        """Return the outlines of tiles, counted row by row: polygons, of shape (tiles,)."""
        found: npt.NDArray[np.object_] = shapely.box(*self.bounds(places).T)
        return found

    def blend(self, values: Floats) -> Floats:
        """Return the mean in each cell of the tiles that lie over it, by how much of it they cover.

        values: of shape (rows, columns, n), NaN where a tile holds none. The answer: (cell rows, cell columns, n), NaN
        where no tile holds one.
        """
        over_rows = _overlap(self.rows, self.size, self.stride, self.cells[0])
        over_columns = _overlap(self.columns, self.size, self.stride, self.cells[1])
        held = ~np.isnan(values)

        def spread(each: Floats) -> Floats:
            across = np.einsum("tc,rtn->rcn", over_columns, each)
            return np.asarray(np.einsum("tr,tcn->rcn", over_rows, across))

        weight = spread(held.astype(np.float64))
        total = spread(np.where(held, values, 0.0))
        return np.divide(total, weight, out=np.full_like(total, np.nan), where=weight > 0)


def _starts(side: int, size: int, stride: int) -> tuple[int, ...]:
    """Return where tiles begin along a side."""
    if side < size:
        return ()
    starts = list(range(0, side - size + 1, stride))
    return tuple(starts if starts[-1] == side - size else [*starts, side - size])


def _overlap(starts: tuple[int, ...], size: int, stride: int, cells: int) -> Floats:
    """Return how many pixels of each cell each tile covers along a side: of shape (tiles, cells)."""
    first = np.asarray(starts, dtype=np.float64)[:, None]
    cell = stride * np.arange(cells, dtype=np.float64)[None]
    covered = np.minimum(first + size, cell + stride) - np.maximum(first, cell)
    return np.asarray(np.clip(covered, 0, None))
