"""Where a scene lies: its own grid, in the training's pixels, and how it lies on another one."""

import numpy as np
from pyproj import CRS
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_utm_crs_info
from rasterio.warp import transform_bounds

from igarape.errors import InputError
from igarape.sites.scene import Scene
from igarape.sites.tiles import Grid

Sides = tuple[tuple[int, int], tuple[int, int]]  # from which row to which, and from which column to which

ALIKE = 0.05  # pixels that differ by less from the training's are taken as they are
FACTOR = 2.0  # and by more than this factor not at all
SLACK = 0.01  # for what a map stretches
ROUNDING = 1e-6  # of a pixel
EXACT = 1e-3  # of a pixel: what a grid may lie off, for all that rounding does


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
        As of check_resolution; when it is smaller than a tile; and for a stride that leaves ground between tiles.
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
    """Refuse a scene whose pixels show too much or too little for what was learned.

    Those are more than twice as large as the training's, or less than half as large.
    """
    low, high = metres / FACTOR, metres * FACTOR
    if not low * (1 - SLACK) <= scene.metres <= high * (1 + SLACK):
        raise InputError(
            f"{scene.path}: its pixels are {scene.metres:.3g} m wide; the model was trained on pixels of {metres:g} m, "
            f"and takes {low:g} to {high:g} m. Give it a scene of such a sensor"
        )


def offset(scene: Scene, grid: Grid) -> tuple[int, int] | None:
    """Return in which row and column of a scene a grid's first pixel lies; None: the scene has other pixels."""
    data = scene.dataset
    if not _plain(scene) or CRS.from_wkt(data.crs.to_wkt()) != CRS.from_user_input(grid.crs):
        return None
    if abs(data.transform.a - grid.pixel) * max(data.width, data.height) > EXACT * grid.pixel:
        return None
    row, column = (data.transform.f - grid.top) / grid.pixel, (grid.left - data.transform.c) / grid.pixel
    near = all(abs(place - round(place)) <= EXACT for place in (row, column))
    return (round(row), round(column)) if near else None


def extent(scene: Scene, grid: Grid) -> Sides:
    """Return from which row to which, and from which column to which, a scene lies on a grid."""
    left, bottom, right, top = transform_bounds(scene.dataset.crs, grid.crs, *scene.sides, densify_pts=21)
    across, down = np.array([left, right]) - grid.left, grid.top - np.array([top, bottom])
    first, last = np.floor(across[0] / grid.pixel), np.ceil(across[1] / grid.pixel)
    upper, lower = np.floor(down[0] / grid.pixel), np.ceil(down[1] / grid.pixel)
    return (max(int(upper), 0), min(int(lower), grid.height)), (max(int(first), 0), min(int(last), grid.width))


def _plain(scene: Scene) -> bool:
    """Say whether a scene lies north up on square pixels that are as large on the ground as on its map."""
    a, b, _, d, e, _ = scene.dataset.transform[:6]  # some writers leave 1e-13 where a grid is not turned
    off = max(abs(b), abs(d), abs(a + e)) * max(scene.dataset.width, scene.dataset.height)
    square = a > 0 and off <= EXACT * a
    return bool(square and scene.dataset.crs.is_projected and abs(scene.metres / a - 1) <= ALIKE)


def _anew(scene: Scene, metres: float, size: int, stride: int) -> Grid:
    """Return a grid of the training's pixels over a scene; its corner is a whole number of them from the zone's."""
    target = scene.crs if _plain(scene) else _zone(scene)
    left, bottom, right, top = transform_bounds(scene.dataset.crs, target, *scene.sides, densify_pts=21)
    # What pixels at the border of a plain scene are made of lies within it: then all tiles there are whole.
    margin = abs(scene.dataset.transform.a - metres) / 2 if _plain(scene) else 0.0
    first, last = _along(left, right, margin, metres, size)
    upper, lower = (-each for each in _along(-top, -bottom, margin, metres, size))
    return Grid(target, float(first * metres), float(upper * metres), metres, last - first, upper - lower, size, stride)


def _along(first: float, last: float, margin: float, metres: float, size: int) -> tuple[int, int]:
    """Return from which pixel to which a grid covers a side: without its margins, but for where no tile would fit."""
    if margin:
        start, end = np.ceil((first + margin) / metres - ROUNDING), np.floor((last - margin) / metres + ROUNDING)
        if end - start >= size:
            return int(start), int(end)
    return int(np.floor(first / metres)), int(np.ceil(last / metres))


def _zone(scene: Scene) -> str:
    """Return the UTM zone that a scene's middle lies in."""
    west, south, east, north = transform_bounds(scene.dataset.crs, "EPSG:4326", *scene.sides)
    east += 360 * (east < west)  # over the antimeridian
    x, y = ((west + east) / 2 + 180) % 360 - 180, (south + north) / 2
    zones = query_utm_crs_info("WGS 84", AreaOfInterest(x, y, x, y))
    if not zones:
        raise InputError(
            f"{scene.path}: lies at {x:.1f}, {y:.1f} degrees, where no UTM zone is. Check where it says it lies"
        )
    return f"{zones[0].auth_name}:{zones[0].code}"
