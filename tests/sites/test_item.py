"""A map is a STAC item: its footprint, its day, its files."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import shapely
from rasterio.warp import transform_bounds
from scenes import CRS, LEFT, TOP

from igarape.sites.item import write_item
from igarape.sites.tiles import Grid

GRID = Grid(CRS, LEFT, TOP, 3.0, 320, 160, 16, 8)


def test_over_the_antimeridian_the_west_is_the_larger(tmp_path: Path) -> None:
    """And the footprint is one on either side: RFC 7946."""
    write_item(
        tmp_path,
        Grid("EPSG:32701", 165_900.0, 9_999_000.0, 3.0, 80, 64, 16, 8),
        name="a",
        day=date(2024, 5, 31),
        properties={},
    )
    item = json.loads((tmp_path / "item.json").read_text(encoding="utf-8"))
    west, south, east, north = item["bbox"]
    assert 179.998 < west < 180 and -180 < east < -179.998 and south < north < 0
    parts = shapely.get_parts(shapely.geometry.shape(item["geometry"]))
    assert sorted(part.bounds[0] for part in parts) == [-180, west] and all(part.is_valid for part in parts)


def test_an_item_says_where_when_and_what(tmp_path: Path) -> None:
    """STAC 1.0.0: footprint and box in degrees, the day, and each file that is there, beside it."""
    (tmp_path / "tiles.parquet").touch()
    write_item(tmp_path, GRID, name="scene", day=date(2024, 5, 31), properties={"igarape:valid": 0.5})
    item = json.loads((tmp_path / "item.json").read_text(encoding="utf-8"))
    assert (item["type"], item["stac_version"], item["id"], item["links"]) == ("Feature", "1.0.0", "scene", [])
    assert item["properties"] == {"datetime": "2024-05-31T00:00:00Z", "proj:epsg": 32718, "igarape:valid": 0.5}
    footprint = shapely.geometry.shape(item["geometry"])
    np.testing.assert_allclose(item["bbox"], footprint.bounds)
    bounds = transform_bounds(CRS, "EPSG:4326", LEFT, TOP - 480, LEFT + 960, TOP)
    np.testing.assert_allclose(item["bbox"], bounds, atol=1e-6)
    assert {name: asset["href"] for name, asset in item["assets"].items()} == {
        "tiles_parquet": "./tiles.parquet",
        "map_json": "./map.json",
    }
