"""data_side: what the steps before the first learner cost for a million chips of 64 pixels, in memory and processor.

PACKED chips are packed and dehazed for real. Then each is listed as often as it takes under names of its own, with a
made-up fingerprint, and the other steps see as many chips as were asked for.

Not among the benches that `python bench` runs: `python bench/data_side.py CHIPS` does it, a million by default.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from project import project
from project import run as command
from split_million import write_fingerprints

from igarape.tables import write_table

CHIPS, PACKED, SIDE, LABELLED = 1_000_000, 100_000, 64, 0.9
LEARNED = """
from igarape.learners.examples import load_examples
from igarape.config.datasets import read_dataset
from igarape.workspace import Workspace
class Seen: chips, size = "raw", SIZE
labels = read_dataset("bench", Workspace(".").datasets).labels.vocabulary().labels
examples = load_examples(Workspace("."), Seen, labels=labels, report=lambda done, total: None)
print(len(examples.image_ids), examples.digest)
"""
LISTED = """
from collections.abc import Mapping
from pathlib import Path
from igarape.serving.tagging import find_pictures
found = find_pictures([Path("data/ingest")], spool=Path("data/.spool"), report=lambda done, total: None)
print(len(found.origins), found.key("a model"))
"""
PACKING = {
    "code": ("igarape", "code"),
    "ingest": ("igarape", "ingest"),
    "dehaze": ("igarape", "dehaze"),
}
SEEING = {
    "split": ("igarape", "split"),
    "describe": ("igarape", "describe"),
    "resolve": ("igarape", "resolve"),
    "learned": (sys.executable, "-c", LEARNED.replace("SIZE", str(SIDE))),
    "listed": (sys.executable, "-c", LISTED),
}


def measure(folder: Path, steps: Mapping[str, tuple[str, ...]], count: int) -> None:
    """Print what each step costs."""
    for name, words in steps.items():
        cost = command(folder, *words)
        figures = {
            "chips": count,
            "minutes": round(cost.seconds / 60, 2),
            "processor_minutes": round(cost.processor / 60, 2),
            "memory_gb": round(cost.memory / 2**30, 3),
        }
        print(name, json.dumps(figures), flush=True)


def list_again(folder: Path, count: int) -> None:
    """List packed chips under other names until there are so many."""
    tables = [folder / "data" / name for name in ("ingest/catalog", "dehaze/catalog", "dehaze/quality")]
    for path in (table.with_suffix(".parquet") for table in tables):
        rows = pd.read_parquet(path)
        again = pd.concat([rows] * -(-count // len(rows)), ignore_index=True)[:count]
        number = (np.arange(count) // len(rows)).astype(str)
        again["image_id"] = again["image_id"] + "_" + number
        if "group" in again:
            again["group"] = again["group"] + "_" + number
        write_table(again, path)
    names = pd.read_parquet(folder / "data/ingest/catalog.parquet", columns=["image_id"])["image_id"]
    write_fingerprints(list(names), folder / "data/ingest/fingerprints.parquet")


def main(count: int) -> None:
    """Pack, list again, and see."""
    folder = project(min(count, PACKED), SIDE, labelled=LABELLED, packed=True)
    measure(folder, PACKING, min(count, PACKED))
    list_again(folder, count)
    measure(folder, SEEING, count)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else CHIPS)
