"""ingest: check and pack the data set's chips. The source that the data set names -> data/ingest/."""

import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import click
import pandas as pd

from igarape.chips.catalog import check_levels, doubles, fault_table, pack_chips
from igarape.chips.chip import Chip
from igarape.chips.drawn.drawing import draw_chips, haze_table
from igarape.chips.shards import Shard, Tables, deal, write_shards
from igarape.chips.sources.listing import open_source
from igarape.code import code_hash
from igarape.config.datasets import Dataset, DrawnSource, FolderSource, data_root, read_dataset
from igarape.config.params import read_params, workers
from igarape.errors import InputError
from igarape.files import digest, fresh_folder, resumable
from igarape.progress import progress
from igarape.tables import Fault, labelled, write_table
from igarape.workspace import Workspace

SHOWN = 10
WIDESPREAD = 0.25  # of the chips


@dataclass(frozen=True)
class _Work:
    """What there is to pack: a part for each shard, what packs one, the faults so far, the hash of all this."""

    parts: Sequence[Any]
    pack: Callable[[Any, Shard], Tables]
    faults: Sequence[Fault]
    key: str


def run(workspace: Workspace) -> None:
    """Pack all chips; stop when more had to be left out than ingest.faults bears."""
    params = read_params(workspace.params)
    dataset = read_dataset(params.dataset, workspace.datasets)
    source, target = dataset.source, workspace.folder("ingest")
    if isinstance(source, DrawnSource):
        work = _drawn(dataset, source, params.seed)
    else:
        work = _listed(dataset, source, workspace.spool)
    with resumable(target, work.key) as (folder, notes):
        tables = _pack(work, folder, notes)
        catalog, faults = tables["catalog"], tables["faults"]
        _bear(faults, params.ingest.faults, target, packed=len(catalog))
        check_levels(tables.pop("levels"), dataset.reading["white"])
        if not labelled(catalog).any():
            _refuse(faults, f"no labelled chip is left; {len(faults)} faults stand in {target}/faults.parquet", target)
        for name, table in tables.items():
            write_table(table, folder / f"{name}.parquet")
    shutil.rmtree(workspace.spool, ignore_errors=True)
    left_out = int(faults["left_out"].sum())
    click.echo(
        f"ingest: {len(catalog)} chips packed, {left_out} left out, {len(faults) - left_out} other faults reported"
    )


def _drawn(dataset: Dataset, source: DrawnSource, seed: int) -> _Work:
    """Prepare to draw the chips; whole scenes go into a shard."""
    pack = partial(_pack_drawn, dataset=dataset, side=source.side, seed=seed)
    return _Work(
        parts=deal(source.chips, multiple=source.side**2),
        pack=pack,
        faults=(),
        key=digest([code_hash("igarape.stages.ingest"), repr(dataset), str(seed)]),
    )


def _pack_drawn(numbers: range, shard: Shard, *, dataset: Dataset, side: int, seed: int) -> Tables:
    """Draw chips into a shard; the truth about their haze is a table more."""
    drawn = list(draw_chips(numbers, side, seed=seed, size=dataset.size))
    return _pack_chips([one.chip for one in drawn], shard, dataset=dataset) | {"haze": haze_table(drawn)}


def _listed(dataset: Dataset, source: FolderSource, spool: Path) -> _Work:
    """List the chips of folders or archives and prepare to pack them.

    spool: outlives a killed run, whose key is known only when archives are unpacked.
    """
    with ExitStack() as bars:
        bar = cache(
            lambda: bars.enter_context(progress("ingest: unpacking", "MB"))
        )  # shown when there is what to unpack
        found = open_source(
            data_root(),
            images=source.images,
            tags=source.tags,
            unlabelled=source.unlabelled,
            vocabulary=dataset.labels.vocabulary(),
            columns=source.columns.model_dump(),
            separator=dataset.labels.separator,
            spool=spool,
            report=lambda done, total: bar()(done >> 20, total >> 20),
        )
    for line in found.used:
        click.echo(f"ingest: {line}")
    return _Work(
        parts=[found.chips[part.start : part.stop] for part in deal(len(found.chips))],
        pack=partial(_pack_chips, dataset=dataset),
        faults=found.faults,
        key=digest([code_hash("igarape.stages.ingest"), repr(dataset), repr(found.chips)]),
    )


def _pack_chips(chips: Sequence[Chip], shard: Shard, *, dataset: Dataset) -> Tables:
    """Pack chips into a shard."""
    return pack_chips(chips, shard, vocabulary=dataset.labels.vocabulary(), size=dataset.size, **dataset.reading)


def _pack(work: _Work, folder: Path, notes: Path) -> Tables:
    """Pack all chips into a folder and return the tables; the faults of the source stand first."""
    count = sum(len(part) for part in work.parts)
    with progress("ingest", "chip") as report:
        tables = write_shards(
            folder,
            work.parts,
            work.pack,
            scratch=notes,
            workers=workers(),
            report=lambda done: report(done, count),
        )
    found = [fault_table(work.faults), tables["faults"], fault_table(doubles(tables["fingerprints"]))]
    return tables | {"faults": pd.concat([some for some in found if len(some)] or found[:1], ignore_index=True)}


def _bear(faults: pd.DataFrame, most: int, target: Path, *, packed: int) -> None:
    """Refuse more left-out chips than params.yaml bears; the error lists the first of them.

    packed: the chips that were not left out. What ails a large part of a set is no fault of single chips, and bearing
    it would ruin the set: then raising ingest.faults is no advice.
    """
    left_out = faults[faults["left_out"]]
    if len(left_out) <= most:
        return
    lines = [f"  {fault.image_id}: {fault.problem}; {fault.remedy}" for fault in left_out[:SHOWN].itertuples()]
    more = [f"  and {len(left_out) - SHOWN} more, in {target}/faults.parquet"] if len(left_out) > SHOWN else []
    advice = f"Mend the source, or raise ingest.faults in params.yaml to {len(left_out)}. Then: dvc repro ingest"
    if len(left_out) > WIDESPREAD * (len(left_out) + packed):
        advice = (
            f"That is no fault of single chips: only {packed} are left. See whether the data set's YAML in datasets/ "
            "says how its table and pictures are (labels, labels.separator, source.columns, source.bands, "
            "source.resize, size); igarape add NAME finds it out. Then: dvc repro ingest"
        )
    _refuse(faults, "\n".join([f"{len(left_out)} chips left out, {most} are borne", *lines, *more, advice]), target)


def _refuse(faults: pd.DataFrame, why: str, target: Path) -> None:
    """Stop the step; the faults table stands, a catalog does not."""
    write_table(faults, fresh_folder(target) / "faults.parquet")
    raise InputError(f"{target}: {why}")
