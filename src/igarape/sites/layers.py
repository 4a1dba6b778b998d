"""The files of a map: tiles as GeoParquet, probabilities as a cloud-optimised GeoTIFF."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import rasterio
import shapely
from pyproj import CRS
from rasterio import Affine

from igarape.files import whole
from igarape.sites.tiles import Floats, Grid

UNSEEN = 255  # of map.tif: not looked at
STEPS = 250  # a probability of 1; a step is 0.004
GEOPARQUET = "1.1.0"


def write_tiles(
    tiles: pd.DataFrame, geometry: Sequence[bytes], crs: str, path: Path, *, schema: pa.Schema | None = None
) -> None:
    """Write tiles as GeoParquet 1.1: their columns, and their outlines as WKB in the column geometry.

    Parameters
    ----------
    tiles
        A row for each.
    geometry
        Their outlines.
    crs
        That of the outlines.
    path
        Of the file, which takes its name when it is whole.
    schema
        The types of the columns; None: those of a map's tiles.
    """
    table = pa.Table.from_pandas(tiles, schema=schema or _schema(tiles.columns), preserve_index=False)
    table = table.add_column(1, pa.field("geometry", pa.binary()), pa.array(geometry, pa.binary()))
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": ["Polygon"],
        "crs": CRS.from_user_input(crs).to_json_dict(),
    }
    if geometry:
        column["bbox"] = shapely.total_bounds(shapely.from_wkb(list(geometry))).tolist()
    geo = {"version": GEOPARQUET, "primary_column": "geometry", "columns": {"geometry": column}}
    with whole(path) as unfinished:
        pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), unfinished)


def _schema(columns: Iterable[str]) -> pa.Schema:
    """Return the types of the columns: where no tile was looked at, no value tells them."""
    texts = ("tile", "tags", "alerts")
    return pa.schema([(name, pa.string() if name in texts else pa.float32()) for name in columns])


def outlines(grid: Grid, places: Sequence[int]) -> list[bytes]:
    """Return the outlines of some tiles of a grid, counted row by row, as WKB."""
    return [bytes(one) for one in shapely.to_wkb(shapely.box(*grid.bounds()[list(places)].T))]


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
    with (
        whole(path) as unfinished,
        rasterio.open(
            unfinished,
            "w",
            driver="COG",
            width=bands.shape[1],
            height=bands.shape[0],
            count=len(labels),
            dtype="uint8",
            nodata=UNSEEN,
            crs=grid.crs,
            transform=Affine(side, 0, left, 0, -side, top),
            compress="DEFLATE",
        ) as file,
    ):
        file.write(np.moveaxis(bands, -1, 0))
        file.descriptions = tuple(labels)
        file.scales = (1 / STEPS,) * len(labels)
