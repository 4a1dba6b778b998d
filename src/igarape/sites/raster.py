"""A scene as it lies on a grid, read in bands of rows: as it is where it lies on the grid, else resampled."""

from dataclasses import dataclass

import numpy as np
from rasterio.errors import RasterioError
from rasterio.windows import Window

from igarape.errors import InputError, reason
from igarape.labels import Booleans
from igarape.sites.placement import extent, offset
from igarape.sites.resampling import Samples, Warp, resample
from igarape.sites.scene import Scene
from igarape.sites.tiles import Grid


@dataclass(frozen=True)
class Raster:
    """What is read of a scene on a grid.

    rows, columns: from where to where on the grid the scene lies. corner: the row and the column of the scene in which
    the grid's first pixel lies, where both have the same pixels; else None, and warp: how they are resampled.
    """

    scene: Scene
    grid: Grid
    rows: tuple[int, int]
    columns: tuple[int, int]
    corner: tuple[int, int] | None
    warp: Warp | None

    def empty(self, height: int, width: int) -> tuple[Samples, Booleans]:
        """Return what a part of the grid is read into: the used bands, and which pixels hold something."""
        samples = np.zeros((len(self.scene.bands.used), height, width), dtype=self.scene.dataset.dtypes[0])
        return samples, np.zeros((height, width), dtype=np.bool_)

    def read(self, top: int, left: int, samples: Samples, valid: Booleans) -> None:
        """Read a part of the grid.

        Parameters
        ----------
        top, left
            Its first row and its first column.
        samples
            Takes the used bands, (n, height, width); 0 outside the scene.
        valid
            Takes which pixels hold something, (height, width).

        Raises
        ------
        InputError
            Where the file is damaged.
        """
        if self.warp is not None:
            resample(self._read, self.warp, top=top, left=left, samples=samples, holds=valid)
        elif self.corner is not None:
            self._read(self.corner[0] + top, self.corner[1] + left, samples, valid)

    def _read(self, top: int, left: int, samples: Samples, valid: Booleans) -> None:
        """Read a part of the scene, by its own first row and column; 0 outside of it."""
        samples[:], valid[:] = 0, False
        data = self.scene.dataset
        rows, columns = _common(top, valid.shape[0], data.height), _common(left, valid.shape[1], data.width)
        if rows[1] <= rows[0] or columns[1] <= columns[0]:
            return
        window = Window.from_slices(rows, columns)
        inside = slice(rows[0] - top, rows[1] - top), slice(columns[0] - left, columns[1] - left)
        target = samples[(slice(None), *inside)]  # read in place: a band of rows of a wide scene is large
        try:
            data.read(self.scene.bands.used, window=window, out=target)
            valid[inside] = self._holds(target, window)
        except RasterioError as error:
            raise InputError(
                f"{self.scene.path}: rows {rows[0]} to {rows[1]} cannot be read: a block is damaged or cut short "
                f"({reason(error.__cause__ or error)}). Fetch the scene again"
            ) from error

    def _holds(self, samples: Samples, window: Window) -> Booleans:
        """Say which pixels of a window hold something."""
        data = self.scene.dataset
        if self.scene.alpha is not None:
            return np.asarray(data.read(self.scene.alpha, window=window) > 0, dtype=np.bool_)
        if self.scene.masked:
            return np.asarray(data.read_masks(1, window=window) > 0, dtype=np.bool_)
        holds = np.zeros(samples.shape[1:], dtype=np.bool_)
        for band in samples:
            holds |= band != self.scene.nodata
        return holds

    def touched(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the rows and the columns of tiles that the scene's rectangle touches."""
        return (
            _touching(self.grid.rows, self.grid.size, *self.rows),
            _touching(self.grid.columns, self.grid.size, *self.columns),
        )


def on_grid(scene: Scene, grid: Grid) -> Raster:
    """Lay a scene on a grid. Raises InputError when it does not touch it."""
    corner = offset(scene, grid)
    if corner is None:
        raster = Raster(scene, grid, *extent(scene, grid), corner, Warp.between(scene, grid))
    else:
        data = scene.dataset
        down, across = _common(-corner[0], data.height, grid.height), _common(-corner[1], data.width, grid.width)
        raster = Raster(scene, grid, down, across, corner, warp=None)
    if not all(raster.touched()):
        raise InputError(f"{scene.path}: does not touch the grid: it is a scene of another place")
    return raster


def _common(start: int, length: int, side: int) -> tuple[int, int]:
    """Return the part of a side from start on that there is."""
    return max(start, 0), min(start + length, side)


def _touching(starts: tuple[int, ...], size: int, first: int, last: int) -> tuple[int, ...]:
    """Return the places of those tiles along a side that lie over some of first..last."""
    return tuple(place for place, start in enumerate(starts) if start < last and start + size > first)
