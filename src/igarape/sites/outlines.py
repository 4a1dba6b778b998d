"""Tiles of one tag, joined: as GeoJSON, and as a GeoPackage."""

import sqlite3
import struct
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS, Transformer
from shapely.geometry.base import BaseGeometry

from igarape.files import atomic_path, write_json
from igarape.labels import Vocabulary
from igarape.sites.tiles import Grid, Integers

Areas = Mapping[str, tuple[BaseGeometry, int]]  # by tag: what its tiles cover, and how many they are
Feature = tuple[Mapping[str, object], BaseGeometry]  # what is said of an area, and the area

DIGITS = 7  # of degrees: a centimetre
# What GeoPackage 1.3 asks for.
APPLICATION, VERSION = 0x47504B47, 10300
LAYER = "tags"
LONG_AGO = "1970-01-01T00:00:00.000Z"  # the same input gives the same bytes
SCHEMA = """
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
    organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
    description TEXT DEFAULT '', last_change DATETIME NOT NULL, min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE,
    srs_id INTEGER REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL REFERENCES gpkg_contents(table_name),
    column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,
    srs_id INTEGER NOT NULL REFERENCES gpkg_spatial_ref_sys(srs_id), z TINYINT NOT NULL, m TINYINT NOT NULL,
    PRIMARY KEY (table_name, column_name));
CREATE TABLE tags (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, geom BLOB, tag TEXT NOT NULL,
    tiles INTEGER NOT NULL);
"""


def joined(tags: pd.Series, grid: Grid, places: Integers, vocabulary: Vocabulary) -> Areas:
    """Return what all tiles of a tag cover together, and how many they are, for each tag that some tile has.

    Parameters
    ----------
    tags
        Of each tile, as the vocabulary writes them; missing where it was not looked at.
    grid, places
        Where each one lies, counted row by row.
    vocabulary
        That of the tags.
    """
    numbers, texts = pd.factorize(tags)
    sets = [set(text.split(vocabulary.separator)) for text in texts]
    found = {}
    for tag in vocabulary.labels:
        rows = np.flatnonzero(np.isin(numbers, [number for number, each in enumerate(sets) if tag in each]))
        if len(rows):
            found[tag] = (_union(places[rows], grid), len(rows))
    return found


def _union(places: Integers, grid: Grid) -> BaseGeometry:
    """Return what tiles cover together, whose places rise: those of a row that meet are one box from the start."""
    rows, columns = np.divmod(places, len(grid.columns))
    apart = (np.diff(rows) > 0) | (np.diff(np.asarray(grid.columns)[columns]) > grid.size)
    first, last = (grid.bounds(places[ends]) for ends in (np.append(True, apart), np.append(apart, True)))
    return shapely.normalize(shapely.union_all(shapely.box(*first[:, :2].T, *last[:, 2:].T)))


def tag_features(areas: Areas) -> list[Feature]:
    """Return areas, as joined gives them, each with its tag, and how many tiles it has."""
    return [({"tag": tag, "tiles": count}, area) for tag, (area, count) in areas.items()]


def write_geojson(features: Iterable[Feature], crs: str, path: Path, *, step: float) -> None:
    """Write features as GeoJSON (RFC 7946), in degrees.

    Parameters
    ----------
    features
        Each is what is said of an area, and the area.
    crs
        In which they are.
    path
        The file.
    step
        The longest edge, in the unit of crs, that stays one straight line between two points.
    """
    content = [
        {
            "type": "Feature",
            "properties": dict(properties),
            "geometry": shapely.geometry.mapping(in_degrees(shapely.segmentize(area, step), crs)),
        }
        for properties, area in features
    ]
    write_json({"type": "FeatureCollection", "features": content}, path)


def in_degrees(area: BaseGeometry, crs: str) -> BaseGeometry:
    """Return an area in longitude and latitude, rings wound, and cut at the antimeridian, as RFC 7946 asks."""
    there = Transformer.from_crs(CRS.from_user_input(crs), 4326, always_xy=True)

    def moved(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.stack(there.transform(points[:, 0], points[:, 1]), axis=1).round(DIGITS)

    found = shapely.transform(area, moved)
    return shapely.orient_polygons(_cut(found) if crosses(found.bounds) else found, exterior_cw=False)


def crosses(bounds: Sequence[float]) -> bool:
    """Say whether an area, by its left, bottom, right, top in degrees, lies on both sides of the antimeridian."""
    return bounds[2] - bounds[0] > 180  # nothing that a scene shows is so wide


def _cut(area: BaseGeometry) -> BaseGeometry:
    """Return an area that crosses the antimeridian in parts that do not."""
    onward = shapely.transform(area, lambda points: np.stack([points[:, 0] % 360, points[:, 1]], axis=1))
    west, east = (shapely.intersection(onward, shapely.box(left, -90, left + 180, 90)) for left in (0, 180))
    parts = shapely.get_parts([west, shapely.transform(east, lambda points: points - np.array([360, 0]))])
    return shapely.union_all(parts[shapely.area(parts) > 0])


def write_geopackage(areas: Areas, crs: str, path: Path) -> None:
    """Write areas as a GeoPackage 1.3 of one layer, in crs: tables of SQLite's, and WKB after a header."""
    system = CRS.from_user_input(crs)
    authority, number = system.to_authority() or ("NONE", "100000")
    bounds = shapely.total_bounds([area for area, _ in areas.values()]) if areas else [None] * 4
    with closing(sqlite3.connect(":memory:")) as database:  # of a full disk SQLite tells in an error of its own
        database.execute(f"PRAGMA application_id = {APPLICATION}")
        database.execute(f"PRAGMA user_version = {VERSION}")
        database.executescript(SCHEMA)
        systems = _systems(system, authority, number)
        database.executemany("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", systems)
        content = (LAYER, LAYER, LONG_AGO, *bounds, int(number))
        database.execute("INSERT INTO gpkg_contents VALUES (?, 'features', ?, '', ?, ?, ?, ?, ?, ?)", content)
        column = (LAYER, int(number))
        database.execute("INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', 'GEOMETRY', ?, 0, 0)", column)
        header = _header(int(number))
        rows = [(header + shapely.to_wkb(area, byte_order=1), tag, count) for tag, (area, count) in areas.items()]
        database.executemany("INSERT INTO tags (geom, tag, tiles) VALUES (?, ?, ?)", rows)
        database.commit()
        with atomic_path(path) as unfinished:
            unfinished.write_bytes(database.serialize())


def _systems(system: CRS, authority: str, number: str) -> list[tuple[Any, ...]]:
    """Return the reference systems that a GeoPackage lists: three that it has to, and that of its layer."""
    degrees = CRS.from_epsg(4326).to_wkt("WKT1_GDAL")
    usual = [
        ("Undefined Cartesian SRS", -1, "NONE", -1, "undefined", None),
        ("Undefined geographic SRS", 0, "NONE", 0, "undefined", None),
        ("WGS 84 geodetic", 4326, "EPSG", 4326, degrees, None),
    ]
    own = (system.name, int(number), authority, int(number), system.to_wkt("WKT1_GDAL"), None)
    return usual if int(number) == 4326 else [*usual, own]


def _header(number: int) -> bytes:
    """Return what stands before each WKB: GP, version 0, little-endian without an envelope, the reference system."""
    return b"GP" + struct.pack("<BBi", 0, 1, number)
