"""A map as a STAC item: where it lies, of which day it is, and its files."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import shapely
from pyproj import CRS
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from igarape.files import write_json
from igarape.sites.outlines import crosses, in_degrees
from igarape.sites.tiles import Grid

STAC = "1.0.0"
PROJECTION = "https://stac-extensions.github.io/projection/v1.1.0/schema.json"
# By their names in the folder: what each file is, as a media type and a role.
KINDS = {
    "map.tif": (
        "image/tiff; application=geotiff; profile=cloud-optimized",
        "data",
        "a band per label, 255: not looked at",
    ),
    "tiles.parquet": ("application/vnd.apache.parquet", "data", "what the model says of each tile"),
    "tags.geojson": ("application/geo+json", "data", "the tiles of each tag, joined"),
    "tags.gpkg": ("application/geopackage+sqlite3", "data", "the tiles of each tag, joined"),
    "map.json": ("application/json", "metadata", "what the map was made of, and with"),
}


def write_item(folder: Path, grid: Grid, *, name: str, day: date, properties: Mapping[str, Any]) -> None:
    """Write item.json beside the files of a map.

    Parameters
    ----------
    folder
        The map's.
    grid
        Where it lies.
    name
        The item's id.
    day
        When the scene was taken.
    properties
        What else is said of it.
    """
    footprint = in_degrees(shapely.segmentize(shapely.box(*grid.sides), grid.pixel * grid.size), grid.crs)
    assets = {
        file.replace(".", "_"): {"href": f"./{file}", "type": kind, "roles": [role], "title": title}
        for file, (kind, role, title) in KINDS.items()
        if file == "map.json" or (folder / file).exists()
    }
    code = CRS.from_user_input(grid.crs).to_epsg()
    item = {
        "type": "Feature",
        "stac_version": STAC,
        "stac_extensions": [PROJECTION],
        "id": name,
        "geometry": mapping(footprint),
        "bbox": _bounds(footprint),
        "properties": {"datetime": f"{day}T00:00:00Z", "proj:epsg": code, **properties},
        "links": [],
        "assets": assets,
    }
    write_json(item, folder / "item.json")


def _bounds(area: BaseGeometry) -> list[float]:
    """Return west, south, east, north of an area in degrees; over the antimeridian west is the larger (RFC 7946)."""
    left, bottom, right, top = area.bounds
    if crosses(area.bounds):
        sides = [part.bounds for part in shapely.get_parts(area)]
        left, right = min(side[0] for side in sides if side[0] > 0), max(side[2] for side in sides if side[2] < 0)
    return [left, bottom, right, top]
