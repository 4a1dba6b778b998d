"""The area of a site: its grid, and which tiles of it are watched."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError
from shapely.validation import explain_validity

from igarape.config.sites import Site
from igarape.errors import InputError
from igarape.sites.change import Integers
from igarape.sites.tiles import Floats, Grid

MOST = 10_000_000  # tiles; of 0.8 km each, half of South America
WHOLE = 1e-6  # of a pixel: what bounds may lie off a whole number of them


@dataclass(frozen=True)
class Area:
    """The tiles of a site. places: those of the grid that are watched, counted row by row, in order."""

    grid: Grid
    places: Integers

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return what the watched tiles are called: ROW_COL."""
        rows, columns = np.divmod(self.places, len(self.grid.columns))
        return tuple(f"{row}_{column}" for row, column in zip(rows.tolist(), columns.tolist(), strict=True))

    @cached_property
    def known(self) -> Mapping[str, int]:
        """Return the number of each watched tile by its name."""
        return {name: number for number, name in enumerate(self.names)}

    @cached_property
    def middles(self) -> Floats:
        """Return the latitude and the longitude of the middle of each watched tile, in degrees: (tiles, 2)."""
        bounds = self.grid.bounds(self.places)
        x, y = (bounds[:, :2] + bounds[:, 2:]).T / 2
        return np.stack(Transformer.from_crs(self.grid.crs, "EPSG:4326", always_xy=True).transform(x, y)[::-1], axis=1)


def site_area(site: Site, where: str) -> Area:
    """Return the area of a site; where: what an error begins with.

    Raises InputError for a coordinate reference system that is none, or not in metres, for bounds that hold no tile or
    a part of a pixel, and for a polygon that crosses itself or lies outside.
    """
    _check_crs(site.crs, where)
    left, bottom, right, top = site.bounds
    width, height = (right - left) / site.pixel, (top - bottom) / site.pixel
    if max(abs(width - round(width)), abs(height - round(height))) > WHOLE * max(width, height):
        raise InputError(
            f"{where}: bounds: expected a whole number of pixels of {site.pixel:g} m, found {width:.2f} x "
            f"{height:.2f}. Move the right and the lower side"
        )
    if (tiles := width * height / site.stride**2) > MOST:
        raise InputError(f"{where}: bounds: hold about {tiles:.3g} tiles, expected at most {MOST:,}. Mend them")
    grid = Grid(site.crs, left, top, site.pixel, round(width), round(height), site.size, site.stride)
    if not grid.rows or not grid.columns:
        raise InputError(
            f"{where}: bounds: expected room for a tile of {site.size} x {site.size} pixels, found {width:.0f} x "
            f"{height:.0f}"
        )
    places = np.arange(len(grid.rows) * len(grid.columns))
    boxes = grid.boxes(places)
    held = np.ones(len(boxes), dtype=np.bool_)
    if site.polygon is not None:
        polygon = shapely.Polygon(site.polygon)
        if not polygon.is_valid:
            raise InputError(f"{where}: polygon: crosses or touches itself: {explain_validity(polygon)}. Draw it anew")
        held = shapely.intersects(boxes, polygon) & ~shapely.touches(boxes, polygon)
    if not held.any():
        raise InputError(f"{where}: polygon: none of the grid's tiles lies in it. Both are in {site.crs}, in metres")
    return Area(grid, places[held])


def _check_crs(text: str, where: str) -> None:
    """Refuse a coordinate reference system that is none, or not one of metres."""
    try:
        crs = CRS.from_user_input(text)
    except CRSError as error:
        raise InputError(f"{where}: crs: {text!r} is none. Such as EPSG:32718, the UTM zone of the site") from error
    if not crs.is_projected or crs.axis_info[0].unit_conversion_factor != 1:
        raise InputError(
            f"{where}: crs: expected one in metres, found {crs.name} in {crs.axis_info[0].unit_name}s. Take the site's "
            "UTM zone, such as EPSG:32718"
        )
