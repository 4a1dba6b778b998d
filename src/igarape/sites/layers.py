"""The files of a map: tiles as GeoParquet, probabilities as a cloud-optimised GeoTIFF."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from pyproj import CRS
from rasterio import Affine
from rasterio.io import MemoryFile

from igarape.files import atomic_path
from igarape.sites.tiles import Floats, Grid, Integers

UNSEEN = 255  # of map.tif: not looked at
STEPS = 250  # a probability of 1; a step is 0.004
GEOPARQUET = "1.1.0"
GROUP = 1024  # tiles that are written at a time
UNIQUE = {"id", "tile"}


def write_tiles(
    tiles: pd.DataFrame, grid: Grid, places: Integers, path: Path, *, schema: pa.Schema | None = None
) -> None:
    """Write tiles as GeoParquet 1.1: their columns, and their outlines as WKB in the column geometry.

    Parameters
    ----------
    tiles
        A row for each.
    grid, places
        Where each one lies: counted row by row.
    path
        Of the file, which takes its name when it is whole.
    schema
        The types of the columns; None: those of a map's tiles.
    """
    schema = schema or _schema(tiles.columns)
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": ["Polygon"],
        "crs": CRS.from_user_input(grid.crs).to_json_dict(),
    }
    parts = [slice(start, start + GROUP) for start in range(0, len(tiles), GROUP)]
    if parts:
        around = [shapely.total_bounds(grid.boxes(places[part])) for part in parts]
        column["bbox"] = shapely.total_bounds(shapely.box(*np.transpose(around))).tolist()
    geo = {"version": GEOPARQUET, "primary_column": "geometry", "columns": {"geometry": column}}
    geometry = pa.field("geometry", pa.binary())
    whole_schema = schema.insert(1, geometry).with_metadata({"geo": json.dumps(geo)})
    # A dictionary of values that are hardly ever twice the same takes memory and saves none.
    repeated = [name for name in schema.names if name not in UNIQUE and schema.field(name).type == pa.string()]
    with atomic_path(path) as unfinished, pq.ParquetWriter(unfinished, whole_schema, use_dictionary=repeated) as file:
        for part in parts:
            outlines = pa.array(shapely.to_wkb(grid.boxes(places[part])), pa.binary())
            table = pa.Table.from_pandas(tiles[part], schema=schema, preserve_index=False)
            file.write_table(table.add_column(1, geometry, outlines).replace_schema_metadata(whole_schema.metadata))


def _schema(columns: Iterable[str]) -> pa.Schema:
    """Return the types of the columns: where no tile was looked at, no value tells them."""
    texts = ("tile", "tags", "alerts")
    return pa.schema([(name, pa.string() if name in texts else pa.float32()) for name in columns])


def write_layers(values: Floats, labels: Sequence[str], grid: Grid, path: Path) -> None:
    """Write a band for each label as a cloud-optimised GeoTIFF, a pixel for each cell.

    Parameters
    ----------
    values
        Probabilities, of shape (cell rows, cell columns, labels), NaN where nothing was looked at.
    labels
        What the bands are called.
    grid
        Whose cells they are.
    path
        The file.
    """
    seen = ~np.isnan(values)
    bands = np.where(seen, np.rint(np.where(seen, values, 0) * STEPS), UNSEEN).astype(np.uint8)
    left, top, side = grid.left, grid.top, grid.pixel * grid.stride
    with MemoryFile() as memory:  # of a full disk GDAL tells in many lines, and in errors of its own
        with memory.open(
            driver="COG",
            width=bands.shape[1],
            height=bands.shape[0],
            count=len(labels),
            dtype="uint8",
            nodata=UNSEEN,
            crs=grid.crs,
            transform=Affine(side, 0, left, 0, -side, top),
            compress="DEFLATE",
            overview_resampling="AVERAGE",  # by itself GDAL takes a cubic, which swings beyond 0 and 1
        ) as file:
            file.write(np.moveaxis(bands, -1, 0))
            file.descriptions = tuple(labels)
            file.scales = (1 / STEPS,) * len(labels)
        with atomic_path(path) as unfinished:
            unfinished.write_bytes(memory.getbuffer())
