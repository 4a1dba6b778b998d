"""A data set with chips that have no labels, packed; and its submission, written in a process that may be killed."""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import tifs
from toy_dataset import drawn, write_dataset

from igarape.chips.catalog import pack_chips
from igarape.chips.chip import Chip, Encoded
from igarape.chips.infrared import pack_planes
from igarape.chips.pictures import encode_jpeg
from igarape.chips.shards import open_shard
from igarape.files import resumable
from igarape.labels import Vocabulary
from igarape.serving.bundle import Bundle
from igarape.serving.submission import Chips, open_chips, seen_by, write_submission
from igarape.tables import write_table
from igarape.workspace import Workspace

LABELS: Mapping[str, Sequence[str]] = {
    "exclusive": ["sun", "fog"],
    "alone": ["fog"],
    "common": ["tree", "pond"],
    "rare": ["kiln"],
}
VOCABULARY = Vocabulary(**{name: tuple(labels) for name, labels in LABELS.items()})
SIZE = 16
# By their numbers: test_2 before test_10, and both before file_0.
NAMES = [*(f"test_{number}" for number in range(100)), *(f"file_{number}" for number in range(50))]


def lay_out(here: Workspace, names: Sequence[str] = NAMES, *, seed: int = 0) -> Workspace:
    """Write datasets/toy.yaml, and pack two labelled chips and those of names, in the order of the alphabet."""
    write_dataset(here, drawn(60), LABELS, size=SIZE)
    rng = np.random.default_rng(seed)
    chips = []
    for name in ["train_0", "train_1", *sorted(names)]:
        split, tags = ("train", ("sun",)) if name.startswith("train") else ("test", ())
        data = encode_jpeg(rng.integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8), 95)
        chips.append(Chip(name, split, name, tags, Encoded(data)))
    with open_shard(here.chips("raw") / "shard-00000.tar") as shard:
        tables = pack_chips(chips, shard, vocabulary=VOCABULARY, size=SIZE)
    for name, table in tables.items():
        write_table(table, here.chips("raw") / f"{name}.parquet")
    return here


def add_planes(here: Workspace, *, without: Sequence[str] = ()) -> None:
    """Pack near-infrared of each chip but some."""
    catalog = pd.read_parquet(here.catalog())
    chips = catalog[~catalog["image_id"].isin(without)]
    rng = np.random.default_rng(1)
    bands = [tifs.sensed(rng.integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)) for _ in range(len(chips))]
    origins = pd.Series([Encoded(tifs.written(each)) for each in bands], index=chips.index, dtype=object)
    with open_shard(here.chips("nir") / "shard-00000.tar") as shard:
        tables = pack_planes(
            chips.assign(tif=origins),
            shard,
            source=here.chips("raw"),
            names=("blue", "green", "red", "nir"),
            white=12800,
            shift=99.0,
            response=0.0,
        )
    write_table(tables["catalog"], here.catalog("nir"))


def small(here: Workspace, bundle: Bundle, sample: Path | None = None) -> Chips:
    """Open the unlabelled chips."""
    chips = open_chips(here, "toy", VOCABULARY.labels, sample=sample)
    return seen_by(bundle, chips, here, "toy", VOCABULARY.labels)


def submit(here: Workspace, bundle: Bundle, *, killed_at: int | None = None) -> bytes:
    """Write the submission, and return it; killed_at: end the process as kill -9 does when so many chips are done."""

    def report(done: int, total: int) -> None:
        if done == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    with resumable(here.folder("submit"), "key") as (folder, parts):
        path = folder / "submission.csv"
        write_submission(path, small(here, bundle), bundle=bundle, parts=parts, report=report)
    return (here.folder("submit") / path.name).read_bytes()


if __name__ == "__main__":
    submit(Workspace(sys.argv[1]), Bundle.load(Path(sys.argv[2]), threads=1), killed_at=int(sys.argv[3]))
