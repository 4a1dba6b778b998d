"""Tiles are GeoParquet, probabilities a cloud-optimised GeoTIFF: each as its standard has it."""

import json
import resource
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import rasterio
import shapely
from scenes import CRS, LEFT, TOP

from igarape.errors import InputError
from igarape.sites import layers
from igarape.sites.layers import write_layers, write_tiles
from igarape.sites.outlines import write_geopackage
from igarape.sites.tiles import Grid

GRID = Grid(CRS, LEFT, TOP, 3.0, 40, 20, 16, 16)


def test_tiles_are_geoparquet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Version 1.1: the column, its kind, its system as PROJJSON and its box; missing values keep their types.

    Tiles are written some at a time, here one by one.
    """
    monkeypatch.setattr(layers, "GROUP", 1)
    tiles = pd.DataFrame(
        {"tile": ["0_0", "0_1"], "valid": np.array([1, 0], dtype=np.float32), "tags": [None, None], "ood": np.nan}
    )
    write_tiles(tiles, GRID, np.arange(2), tmp_path / "tiles.parquet")
    table = pq.read_table(tmp_path / "tiles.parquet")
    geo = json.loads(table.schema.metadata[b"geo"])
    column = geo["columns"]["geometry"]
    assert (geo["version"], geo["primary_column"], column["encoding"]) == ("1.1.0", "geometry", "WKB")
    assert column["crs"]["id"] == {"authority": "EPSG", "code": 32718} and column["geometry_types"] == ["Polygon"]
    assert column["bbox"] == [LEFT, TOP - 48, LEFT + 96, TOP]
    assert [str(kind) for kind in table.schema.types] == ["string", "binary", "float", "string", "float"]
    assert shapely.from_wkb(table["geometry"][1].as_py()).bounds == (LEFT + 48, TOP - 48, LEFT + 96, TOP)


def test_layers_hold_probabilities_in_steps(tmp_path: Path) -> None:
    """0 to 250, 255 where nothing was looked at; a pixel is a cell, and lies where the cell lies."""
    values = np.array([[[0.0], [0.5], [1.0]], [[0.1], [np.nan], [0.004]]])
    write_layers(values, ["road"], GRID, tmp_path / "map.tif")
    with rasterio.open(tmp_path / "map.tif") as file:
        np.testing.assert_array_equal(file.read(1), [[0, 125, 250], [25, 255, 1]])
        assert file.descriptions == ("road",) and file.nodata == 255 and file.scales == (0.004,)
        assert file.transform[:6] == (48, 0, LEFT, 0, -48, TOP)
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"


def test_what_is_seen_from_afar_are_means(tmp_path: Path) -> None:
    """Of a large map GIS programs show smaller layers that lie in the file: no probability in them is above 1."""
    values = np.zeros((600, 600, 1))
    values[1::4, ::3] = values[:, 200:300] = 1.0
    values[:50] = np.nan
    write_layers(values, ["road"], GRID, tmp_path / "map.tif")
    with rasterio.open(tmp_path / "map.tif", overview_level=0) as file:
        found = file.read(1)
    means = np.nanmean(values[50:, :, 0].reshape(275, 2, 300, 2), axis=(1, 3)) * 250
    assert (found[:25] == 255).all()
    np.testing.assert_allclose(found[25:], means, atol=1)


def test_a_full_disk_is_told_in_a_line_and_leaves_nothing(tmp_path: Path) -> None:
    """Here a bound on the size of files stands for the disk; GDAL and SQLite would tell it as each has it."""
    values = np.random.default_rng(0).random((100, 100, 3))
    area = shapely.segmentize(shapely.box(LEFT, TOP - 999, LEFT + 999, TOP), 1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))
    try:
        with pytest.raises(InputError, match=r"map\.tif: no room to write it"):
            write_layers(values, ["a", "b", "c"], GRID, tmp_path / "map.tif")
        with pytest.raises(InputError, match=r"tags\.gpkg: no room to write it"):
            write_geopackage({"a": (area, 1)}, CRS, tmp_path / "tags.gpkg")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert not list(tmp_path.iterdir())
