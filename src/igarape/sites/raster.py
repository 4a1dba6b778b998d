"""A scene as it lies on a grid, read in bands of rows: as it is where it lies on the grid, else resampled."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from rasterio import Affine
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from igarape.errors import InputError, reason
from igarape.labels import Booleans
from igarape.sites.placement import extent, offset
from igarape.sites.scene import Scene
from igarape.sites.tiles import Grid

Samples = npt.NDArray[np.unsignedinteger[Any]]  # (bands, height, width)

PRECISE = 1e-9  # of a pixel: GDAL's error in transforming places, so that no result depends on the part that is read


@dataclass(frozen=True)
class Raster:
    """What is read of a scene on a grid.

    dataset: has the grid's pixels. left, top: where the grid's first one lies in it. rows, columns: from where to where
    on the grid the scene lies.
    """

    scene: Scene
    grid: Grid
    dataset: DatasetReader | WarpedVRT
    left: int
    top: int
    rows: tuple[int, int]
    columns: tuple[int, int]
    resampled: bool

    def empty(self, height: int, width: int) -> tuple[Samples, Booleans]:
        """Return what a part of the grid is read into: the used bands, and which pixels hold something."""
        samples = np.zeros((len(self.scene.bands.used), height, width), dtype=self.dataset.dtypes[0])
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
        samples[:], valid[:] = 0, False
        rows = _common(self.top + top, valid.shape[0], self.dataset.height)
        columns = _common(self.left + left, valid.shape[1], self.dataset.width)
        if rows[1] <= rows[0] or columns[1] <= columns[0]:
            return
        window = Window.from_slices(rows, columns)
        inside = (
            slice(rows[0] - self.top - top, rows[1] - self.top - top),
            slice(columns[0] - self.left - left, columns[1] - self.left - left),
        )
        target = samples[(slice(None), *inside)]  # read in place: a band of rows of a wide scene is large
        try:
            self.dataset.read(self.scene.bands.used, window=window, out=target)
            valid[inside] = self._holds(target, window)
        except RasterioError as error:
            raise InputError(
                f"{self.scene.path}: rows {rows[0]} to {rows[1]} cannot be read: a block is damaged or cut short "
                f"({reason(error.__cause__ or error)}). Fetch the scene again"
            ) from error

    def _holds(self, samples: Samples, window: Window) -> Booleans:
        """Say which pixels of a window hold something."""
        if self.scene.alpha is not None:
            return np.asarray(self.dataset.read(self.scene.alpha, window=window) > 0, dtype=np.bool_)
        if self.scene.masked and not self.resampled:
            return np.asarray(self.dataset.read_masks(1, window=window) > 0, dtype=np.bool_)
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


@contextmanager
def on_grid(scene: Scene, grid: Grid) -> Iterator[Raster]:
    """Lay a scene on a grid. Raises InputError when it does not touch it."""
    place = offset(scene, grid)
    if place is not None:
        (top, left), data = place, scene.dataset
        down, across = _common(-top, data.height, grid.height), _common(-left, data.width, grid.width)
        yield _touching_or_not(Raster(scene, grid, data, left, top, down, across, resampled=False))
        return
    down, across = extent(scene, grid)
    with warped(scene, grid, tolerance=PRECISE) as resampled:
        yield _touching_or_not(Raster(scene, grid, resampled, 0, 0, down, across, resampled=True))


def warped(scene: Scene, grid: Grid, *, tolerance: float) -> WarpedVRT:
    """Return a scene resampled to a grid's pixels, for a with; tolerance: in pixels, of where they lie."""
    return WarpedVRT(
        scene.dataset,
        crs=grid.crs,
        transform=Affine(*grid.transform),
        width=grid.width,
        height=grid.height,
        resampling=Resampling.bilinear,
        tolerance=tolerance,
        **({"src_alpha": scene.alpha} if scene.alpha else {"src_nodata": scene.nodata, "nodata": scene.nodata}),
    )


def _touching_or_not(raster: Raster) -> Raster:
    """Refuse a scene that does not touch the grid."""
    if not all(raster.touched()):
        raise InputError(f"{raster.scene.path}: does not touch the grid: it is a scene of another place")
    return raster


def _common(start: int, length: int, side: int) -> tuple[int, int]:
    """Return the part of a side from start on that there is."""
    return max(start, 0), min(start + length, side)


def _touching(starts: tuple[int, ...], size: int, first: int, last: int) -> tuple[int, ...]:
    """Return the places of those tiles along a side that lie over some of first..last."""
    return tuple(place for place, start in enumerate(starts) if start < last and start + size > first)
