"""Tiles of one tag are joined, in degrees as GeoJSON and in the map's own system as a GeoPackage."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Transformer
from rasterio.warp import transform_bounds
from scenes import CRS, LEFT, TOP

from igarape.labels import Vocabulary
from igarape.sites.outlines import Areas, joined, tag_features, write_geojson, write_geopackage
from igarape.sites.tiles import Grid

VOCABULARY = Vocabulary(exclusive=("sun",), alone=(), common=("inland water", "tree"), rare=())
GRID = Grid(CRS, LEFT, TOP, 3.0, 32, 32, 16, 8)


@pytest.fixture
def areas() -> Areas:
    """Give the areas of nine tiles: one was not looked at, two that overlap hold water, all others trees."""
    tags = ["sun,inland water", "sun,inland water", *["sun,tree"] * 6, None]
    return joined(pd.Series(tags), GRID, np.arange(9), VOCABULARY)


def test_what_overlaps_is_counted_once(areas: Areas) -> None:
    """Two tiles, 16 pixels wide, 8 apart, cover 24 x 16 pixels; labels with blanks are whole."""
    assert list(areas) == ["sun", "inland water", "tree"]
    water, count = areas["inland water"]
    assert count == 2 and water.area == 24 * 16 * 9
    assert areas["sun"][1] == 8 and areas["sun"][0].area == (32 * 32 - 8 * 8) * 9


def test_geojson_is_in_degrees_and_wound_to_the_right(areas: Areas, tmp_path: Path) -> None:
    """RFC 7946: longitude first, exteriors anticlockwise; where it lies is where the grid lies."""
    write_geojson(tag_features(areas), CRS, tmp_path / "tags.geojson", step=48.0)
    bounds = transform_bounds(CRS, "EPSG:4326", LEFT, TOP - 96, LEFT + 96, TOP)
    content = json.loads((tmp_path / "tags.geojson").read_text(encoding="utf-8"))
    assert [feature["properties"] for feature in content["features"]] == [
        {"tag": "sun", "tiles": 8},
        {"tag": "inland water", "tiles": 2},
        {"tag": "tree", "tiles": 6},
    ]
    for feature in content["features"]:
        shape = shapely.geometry.shape(feature["geometry"])
        assert shape.is_valid and shape.exterior.is_ccw
        assert shapely.box(*bounds).buffer(1e-6).contains(shape)


def test_an_area_is_cut_at_the_antimeridian(tmp_path: Path) -> None:
    """RFC 7946: no part crosses it, and together they are as large as the area."""
    area = shapely.box(165_900, 9_998_800, 166_140, 9_999_000)
    write_geojson([({"tag": "sun", "tiles": 3}, area)], "EPSG:32701", tmp_path / "tags.geojson", step=48.0)
    (feature,) = json.loads((tmp_path / "tags.geojson").read_text(encoding="utf-8"))["features"]
    parts = shapely.get_parts(shapely.geometry.shape(feature["geometry"]))
    assert len(parts) == 2 and all(part.is_valid and np.ptp(part.bounds[::2]) < 0.01 for part in parts)
    there = Transformer.from_crs(4326, "EPSG:32701", always_xy=True)
    back = shapely.transform(parts, lambda points: np.stack(there.transform(*points.T), axis=1))
    assert shapely.area(back).sum() == pytest.approx(area.area, rel=1e-4)


def test_a_geopackage_is_sqlite_with_what_the_standard_asks_for(areas: Areas, tmp_path: Path) -> None:
    """OGC 12-128r17: its application id, its tables, and each area after a header; the same input, the same bytes."""
    for name in ("a.gpkg", "b.gpkg"):
        write_geopackage(areas, CRS, tmp_path / name)
    assert (tmp_path / "a.gpkg").read_bytes() == (tmp_path / "b.gpkg").read_bytes()
    with closing(sqlite3.connect(tmp_path / "a.gpkg")) as database:
        ask = database.execute
        assert ask("PRAGMA application_id").fetchone()[0].to_bytes(4, "big") == b"GPKG"
        assert ask("PRAGMA foreign_key_check").fetchall() == [] and ask("PRAGMA integrity_check").fetchone() == ("ok",)
        assert ask("SELECT srs_id FROM gpkg_spatial_ref_sys ORDER BY srs_id").fetchall() == [
            (-1,),
            (0,),
            (4326,),
            (32718,),
        ]
        assert ask("SELECT table_name, min_x, max_y, srs_id FROM gpkg_contents").fetchone() == (
            "tags",
            LEFT,
            TOP,
            32718,
        )
        rows = ask("SELECT tag, tiles, geom FROM tags").fetchall()
    for tag, tiles, geom in rows:
        assert geom[:4] == b"GP\x00\x01" and int.from_bytes(geom[4:8], "little") == 32718
        assert shapely.from_wkb(geom[8:]).equals(areas[tag][0]) and tiles == areas[tag][1]


def test_a_map_without_tags_is_empty_and_whole(tmp_path: Path) -> None:
    """Nothing was said of any tile."""
    nothing = joined(pd.Series(["", None]), GRID, np.arange(2), VOCABULARY)
    write_geojson(tag_features(nothing), CRS, tmp_path / "tags.geojson", step=48.0)
    write_geopackage(nothing, CRS, tmp_path / "tags.gpkg")
    assert json.loads((tmp_path / "tags.geojson").read_text(encoding="utf-8"))["features"] == []
