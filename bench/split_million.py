"""split_million: the pairs of a million chips that belong together, as split looks for them, against all with all.

Fingerprints are made up: hashes of chance bits and borders of every tone and roughness, as those of real chips are
spread. Planted among them: near-duplicates of 0 to 60 changed bits, flat chips of one hash, neighbours whose borders go
on in each other. The ratio is taken at PEER_CHIPS, where a literal search, of near-duplicates alone, is borne: each
hash against all that follow it; processor time of one thread, so that other jobs count for little.

A million chips are those of a project, with the labels of drawn ones, in which `igarape split` runs on two cores, by
chip and by scene: minutes by the clock, and the memory of all its processes together.

`python bench/split_million.py CHIPS` measures another number of chips, and no peer; with `sides` behind it,
the neighbours on one side alone: borders compared all with all, and in cells.
"""

import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import pandas as pd
from project import BASE, project
from project import run as command

from igarape.chips import borders
from igarape.chips.fingerprints import BITS, LENGTHS, SAMPLES, SIDES, Fingerprints
from igarape.chips.neighbours import FACING, find_pairs
from igarape.executors import Here
from igarape.tables import write_table

CHIPS, PEER_CHIPS, ASKED, ROWS = 1_000_000, 100_000, 2_000, 10
SIDE, LABELLED = 64, 0.9  # pixels of the chips that are packed, and the share that has labels
COPIES, FLAT = 20, 50  # one chip in so many
HAMMING, RATIO, CORRELATION = 40, 0.7, 0.5


def run() -> dict[str, object]:
    """Return the seconds of near-duplicates alone at PEER_CHIPS, ours and the peer's, and minutes and GB at CHIPS."""
    prints = fingerprints(PEER_CHIPS)
    ours = _seconds(prints)
    peer = _peer(prints) * PEER_CHIPS / 2 / ASKED  # each pair once
    row = {"ours": ours, "peer": peer, "ratio": peer / ours, "unit": "s", "n": PEER_CHIPS}
    return row | _measure(CHIPS)


def fingerprints(count: int) -> Fingerprints:
    """Make fingerprints up."""
    rng = np.random.default_rng(0)
    phash = rng.integers(0, 256, (count, BITS // 8), dtype=np.uint8)
    copies = count // COPIES
    changed = rng.random((copies, BITS)) < rng.integers(0, 60, (copies, 1)) / BITS
    phash[-copies:] = phash[:copies] ^ np.packbits(changed, axis=1)
    phash[:: COPIES * FLAT] = 0
    borders = np.empty((count, len(SIDES), SAMPLES), dtype=np.uint8)
    for start in range(0, count, 2**14):
        borders[start : start + 2**14] = _borders(rng, len(borders[start : start + 2**14]))
    names = [f"chip-{row:07d}" for row in range(count)]
    return Fingerprints(names, np.arange(count, dtype=np.uint32), phash, borders)


def write_fingerprints(image_ids: Sequence[str], path: Path) -> None:
    """Write made-up fingerprints as ingest leaves them."""
    prints = fingerprints(len(image_ids))
    columns = {name: list(map(bytes, getattr(prints, name).reshape(len(prints), -1))) for name in LENGTHS}
    write_table(pd.DataFrame({"image_id": image_ids, "pixels": prints.pixels} | columns), path)


def _borders(rng: np.random.Generator, count: int) -> np.ndarray:
    """Draw the four borders of chips; every other chip lies to the left of the next, and above it."""
    rough = rng.lognormal(2.3, 0.8, (count, 1))
    lines = np.empty((count, len(SIDES), SAMPLES))
    for side in range(len(SIDES)):
        grain = rng.normal(size=(count, SAMPLES))
        lines[:, side] = rng.normal(110, 40, (count, 1)) + rough * (grain + 4 * cv2.blur(grain, (15, 1)))
    for ours, theirs in (("right", "left"), ("bottom", "top")):
        ends = lines[: count // 2 * 2 : 2, SIDES.index(ours)]
        lines[1::2, SIDES.index(theirs)] = ends + rng.normal(size=ends.shape) * rough[1::2] * 0.4
    return np.asarray(np.clip(lines, 0, 255).astype(np.uint8))


def _seconds(prints: Fingerprints) -> float:
    """Return the processor seconds in which this process finds near-duplicates."""
    start = time.process_time()
    with TemporaryDirectory() as folder:
        find_pairs(
            prints,
            hamming=HAMMING,
            ratio=RATIO,
            correlation=CORRELATION,
            borders=False,
            executor=Here(),
            folder=Path(folder),
        )
    return time.process_time() - start


def _peer(prints: Fingerprints) -> float:
    """Return the seconds in which ASKED hashes are each compared with all, a few at a time, as split once did."""
    words = np.ascontiguousarray(prints.phash.view(np.uint64).T)
    start = time.process_time()
    for first in range(0, ASKED, ROWS):
        bits = np.zeros((ROWS, len(prints)), dtype=np.uint16)
        for word in words:
            bits += np.bitwise_count(word[first : first + ROWS, None] ^ word)
        np.nonzero(bits <= HAMMING)
    return time.process_time() - start


def _measure(count: int) -> dict[str, object]:
    """Return what split costs with so many chips, and how many pairs there are of each kind."""
    folder = project(BASE, SIDE, labelled=LABELLED, packed=True)
    for step in ("code", "ingest"):
        command(folder, "igarape", step)
    names = [f"chip-{row:07d}" for row in range(count)]
    _list(folder / "data/ingest/catalog.parquet", names)
    write_fingerprints(names, folder / "data/ingest/fingerprints.parquet")
    figures: dict[str, object] = {"chips": count}
    for by in ("chip", "scene"):
        params = (folder / "params.yaml").read_text(encoding="utf-8")
        (folder / "params.yaml").write_text(re.sub(r"(?m)^  by: \w+", f"  by: {by}", params), encoding="utf-8")
        cost = command(folder, "igarape", "split")
        figures[f"by_{by}"] = {
            "minutes": round(cost.seconds / 60, 2),
            "processor_minutes": round(cost.processor / 60, 2),
            "memory_gb": round(cost.memory / 2**30, 2),
        }
    kinds = pd.read_parquet(folder / "data/split/pairs.parquet", columns=["kind"])["kind"]
    return figures | {str(kind): int(found) for kind, found in kinds.value_counts().items()}


def _list(catalog: Path, names: Sequence[str]) -> None:
    """List a catalog's chips with labels as often as it takes under other names, each a scene of its own."""
    rows = pd.read_parquet(catalog).query("split == 'train'")
    again = pd.concat([rows] * -(-len(names) // len(rows)), ignore_index=True)[: len(names)]
    write_table(again.assign(image_id=names, group=names), catalog)


def _sides(count: int) -> dict[str, object]:
    """Return the seconds of the neighbours to the right, all with all and in cells, and how many both ways find."""
    sides = fingerprints(count).borders
    ours, theirs = (np.ascontiguousarray(sides[:, SIDES.index(side)]) for side in FACING["right"])
    found = {}
    figures: dict[str, object] = {"chips": count}
    for name, limit in (("all_with_all", count), ("in_cells", 0)):
        borders.EXHAUSTIVE = limit
        start = time.process_time()
        with TemporaryDirectory() as folder:
            one, other, _ = borders.fitting(
                ours, theirs, ratio=RATIO, correlation=CORRELATION, executor=Here(), folder=Path(folder, name)
            )
        figures |= {name: time.process_time() - start, f"{name}_pairs": len(one)}
        found[name] = set(zip(one.tolist(), other.tolist(), strict=True))
    return figures | {"both_pairs": len(found["all_with_all"] & found["in_cells"])}


if __name__ == "__main__":
    print((_sides if sys.argv[2:] == ["sides"] else _measure)(int(sys.argv[1])))
