"""From a scene to a map: what the model answers to each tile of it."""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from igarape.code import code_hash
from igarape.errors import InputError
from igarape.files import digest, resumable, sha256, write_json
from igarape.learners.memory import one_heap
from igarape.progress import Report
from igarape.serving.input_drift import input_drift
from igarape.sites.answers import Answers, answer_tiles
from igarape.sites.bands import Bands
from igarape.sites.item import write_item
from igarape.sites.layers import write_layers, write_tiles
from igarape.sites.model import Model, check_scene
from igarape.sites.outlines import joined, tag_features, write_geojson, write_geopackage
from igarape.sites.placement import own_grid
from igarape.sites.raster import Raster, on_grid
from igarape.sites.scene import Scene, hashes, known_by, open_scene
from igarape.sites.stretch import Stretch, fit
from igarape.sites.tiles import Floats, Grid, Integers
from igarape.sites.windows import sample

SAID = {"path", "sha256", "stretch"}  # of a map.json, that others read
MAP, TILES, LAYERS, AREAS = "map.json", "tiles.parquet", "map.tif", "tags.geojson"
SCHEMA = 1
TEXTS = ("tags", "alerts")
CLOUDY = 0.5  # above it nothing but the weather was seen
HALF = 0.5  # of a cell has to hold something, or it is not looked at


@dataclass(frozen=True)
class MapOptions:
    """How a scene is to be mapped.

    bands: None: the file says them. day: None: the file says it, or its name. stride: None: half a tile. stretch: None:
    it is fitted. grid: None: the scene's own. geopackage: whether tags are written as one too.
    """

    bands: Bands | None = None
    day: str | None = None
    stride: int | None = None
    stretch: Stretch | None = None
    grid: Grid | None = None
    geopackage: bool = False


def map_scene(
    scene: Path,
    out: Path,
    *,
    model: Model,
    asked: MapOptions = MapOptions(),
    hashed: Callable[[Path], str] = sha256,
    commit: str = "",
    report: Report,
) -> Mapping[str, Any]:
    """Map a scene, and return what map.json says. A map that is there and would be the same is left as it is.

    Parameters
    ----------
    scene
        Whatever GDAL reads.
    out
        The map's folder; it appears whole or not at all, and what a killed run has finished is used again.
    model
        What answers.
    asked
        How.
    hashed, commit
        Returns the SHA-256 of a file; the project's, which is recorded.
    report
        Called with the tiles that are done, and all.

    Raises
    ------
    InputError
        For a scene that cannot be mapped, and a folder that is no map.
    """
    started = time.monotonic()
    check_out(out)
    with one_heap(), open_scene(scene, bands=asked.bands, day=asked.day) as opened:
        check_scene(opened, model)
        grid = asked.grid or _own(opened, model, asked)
        files = hashes(opened, hashed)
        key = _key(opened, model, asked, files)
        if (out / MAP).exists() and (found := read_map(out)).get("key") == key:
            return found
        raster = on_grid(opened, grid)
        with resumable(out, key) as (result, notes):
            stretch = _stretch(raster, model, asked)
            answers = answer_tiles(raster, model.bundle, notes, tables=stretch.tables(opened.units), report=report)
            content = {
                "schema_version": SCHEMA,
                "key": key,
                **_about(opened, files),
                "grid": asdict(grid),
                "resampled": raster.warp is not None,
                "stretch": stretch.to_json(),
                "model": model.address,
                "bundle": model.digest,
                "commit": commit,
                **_write(result, answers, raster, model, geopackage=asked.geopackage),
            }
            content["seconds"] = round(time.monotonic() - started, 1)
            write_json(content, result / MAP)
    return content


def read_map(folder: Path) -> Mapping[str, Any]:
    """Read what map.json says of a map; raise InputError where it is none."""
    try:
        told = json.loads((folder / MAP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        told = None
    if not isinstance(told, dict) or not told.keys() >= SAID:
        raise InputError(
            f"{folder / MAP}: is none of igarape's, or cut short. Remove {folder}, then map its scene anew; that of a "
            "site by igarape watch with --replay"
        )
    return told


def check_out(out: Path) -> None:
    """Refuse a folder that something else lies in than a map: it would be lost."""
    if out.exists() and not (out / MAP).is_file():
        raise InputError(f"{out}: is there, and is no map of igarape's: no {MAP} in it. Name another --out")


def _key(scene: Scene, model: Model, asked: MapOptions, files: Mapping[str, str]) -> str:
    """Return what a map is known by: all that its result depends on. files: hashes, as of scene.hashes."""
    how = [repr(part) for part in (asked, scene.date, scene.bands)]
    return digest([model.digest, code_hash(__name__), *how, *files.values()])


def _own(scene: Scene, model: Model, asked: MapOptions) -> Grid:
    """Return the scene's own grid."""
    size = model.bundle.manifest.size
    return own_grid(scene, metres=model.metres, size=size, stride=asked.stride or size // 2)


def _stretch(raster: Raster, model: Model, asked: MapOptions) -> Stretch:
    """Return the stretch of a scene: of 8 bits none, as they are pictures already."""
    if not raster.scene.deep:
        return Stretch()
    if asked.stretch is not None:
        if asked.stretch.gain is None:
            raise InputError(
                f"{raster.scene.path}: has 16 bits, but the stretch of {asked.stretch.of} is one of 8 bits, which are "
                "left as they are. Name the map.json of a scene of 16 bits, or leave out --stretch"
            )
        return asked.stretch
    found = sample(raster)
    if not found.size:
        raise InputError(f"{raster.scene.path}: holds nothing: nodata wherever one looks")
    return fit(raster.scene.units.meant(found), model.levels, str(raster.scene.path))


def _about(scene: Scene, files: Mapping[str, str]) -> Mapping[str, Any]:
    """Return what map.json says of the scene."""
    return {
        "scene": scene.path.name,
        "path": str(scene.path.resolve()),
        "sha256": known_by(scene.path, files),
        "files": dict(files),
        "date": str(scene.date),
        "crs": scene.crs,
        "metres": round(scene.metres, 4),
        "bands": asdict(scene.bands),
        "bits": 16 if scene.deep else 8,
        "units": scene.units.to_json(),
    }


def _write(folder: Path, answers: Answers, raster: Raster, model: Model, *, geopackage: bool) -> Mapping[str, Any]:
    """Write the tables and layers of a map; return what map.json says of them."""
    grid, scene, labels = raster.grid, raster.scene, model.bundle.vocabulary.labels
    tiles = tidy(answers.tiles, model)
    looked = tiles["tags"].notna()
    if not looked.any():
        raise InputError(f"{scene.path}: no tile of it is at least half valid: nodata wherever one looks")
    places = (answers.tiles["row"] * len(grid.columns) + answers.tiles["column"]).to_numpy()
    write_tiles(tiles, grid, places, folder / TILES)
    write_layers(_cells(tiles, places, answers, grid, labels), labels, grid, folder / LAYERS)
    areas = joined(tiles["tags"], grid, places, model.bundle.vocabulary)
    write_geojson(tag_features(areas), grid.crs, folder / AREAS, step=grid.pixel * grid.size)
    if geopackage:
        write_geopackage(areas, grid.crs, folder / "tags.gpkg")
    said: dict[str, Any] = {
        "tiles": len(tiles),
        "looked": int(looked.sum()),
        "tags": dict(Counter({tag: count for tag, (_, count) in areas.items()}).most_common()),
        "valid": float(answers.counts.sum() / (grid.width * grid.height)),
    }
    of_model = {"igarape:model": model.address, "igarape:bundle": model.digest, "igarape:valid": said["valid"]}
    said["drift"] = _drift(tiles, model)
    write_item(folder, grid, name=scene.path.stem, day=scene.date, properties=of_model)
    return said | {"labels": list(labels)}


def _drift(tiles: pd.DataFrame, model: Model) -> Mapping[str, Any]:
    """Return what map.json says of drift: serving.input_drift.InputDrift, of the tiles of a scene."""
    words = model.bundle.vocabulary
    p = tiles[[f"p_{label}" for label in words.labels]].to_numpy(dtype=np.float32)
    ood = tiles["ood"].to_numpy(dtype=np.float64)
    found = input_drift(tiles["tile"].tolist(), p, ood, usual=model.usual, words=words)
    return {
        "verdict": found.verdict,
        "chance": None if found.chance is None else round(found.chance, 6),
        "far": None if found.far is None else round(found.far, 4),
        "strangest": [{"tile": name, "far": far} for name, far in found.strangest],
    } | ({"why": found.why} if found.why else {})


def tidy(tiles: pd.DataFrame, model: Model) -> pd.DataFrame:
    """Return the columns of tiles.parquet but for the outlines, with what no cloud lets see missing."""
    vocabulary = model.bundle.vocabulary
    columns = [f"p_{label}" for label in vocabulary.labels]
    tidied = pd.DataFrame({"tile": [f"{row}_{column}" for row, column in tiles[["row", "column"]].to_numpy()]})
    wanted = ["valid", *columns, *(name for name in TEXTS if name in model.bundle.columns), "ood"]
    tidied[wanted] = tiles.reindex(columns=wanted).astype(dict.fromkeys([*columns, "ood"], np.float32))
    clouds = [f"p_{label}" for label in vocabulary.alone]
    if clouds:
        under = (tidied[clouds] > CLOUDY).any(axis=1)
        tidied.loc[under, columns[len(vocabulary.exclusive) :]] = np.nan
    return tidied


def _cells(tiles: pd.DataFrame, places: Integers, answers: Answers, grid: Grid, labels: tuple[str, ...]) -> Floats:
    """Return the probabilities of each cell, NaN where nothing was looked at or less than half holds anything."""
    shape = (len(grid.rows), len(grid.columns), len(labels))
    values = np.full((shape[0] * shape[1], shape[2]), np.nan)
    values[places] = tiles[[f"p_{label}" for label in labels]].to_numpy(dtype=np.float64)
    cells = grid.blend(values.reshape(shape))
    rows, columns = grid.cells
    high = np.minimum(grid.stride, grid.height - grid.stride * np.arange(rows))
    wide = np.minimum(grid.stride, grid.width - grid.stride * np.arange(columns))
    cells[answers.counts < HALF * np.outer(high, wide)] = np.nan
    return cells
