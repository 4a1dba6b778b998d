"""dehaze: remove haze from all chips. data/ingest/ -> data/dehaze/."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import pandas as pd

from igarape.chips.dehaze import Quality, dehaze
from igarape.chips.pictures import encode_jpeg
from igarape.chips.store import Store, StoreWriter
from igarape.files import fresh_folder
from igarape.params import read_dataset, read_params, workers
from igarape.progress import progress
from igarape.tables import read_catalog, write_table

SOURCE = Path("data/ingest")
FOLDER = Path("data/dehaze")
CHUNK = 256


def run() -> None:
    """Dehaze every chip, pack the results as JPEGs, and tabulate what was found in each."""
    params = read_params()
    labels = read_dataset(params.dataset).labels.vocabulary().labels
    catalog = read_catalog(SOURCE / "catalog.parquet", labels)
    store = Store(SOURCE, catalog)
    work = partial(_dehazed, store, settings=params.dehaze.model_dump())
    fresh_folder(FOLDER)
    cv2.setNumThreads(1)  # one chip a thread is faster than many threads on one chip
    places, found = [], []
    with progress("dehaze", "chip") as report, StoreWriter(FOLDER) as writer, ThreadPoolExecutor(workers()) as pool:
        for image, data, quality in _in_chunks(pool, work, list(catalog["image"])):
            places.append(writer.add(image, data))
            found.append(_row(image, quality))
            report(len(found), len(catalog))
    catalog[["shard", "offset", "length"]] = pd.DataFrame(places, index=catalog.index)
    write_table(catalog, FOLDER / "catalog.parquet")
    write_table(pd.DataFrame(found), FOLDER / "quality.parquet")


def _dehazed(store: Store, image: str, *, settings: Mapping[str, Any]) -> tuple[str, bytes, Quality]:
    """Dehaze one chip and encode it."""
    knobs = {name: value for name, value in settings.items() if name != "quality"}
    clear, quality = dehaze(store.rgb(image), **knobs)
    return image, encode_jpeg(clear, settings["quality"]), quality


def _in_chunks(pool: ThreadPoolExecutor, work: Any, images: list[str]) -> Iterator[tuple[str, bytes, Quality]]:
    """Work through the images in order, with a bounded number of results in memory."""
    waiting = iter(images)
    while chunk := list(islice(waiting, CHUNK)):
        yield from pool.map(work, chunk)


def _row(image: str, quality: Quality) -> dict[str, Any]:
    """Lay out a row of the quality table."""
    red, green, blue = quality.airlight
    light = {"airlight_r": red, "airlight_g": green, "airlight_b": blue}
    return {"image": image} | light | {"mean_t": quality.mean_t, "change": quality.change}
