"""nir: pack the chips' near-infrared, where the data set names TIFs. data/ingest/, the TIFs -> data/nir/."""

import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import click
import pandas as pd

from igarape.chips.faults import fault_table
from igarape.chips.infrared import no_planes, pack_planes
from igarape.chips.shards import Tables, write_shards
from igarape.chips.sources.listing import list_pictures
from igarape.chips.sources.origins import Origin
from igarape.cluster.spreading import packers
from igarape.code import code_hash
from igarape.config.datasets import Dataset, data_root, read_dataset
from igarape.config.params import read_params
from igarape.errors import counted
from igarape.files import digest, resumable
from igarape.progress import progress
from igarape.tables import Fault, read_catalog, write_table
from igarape.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Pack the planes of each chip that has a TIF, and tabulate how well its bands lie over its picture."""
    params = read_params(workspace.params)
    dataset = read_dataset(params.dataset, workspace.datasets)
    source, spool = workspace.chips("raw"), workspace.spool.with_name("spool-nir")
    catalog = read_catalog(workspace.catalog(), dataset.labels.vocabulary().labels)
    tifs, faults = _list(dataset, spool)
    chips = catalog.assign(tif=catalog["image_id"].map(tifs)).dropna(subset="tif")
    parts = [part for _, part in chips.groupby("shard", sort=True)]
    names = dataset.reading["bands"]
    asked = (params.nir, names, sorted(tifs.items()))
    key = digest([code_hash("igarape.stages.nir"), *map(repr, asked), *sorted(source.glob("*.parquet"))])
    with (
        resumable(workspace.chips("nir"), key) as (folder, notes),
        packers(workspace, "nir", shards=len(parts), chips=source) as executor,
        progress("nir", "chip") as report,
    ):
        packed = write_shards(
            folder,
            parts,
            partial(pack_planes, source=source, names=names, **params.nir.model_dump()),
            scratch=notes,
            executor=executor,
            report=lambda done: report(done, len(chips)),
        )
        tables = no_planes(catalog) | {name: table for name, table in packed.items() if len(table)}
        tables["faults"] = pd.concat([fault_table(faults), tables["faults"]], ignore_index=True)
        for name, table in tables.items():
            write_table(table, folder / f"{name}.parquet")
    shutil.rmtree(spool, ignore_errors=True)
    if dataset.tifs:
        _tell(tables, without=len(catalog) - len(chips))


def _list(dataset: Dataset, spool: Path) -> tuple[Mapping[str, Origin], list[Fault]]:
    """Return where the TIFs that the data set names are, by the names of their chips, and what was wrong with them."""
    if not dataset.tifs:
        click.echo("nir: the data set names no TIFs, so no chip has near-infrared")
        return {}, []
    with progress("nir: unpacking", "byte") as report:
        tifs, faults, used = list_pictures(data_root(), dataset.tifs, what="TIFs", spool=spool, report=report)
    for line in used:
        click.echo(f"nir: {line}")
    return tifs, faults


def _tell(tables: Tables, *, without: int) -> None:
    """Say in one line what was packed."""
    packed, flagged = len(tables["alignment"]), int(tables["alignment"]["flagged"].sum())
    left_out = int(tables["faults"]["left_out"].sum())
    click.echo(
        f"nir: {counted(packed, 'chip')} packed, {flagged} of them flagged as out of place, "
        f"{counted(left_out, 'TIF')} left out, {counted(without, 'chip')} without a TIF"
    )
