"""What a model answers to each tile, kept part by part, so that a killed run goes on where it was."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from igarape.chips.nir import planes
from igarape.chips.pictures import Pixels
from igarape.files import atomic_path
from igarape.progress import Report
from igarape.serving.answers import EXPECTED, WARNING, answer_table
from igarape.serving.bundle import BATCH, Bundle
from igarape.sites.raster import Raster
from igarape.sites.stretch import Table
from igarape.sites.tiles import Grid
from igarape.sites.windows import Counts, rows_of_tiles

HALF = 0.5  # of a tile has to hold something, or it is not looked at
DOWN, ACROSS = 8, 32  # rows and columns of tiles that are kept at a time: memory does not grow with the scene's width

Reals = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Answers:
    """The answers to some tiles, in the order of rows and columns, and what holds something.

    tiles: a row for each tile of the rows of tiles: row, column, valid; tags, p_<label> and what else the bundle says,
    missing where the tile was not looked at. counts: how many pixels hold something, in each cell of the grid.
    """

    tiles: pd.DataFrame
    counts: Counts


@dataclass
class Batch:
    """Tiles that are answered at once: where they are, and what they show. ends: a part whose last tiles they are."""

    places: list[int] = field(default_factory=list)
    images: list[Pixels] = field(default_factory=list)
    nir: list[Pixels] = field(default_factory=list)
    ends: "Content | None" = None


@dataclass(frozen=True)
class Part:
    """Rows and columns of tiles that are kept together, and in which file."""

    file: Path
    rows: Sequence[int]
    columns: Sequence[int]

    @property
    def tiles(self) -> int:
        """Return how many tiles it has."""
        return len(self.rows) * len(self.columns)


@dataclass(frozen=True)
class Content:
    """What a part holds: the share of each tile that holds something, and how many pixels of each of its cells do."""

    part: Part
    valid: Reals
    counts: Counts


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
    parts = _parts(*raster.touched(), kept)
    todo = [part for part in parts if not part.file.exists()]
    total = sum(part.tiles for part in parts)
    done = total - sum(part.tiles for part in todo)
    report(done, total)
    frames: list[pd.DataFrame] = []
    for batch in _ahead(_batches(raster, todo, bundle, tables)):
        if batch.images:
            frames.append(_answer(batch, bundle))
        if batch.ends is not None:
            _keep(batch.ends, frames)
            frames, done = [], done + batch.ends.part.tiles
            report(done, total)
    return _together(parts, raster.grid)


def _parts(rows: Sequence[int], columns: Sequence[int], kept: Path) -> list[Part]:
    """Return the parts in which tiles are answered, each of at most DOWN rows and ACROSS columns."""
    return [
        Part(kept / f"{row:06d}-{column:06d}.parquet", rows[down : down + DOWN], columns[across : across + ACROSS])
        for down, row in list(enumerate(rows))[::DOWN]
        for across, column in list(enumerate(columns))[::ACROSS]
    ]


def _answer(batch: Batch, bundle: Bundle) -> pd.DataFrame:
    """Return what a bundle says of a batch, and how far each tile lies from the training's, where it knows that."""
    p = bundle.probabilities(batch.images, batch.nir or None)
    table = answer_table(p, [""] * len(p), rule=bundle.rule, alerts=bundle.manifest.alerts)
    ood = bundle.ood(batch.images) if bundle.novelty else np.full(len(p), np.nan)
    return table.drop(columns=[EXPECTED, WARNING]).assign(ood=ood.astype(np.float32), place=batch.places)


def _batches(raster: Raster, parts: Sequence[Part], bundle: Bundle, tables: Sequence[Table] | None) -> Iterator[Batch]:
    """Yield the tiles of parts, a batch at a time; no batch holds tiles of two parts."""
    white, units = bundle.manifest.nir.white if bundle.manifest.nir else None, raster.scene.units.tables()
    for part in parts:
        batch, valid, counts = Batch(), [], []
        for number, row in enumerate(rows_of_tiles(raster, part.rows, part.columns)):
            valid.append(row.valid)
            counts.append((row.cell, row.counts))
            for place in np.flatnonzero(row.valid >= HALF).tolist():
                if len(batch.images) == BATCH:
                    yield batch
                    batch = Batch()
                batch.places.append(number * len(part.columns) + place)
                left = raster.grid.columns[part.columns[place]]
                batch.images.append(row.colours(left, tables))
                if white is not None:
                    batch.nir.append(planes(row.infrared(left, units), white=white))
        batch.ends = Content(part, np.concatenate(valid), _stacked(counts))
        yield batch


def _ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """Yield batches; while one is answered, a thread of their own reads the next."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, batches, None)
            yield batch


def _keep(content: Content, frames: Sequence[pd.DataFrame]) -> None:
    """Write what is known of a part, whole or not at all."""
    part = content.part
    tiles = pd.DataFrame(
        {
            "row": np.repeat(np.asarray(part.rows, np.int32), len(part.columns)),
            "column": np.tile(np.asarray(part.columns, np.int32), len(part.rows)),
            "valid": content.valid,
        }
    )
    if frames:
        answered = pd.concat(list(frames), ignore_index=True).set_index("place")
        tiles = tiles.join(answered)
    with atomic_path(part.file.with_suffix(".npy")) as unfinished, unfinished.open("wb") as file:
        np.save(file, content.counts)
    with atomic_path(part.file) as unfinished:
        tiles.to_parquet(unfinished, index=False)


def _stacked(counts: Sequence[tuple[int, Counts]]) -> Counts:
    """Return the counts of rows of tiles one below the other: two of them may share a row of cells."""
    first = counts[0][0]
    total = np.zeros((counts[-1][0] + len(counts[-1][1]) - first, counts[0][1].shape[1]), dtype=np.int64)
    for cell, each in counts:
        total[cell - first : cell - first + len(each)] += each
    return total


def _together(parts: Sequence[Part], grid: Grid) -> Answers:
    """Read all parts."""
    tiles = pd.concat([pd.read_parquet(part.file) for part in parts], ignore_index=True)
    counts = np.zeros(grid.cells, dtype=np.int64)
    for part in parts:
        each = np.load(part.file.with_suffix(".npy"))
        top, left = grid.rows[part.rows[0]] // grid.stride, grid.columns[part.columns[0]] // grid.stride
        counts[top : top + each.shape[0], left : left + each.shape[1]] += each
    return Answers(tiles.sort_values(["row", "column"], ignore_index=True), counts)
