"""dehaze: remove haze from all chips. data/ingest/ -> data/dehaze/."""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from igarape.chips.dehaze import Quality, dehaze
from igarape.chips.pictures import encode_jpeg
from igarape.chips.shards import Shard, Tables, write_shards
from igarape.chips.store import Store
from igarape.cluster.spreading import packers
from igarape.code import code_hash
from igarape.config.datasets import read_dataset
from igarape.config.params import Dehaze, read_params
from igarape.files import digest, resumable
from igarape.progress import progress
from igarape.tables import read_catalog, write_table
from igarape.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Dehaze every chip, pack the results as JPEGs, and tabulate what was found in each."""
    params = read_params(workspace.params)
    labels = read_dataset(params.dataset, workspace.datasets).labels.vocabulary().labels
    source = workspace.chips("raw")
    catalog = read_catalog(workspace.catalog(), labels)
    parts = [part for _, part in catalog.groupby("shard", sort=True)]
    key = digest([code_hash("igarape.stages.dehaze"), repr(params.dehaze), *sorted(source.glob("*.parquet"))])
    with (
        resumable(workspace.chips("dehazed"), key) as (folder, notes),
        packers(workspace, "dehaze", shards=len(parts), chips=source) as executor,
        progress("dehaze", "chip") as report,
    ):
        tables = write_shards(
            folder,
            parts,
            partial(_pack, source=source, settings=params.dehaze),
            scratch=notes,
            executor=executor,
            report=lambda done: report(done, len(catalog)),
        )
        for name, table in tables.items():
            write_table(table, folder / f"{name}.parquet")


def _pack(chips: pd.DataFrame, shard: Shard, *, source: Path, settings: Dehaze) -> Tables:
    """Dehaze the chips of a shard of data/ingest into another one."""
    store = Store(source, chips)
    knobs = settings.model_dump(exclude={"quality"})
    places, found = [], []
    for image_id in chips["image_id"]:
        clear, quality = dehaze(store.rgb(image_id), **knobs)
        places.append(shard.add(image_id, encode_jpeg(clear, settings.quality)))
        found.append(_row(image_id, quality))
        shard.done()
    catalog = chips.copy()
    catalog[["shard", "offset", "length"]] = pd.DataFrame(places, index=chips.index)
    return {"catalog": catalog, "quality": pd.DataFrame(found)}


def _row(image_id: str, quality: Quality) -> dict[str, Any]:
    """Lay out a row of the quality table."""
    values = asdict(quality)
    light = dict(zip(("airlight_r", "airlight_g", "airlight_b"), values.pop("airlight"), strict=True))
    return {"image_id": image_id} | light | values
