"""What a model answers to each tile, kept part by part, so that a killed run goes on where it was."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from igarape.chips.nir import planes
from igarape.chips.pictures import Pixels
from igarape.files import whole
from igarape.serving.answers import answer_table
from igarape.serving.bundle import BATCH, Bundle
from igarape.sites.raster import Raster
from igarape.sites.stretch import Table
from igarape.sites.windows import Counts, Row, rows_of_tiles

HALF = 0.5  # of a tile has to hold something, or it is not looked at
PART = 256  # tiles, about, that are kept at a time
AHEAD = 2  # batches that are read while one is answered

Report = Callable[[int, int], None]
Reals = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Answers:
    """The answers to some tiles, in the order of rows and columns, and what holds something.

    tiles: a row for each tile of the rows of tiles: row, column, valid; tags, p_<label> and what else the bundle says,
    missing where the tile was not looked at. counts: of windows.Row, together.
    """

    tiles: pd.DataFrame
    counts: Counts


@dataclass
class Batch:
    """Tiles that are answered at once: where they are, and what they show. last: of its part, with what that says."""

    places: list[int] = field(default_factory=list)
    images: list[Pixels] = field(default_factory=list)
    nir: list[Pixels] = field(default_factory=list)
    last: "Part | None" = None


@dataclass
class Part:
    """Rows of tiles that are kept together, in which file, and what of each tile holds something."""

    file: Path
    rows: Sequence[int]
    valid: list[Reals] = field(default_factory=list)
    counts: list[Counts] = field(default_factory=list)


def answer_tiles(
    raster: Raster, bundle: Bundle, kept: Path, *, tables: Sequence[Table] | None, report: Report
) -> Answers:
    """Answer all tiles that a scene touches.

    Parameters
    ----------
    raster
        The scene on its grid.
    bundle
        The model.
    kept
        A folder, where finished parts are kept. What lies there is not answered again, so it must be empty when
        anything else has changed.
    tables
        The stretch's.
    report
        Called with the tiles that are done, and all.
    """
    rows, columns = raster.touched()
    step = max(1, PART // len(columns))
    parts = [
        Part(kept / f"{row:06d}.parquet", rows[start : start + step]) for start, row in list(enumerate(rows))[::step]
    ]
    todo = [part for part in parts if not part.file.exists()]
    done = sum(len(part.rows) for part in parts if part.file.exists()) * len(columns)
    total = len(rows) * len(columns)
    report(done, total)
    frames: list[pd.DataFrame] = []
    for batch in _ahead(_batches(raster, todo, columns, bundle, tables)):
        if batch.images:
            frames.append(_answer(batch, bundle))
        if batch.last is not None:
            _keep(batch.last, columns, frames)
            frames, done = [], done + len(batch.last.rows) * len(columns)
            report(done, total)
    return _together(parts, raster)


def _answer(batch: Batch, bundle: Bundle) -> pd.DataFrame:
    """Return what a bundle says of a batch, and how far each tile lies from the training's, where it knows that."""
    p = bundle.probabilities(batch.images, batch.nir or None)
    table = answer_table(p, [""] * len(p), rule=bundle.rule, alerts=bundle.manifest.alerts)
    ood = bundle.ood(batch.images) if bundle.novelty else np.nan
    return table.assign(ood=ood, place=batch.places)


def _batches(
    raster: Raster, parts: Sequence[Part], columns: Sequence[int], bundle: Bundle, tables: Sequence[Table] | None
) -> Iterator[Batch]:
    """Yield the tiles of parts, a batch at a time; no batch holds tiles of two parts."""
    white = bundle.manifest.nir.white if bundle.manifest.nir else None
    for part in parts:
        batch = Batch()
        for number, row in enumerate(rows_of_tiles(raster, part.rows)):
            part.valid.append(row.valid[list(columns)])
            part.counts.append(row.counts)
            for place, column in enumerate(columns):
                if row.valid[column] < HALF:
                    continue
                if len(batch.images) == BATCH:
                    yield batch
                    batch = Batch()
                batch.places.append(number * len(columns) + place)
                _cut(batch, row, raster.grid.columns[column], tables, white)
        batch.last = part
        yield batch


def _cut(batch: Batch, row: Row, left: int, tables: Sequence[Table] | None, white: int | None) -> None:
    """Add a tile to a batch."""
    batch.images.append(row.colours(left, tables))
    if white is not None:
        batch.nir.append(planes(row.infrared(left), white=white))


def _ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """Yield batches, which a thread of their own reads ahead."""
    with ThreadPoolExecutor(1) as pool:
        pending = [pool.submit(next, batches, None) for _ in range(AHEAD)]
        while (batch := pending.pop(0).result()) is not None:
            pending.append(pool.submit(next, batches, None))
            yield batch


def _keep(part: Part, columns: Sequence[int], frames: Sequence[pd.DataFrame]) -> None:
    """Write what is known of a part, whole or not at all."""
    tiles = pd.DataFrame(
        {
            "row": np.repeat(np.asarray(part.rows), len(columns)),
            "column": np.tile(np.asarray(columns), len(part.rows)),
            "valid": np.concatenate(part.valid),
        }
    )
    if frames:
        answered = pd.concat(list(frames), ignore_index=True).set_index("place")
        tiles = tiles.join(answered)
    counts = np.add.reduce(part.counts)
    with whole(part.file.with_suffix(".npy")) as unfinished, unfinished.open("wb") as file:
        np.save(file, counts)
    with whole(part.file) as unfinished:
        tiles.to_parquet(unfinished, index=False)


def _together(parts: Sequence[Part], raster: Raster) -> Answers:
    """Read all parts."""
    tiles = pd.concat([pd.read_parquet(part.file) for part in parts], ignore_index=True)
    counts = np.zeros(raster.grid.cells, dtype=np.int64)
    for part in parts:
        counts += np.load(part.file.with_suffix(".npy"))
    return Answers(tiles, counts)
