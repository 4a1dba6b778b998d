"""nir: pack the chips' near-infrared, where the data set names TIFs. data/ingest/, the TIFs -> data/nir/."""

import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import click
import numpy as np
import pandas as pd

from igarape.chips.catalog import fault_table
from igarape.chips.nir import Bands, Shift, measure_shift, planes
from igarape.chips.pictures import bands, encode_png
from igarape.chips.shards import Shard, Tables, write_shards
from igarape.chips.sources.listing import list_pictures
from igarape.chips.sources.origins import Origin
from igarape.chips.store import Store
from igarape.code import code_hash
from igarape.config.datasets import Dataset, data_root, read_dataset
from igarape.config.params import Nir, read_params, workers
from igarape.errors import InputError
from igarape.files import digest, resumable
from igarape.progress import progress
from igarape.tables import Fault, read_catalog, write_table
from igarape.workspace import Workspace

LIES = ["shard", "offset", "length"]
ALIGNMENT = {"image_id": str, "dx": float, "dy": float, "response": float, "flagged": bool}


def run(workspace: Workspace) -> None:
    """Pack the planes of each chip that has a TIF, and tabulate how well its bands lie over its picture."""
    params = read_params(workspace.params)
    dataset = read_dataset(params.dataset, workspace.datasets)
    source, spool = workspace.chips("raw"), workspace.spool.with_name("spool-nir")
    catalog = read_catalog(workspace.catalog(), dataset.labels.vocabulary().labels)
    tifs, faults = _list(dataset, spool)
    chips = catalog.assign(tif=catalog["image_id"].map(tifs)).dropna(subset="tif")
    parts = [part for _, part in chips.groupby("shard", sort=True)]
    key = digest(
        [
            code_hash("igarape.stages.nir"),
            repr(params.nir),
            repr(dataset.reading["bands"]),
            repr(sorted(tifs.items())),
            *sorted(source.glob("*.parquet")),
        ]
    )
    with resumable(workspace.chips("nir"), key) as (folder, notes), progress("nir", "chip") as report:
        packed = write_shards(
            folder,
            parts,
            partial(_pack, source=source, settings=params.nir, names=dataset.reading["bands"]),
            scratch=notes,
            workers=workers(),
            report=lambda done: report(done, len(chips)),
        )
        tables = _nothing(catalog) | {name: table for name, table in packed.items() if len(table)}
        tables["faults"] = pd.concat([fault_table(faults), tables["faults"]], ignore_index=True)
        for name, table in tables.items():
            write_table(table, folder / f"{name}.parquet")
    shutil.rmtree(spool, ignore_errors=True)
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


def _nothing(catalog: pd.DataFrame) -> Tables:
    """Return the tables of a set without chips."""
    alignment = pd.DataFrame({name: np.empty(0, dtype=kind) for name, kind in ALIGNMENT.items()})
    return {"catalog": catalog.iloc[:0], "alignment": alignment, "faults": fault_table([])}


def _pack(chips: pd.DataFrame, shard: Shard, *, source: Path, settings: Nir, names: Sequence[str]) -> Tables:
    """Pack the planes of chips of one shard of data/ingest; tif: the origin of each one's bands."""
    store = Store(source, chips)
    places, shifts, faults = [], [], []
    for image_id, tif in zip(chips["image_id"], chips["tif"], strict=True):
        rgb = store.rgb(image_id)
        found = _read(image_id, tif, (rgb.shape[0], rgb.shape[1]), names)
        if isinstance(found, Fault):
            faults.append(found)
        else:
            places.append((image_id, *shard.add(image_id, encode_png(planes(found, white=settings.white)))))
            shifts.append((image_id, *_judged(measure_shift(rgb, found), settings)))
        shard.done()
    own = chips.columns.drop("tif")
    catalog = chips.drop(columns=["tif", *LIES]).merge(pd.DataFrame(places, columns=["image_id", *LIES]), on="image_id")
    alignment = pd.DataFrame(shifts, columns=list(ALIGNMENT))
    return {"catalog": catalog[own], "alignment": alignment, "faults": fault_table(faults)}


def _read(image_id: str, tif: Origin, size: tuple[int, int], names: Sequence[str]) -> Bands | Fault:
    """Return a chip's bands, or why it has to do without; size: height and width of its picture."""
    try:
        found = bands(tif.read(), image_id, names)
    except InputError as error:
        problem = str(error).removeprefix(f"{image_id}: ").removeprefix(f"{tif}: ")
        return Fault(image_id, f"its TIF: {problem}", "replace the TIF, or remove it", left_out=True)
    if found.shape[:2] != size:
        (height, width), (high, wide) = found.shape[:2], size
        problem = f"its TIF: expected {wide} x {high} as the chip has, found {width} x {height}"
        return Fault(image_id, problem, "cut the TIF to the chip", left_out=True)
    return found


def _judged(shift: Shift, settings: Nir) -> tuple[float, float, float, bool]:
    """Lay out a row of the alignment table, but for the image."""
    flagged = shift.far(pixels=settings.shift, response=settings.response)
    return shift.dx, shift.dy, shift.response, flagged


def _tell(tables: Tables, *, without: int) -> None:
    """Say in one line what was packed."""
    packed, flagged = len(tables["alignment"]), int(tables["alignment"]["flagged"].sum())
    left_out = int(tables["faults"]["left_out"].sum())
    click.echo(
        f"nir: {packed} chips packed, {flagged} of them flagged as out of place, {left_out} TIFs left out, "
        f"{without} chips without a TIF"
    )
