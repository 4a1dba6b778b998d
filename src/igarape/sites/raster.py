"""A scene as it lies on a grid, read in bands of rows: as it is where it lies on the grid, else resampled."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pyproj import CRS
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_utm_crs_info
from rasterio import Affine
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from igarape.errors import InputError, reason
from igarape.labels import Booleans
from igarape.sites.scene import Scene
from igarape.sites.tiles import Grid

Samples = npt.NDArray[np.unsignedinteger[Any]]  # (bands, height, width)

ALIKE = 0.05  # pixels that differ by less from the training's are taken as they are
FACTOR = 2.0  # and by more than this factor not at all
SLACK = 0.01  # for what a map stretches
EXACT = 1e-3  # of a pixel: what a grid may lie off, for all that rounding does
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


def _common(start: int, length: int, side: int) -> tuple[int, int]:
    """Return the part of a side from start on that there is."""
    return max(start, 0), min(start + length, side)


def _touching(starts: tuple[int, ...], size: int, first: int, last: int) -> tuple[int, ...]:
    """Return the places of those tiles along a side that lie over some of first..last."""
    return tuple(place for place, start in enumerate(starts) if start < last and start + size > first)


def own_grid(scene: Scene, *, metres: float, size: int, stride: int) -> Grid:
    """Return a scene's own grid: its pixels where they are the training's, else those, north up, in its UTM zone.

    Parameters
    ----------
    scene
        The scene.
    metres
        The side of a pixel of the training chips.
    size, stride
        Of tiles, in pixels.

    Raises
    ------
    InputError
        When its pixels are more than twice as large as the training's, or as small as half of them; when it is smaller
        than a tile; and for a stride that leaves ground between tiles.
    """
    if stride > size:
        raise InputError(f"--stride {stride}: leaves ground between tiles of {size} pixels; expected at most {size}")
    check_resolution(scene, metres)
    data = scene.dataset
    if _plain(scene) and abs(scene.metres / metres - 1) <= ALIKE:
        grid = Grid(
            scene.crs, data.transform.c, data.transform.f, data.transform.a, data.width, data.height, size, stride
        )
    else:
        grid = _anew(scene, metres, size, stride)
    if not grid.rows or not grid.columns:
        raise InputError(
            f"{scene.path}: is smaller than a tile: expected at least {size} x {size} pixels of {grid.pixel:g} m, "
            f"found {grid.width} x {grid.height}"
        )
    return grid


def check_resolution(scene: Scene, metres: float) -> None:
    """Refuse a scene whose pixels show too much or too little for what was learned."""
    low, high = metres / FACTOR, metres * FACTOR
    if not low * (1 - SLACK) <= scene.metres <= high * (1 + SLACK):
        raise InputError(
            f"{scene.path}: its pixels are {scene.metres:.3g} m wide; the model was trained on pixels of {metres:g} m, "
            f"and takes {low:g} to {high:g} m. Give it a scene of such a sensor"
        )


def _plain(scene: Scene) -> bool:
    """Say whether a scene lies north up on square pixels that are as large on the ground as on its map."""
    a, b, _, d, e, _ = scene.dataset.transform[:6]
    square = b == d == 0 and a > 0 and abs(a + e) <= EXACT * a / max(scene.dataset.width, scene.dataset.height)
    return bool(square and scene.dataset.crs.is_projected and abs(scene.metres / a - 1) <= ALIKE)


def _anew(scene: Scene, metres: float, size: int, stride: int) -> Grid:
    """Return a grid of the training's pixels over a scene; its corner is a whole number of them from the zone's."""
    data = scene.dataset
    target = scene.crs if _plain(scene) else _zone(scene)
    left, bottom, right, top = transform_bounds(data.crs, target, *data.bounds, densify_pts=21)
    first, last = np.floor(left / metres), np.ceil(right / metres)
    upper, lower = np.ceil(top / metres), np.floor(bottom / metres)
    return Grid(
        target,
        float(first * metres),
        float(upper * metres),
        metres,
        int(last - first),
        int(upper - lower),
        size,
        stride,
    )


def _zone(scene: Scene) -> str:
    """Return the UTM zone that a scene's middle lies in."""
    west, south, east, north = transform_bounds(scene.dataset.crs, "EPSG:4326", *scene.dataset.bounds)
    x, y = (west + east) / 2, (south + north) / 2
    zones = query_utm_crs_info("WGS 84", AreaOfInterest(x, y, x, y))
    if not zones:
        raise InputError(
            f"{scene.path}: lies at {x:.1f}, {y:.1f} degrees, where no UTM zone is. Check where it says it lies"
        )
    return f"{zones[0].auth_name}:{zones[0].code}"


@contextmanager
def on_grid(scene: Scene, grid: Grid) -> Iterator[Raster]:
    """Lay a scene on a grid. Raises InputError when it does not touch it."""
    data = scene.dataset
    columns, rows = (grid.left - data.transform.c) / grid.pixel, (data.transform.f - grid.top) / grid.pixel
    if _aligned(scene, grid) and all(abs(place - round(place)) <= EXACT for place in (rows, columns)):
        left, top = round(columns), round(rows)
        down, across = _common(-top, data.height, grid.height), _common(-left, data.width, grid.width)
        yield _touching_or_not(Raster(scene, grid, data, left, top, down, across, resampled=False))
        return
    down, across = _lies(scene, grid)
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


def _aligned(scene: Scene, grid: Grid) -> bool:
    """Say whether a scene has a grid's pixels, wherever they begin."""
    if not _plain(scene) or CRS.from_wkt(scene.dataset.crs.to_wkt()) != CRS.from_user_input(grid.crs):
        return False
    side = max(scene.dataset.width, scene.dataset.height)
    return bool(abs(scene.dataset.transform.a - grid.pixel) * side <= EXACT * grid.pixel)


def _lies(scene: Scene, grid: Grid) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return from which row to which, and from which column to which, a scene lies on a grid."""
    left, bottom, right, top = transform_bounds(scene.dataset.crs, grid.crs, *scene.dataset.bounds, densify_pts=21)
    across, down = np.array([left, right]) - grid.left, grid.top - np.array([top, bottom])
    first, last = np.floor(across[0] / grid.pixel), np.ceil(across[1] / grid.pixel)
    upper, lower = np.floor(down[0] / grid.pixel), np.ceil(down[1] / grid.pixel)
    return (max(int(upper), 0), min(int(lower), grid.height)), (max(int(first), 0), min(int(last), grid.width))


def _touching_or_not(raster: Raster) -> Raster:
    """Refuse a scene that does not touch the grid."""
    if not all(raster.touched()):
        raise InputError(f"{raster.scene.path}: does not touch the grid: it is a scene of another place")
    return raster
