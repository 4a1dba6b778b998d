"""The real chips that lie under IGARAPE_DATA, for benches that need photographs."""

import csv
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from igarape.chips.pictures import decode
from igarape.config.datasets import data_root

SETS = {"ucmerced": "train.csv", "planet": "train_subset.csv"}


@cache
def chips(name: str) -> dict[str, tuple[frozenset[str], npt.NDArray[np.uint8]]]:
    """Return the tags and the image, uint8 (h, w, 3), of each labelled chip of ucmerced or planet, by its name."""
    folder: Path = data_root() / name
    if not (folder / "train-jpg").is_dir():
        raise SystemExit(f"{folder}: no chips there; set IGARAPE_DATA to the folder that holds {name}")
    with (folder / SETS[name]).open(encoding="utf-8-sig", newline="") as file:
        rows = sorted((row["image_name"], frozenset(row["tags"].split())) for row in csv.DictReader(file))
    files = {image_id: folder / "train-jpg" / f"{image_id}.jpg" for image_id, _ in rows}
    return {
        image_id: (tags, decode(files[image_id].read_bytes(), str(files[image_id])))
        for image_id, tags in rows
        if files[image_id].exists()
    }


def labels_of(name: str) -> tuple[str, ...]:
    """Return the labels of these chips, sorted."""
    return tuple(sorted(frozenset().union(*(tags for tags, _ in chips(name).values()))))
