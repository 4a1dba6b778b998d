"""ingest: check and pack the data set's chips. The source that the data set names -> data/ingest/."""

import os
import shutil
from collections.abc import Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import click

from igarape.chips.catalog import check_levels, pack_chips
from igarape.chips.corrections import apply_corrections
from igarape.chips.drawn.drawing import pack_drawn
from igarape.chips.faults import all_faults, check_labelled, check_limit, refused_table
from igarape.chips.review import read_corrections
from igarape.chips.shards import deal, write_shards
from igarape.chips.sources.inventory import Inventory
from igarape.chips.sources.listing import Listing, open_source
from igarape.cluster.spreading import packers
from igarape.code import code_hash
from igarape.config.datasets import Dataset, DrawnSource, FolderSource, data_root, read_dataset
from igarape.config.params import read_params
from igarape.errors import InputError, counted
from igarape.files import digest, resumable
from igarape.progress import progress
from igarape.tables import Fault, write_table
from igarape.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Pack all chips; stop when more had to be left out than ingest.faults bears."""
    params = read_params(workspace.params)
    dataset = read_dataset(params.dataset, workspace.datasets)
    source, target, listing = dataset.source, workspace.folder("ingest"), workspace.corrections(params.dataset)
    vocabulary, corrections = dataset.labels.vocabulary(), read_corrections(listing)
    if "DVC_STAGE" in os.environ and corrections != read_corrections(workspace.code("corrections")):
        # DVC would keep the result as that of the list before, and give it to whoever has that list again.
        raise InputError(f"{listing}: has changed since dvc repro began. Type again: dvc repro")
    how: dict[str, Any] = {"vocabulary": vocabulary, "size": dataset.size}
    parts: Sequence[Sequence[Any]]
    if isinstance(source, DrawnSource):
        parts = deal(source.chips, multiple=source.side**2)  # a scene lies in one shard
        pack, listed = partial(pack_drawn, side=source.side, seed=params.seed, **how), list[Fault]()
    else:
        found = _list(dataset, source, workspace.spool)
        parts = [found.chips[part.start : part.stop] for part in deal(len(found.chips))]
        pack, listed = partial(pack_chips, **how, **dataset.reading), found.faults
    known_by = [code_hash("igarape.stages.ingest"), repr(dataset), str(params.seed)]
    key, count = digest(chain(known_by, map(repr, parts))), sum(map(len, parts))
    inventory = Inventory.take(data_root(), source) if isinstance(source, FolderSource) else Inventory()
    with resumable(target, key) as (folder, notes):
        with packers(workspace, "ingest", shards=len(parts)) as executor, progress("ingest", "chip") as report:
            tables = write_shards(
                folder, parts, pack, scratch=notes, executor=executor, report=lambda done: report(done, count)
            )
        tables = apply_corrections(tables, corrections, vocabulary, where=str(listing))
        catalog, faults = tables["catalog"], all_faults(listed, tables["faults"], tables["fingerprints"])
        check_limit(faults, params.ingest.faults, packed=len(catalog), target=target)
        check_levels(tables.pop("levels"), dataset.reading["white"])
        check_labelled(catalog, faults, target)
        for name, table in (tables | {"faults": faults}).items():
            write_table(table, folder / f"{name}.parquet")
    inventory.write(workspace.inventory)
    refused_table(target).unlink(missing_ok=True)
    shutil.rmtree(workspace.spool, ignore_errors=True)
    left_out = int(faults["left_out"].sum())
    chips, others = counted(len(catalog), "chip"), counted(len(faults) - left_out, "other fault")
    corrected = f", {counted(len(corrections), 'label')} corrected: {listing}" if corrections else ""
    click.echo(f"ingest: {chips} packed, {left_out} left out, {others} reported{corrected}")


def _list(dataset: Dataset, source: FolderSource, spool: Path) -> Listing:
    """List the chips of folders or archives, and say where they were found; spool: outlives a killed run."""
    with progress("ingest: unpacking", "MB") as bar:
        found = open_source(
            data_root(),
            images=source.images,
            tags=source.tags,
            unlabelled=source.unlabelled,
            vocabulary=dataset.labels.vocabulary(),
            columns=source.columns.model_dump(),
            separator=dataset.labels.separator,
            spellings=dataset.labels.spellings,
            spool=spool,
            report=lambda done, total: bar(done >> 20, total >> 20),
        )
    click.echo("\n".join(f"ingest: {line}" for line in found.used))
    return found
