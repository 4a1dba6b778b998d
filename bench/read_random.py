"""read_random: chips read by name, in no order, from the store, against the same chips as loose files."""

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
from project import project
from project import run as command

from igarape.chips.store import Store

COUNT = 12_288
ROUNDS = 5


def run() -> dict[str, object]:
    """Return chips a second of both, the best of a few rounds."""
    return compare(shuffled=True)


def compare(*, shuffled: bool) -> dict[str, object]:
    """Read all chips from the store and from loose files, by turns, with both in memory."""
    folder = project(COUNT)
    if not (folder / "data/ingest").exists():
        command(folder, "igarape", "ingest")
    catalog = pd.read_parquet(folder / "data/ingest/catalog.parquet")
    image_ids = list(catalog["image_id"])
    if shuffled:
        random.Random(0).shuffle(image_ids)
    loose = {image_id: str(folder / "chips" / image_id.split("_")[0] / f"{image_id}.jpg") for image_id in image_ids}
    ours, peer = [], []
    for _ in range(ROUNDS):
        store = Store(folder / "data/ingest", catalog)
        ours.append(_seconds(store.bytes, image_ids))
        peer.append(_seconds(lambda image_id: Path(loose[image_id]).read_bytes(), image_ids))
    best, other = COUNT / min(ours), COUNT / min(peer)
    return {"ours": best, "peer": other, "ratio": best / other, "unit": "chips/s", "n": COUNT}


def _seconds(read: Callable[[str], bytes], image_ids: Sequence[str]) -> float:
    start = time.perf_counter()
    for image_id in image_ids:
        read(image_id)
    return time.perf_counter() - start


if __name__ == "__main__":
    print(run())
