"""Tiles are GeoParquet, probabilities a cloud-optimised GeoTIFF: each as its standard has it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import rasterio
import shapely
from scenes import CRS, LEFT, TOP

from igarape.sites import layers
from igarape.sites.layers import write_layers, write_tiles
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
