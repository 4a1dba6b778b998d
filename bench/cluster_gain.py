"""cluster_gain: chips dehazed on a Ray cluster of two nodes of one processor each, against the same on one node.

A node has a processor of this machine to itself, for all that it runs; Ray's head and the step run on the first one, as
on the machine that a team outgrows. How long tasks take is told by the tasks alone: from the first chip that is counted
to the last, without Ray's start. With IGARAPE_BENCH_CHIPS, so many chips.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import clusters
import numpy as np
import pandas as pd

from igarape.chips.pictures import encode_jpeg
from igarape.chips.shards import deal, open_shard, write_shards
from igarape.cluster.settings import ADDRESS
from igarape.cluster.spreading import packers
from igarape.config.params import read_params
from igarape.stages.dehaze import _pack
from igarape.workspace import Workspace

COUNT, SIDE = 20_000, 256
ROOT = Path(__file__).parents[1]
ALL = os.sched_getaffinity(0)


def run() -> dict[str, object]:
    """Return chips a second of two nodes, and of one."""
    count = int(os.environ.get("IGARAPE_BENCH_CHIPS", COUNT))
    with TemporaryDirectory() as folder:
        here = Workspace(folder)
        catalog = _packed(here, count)
        one, two = (_rate(here, catalog, nodes) for nodes in (1, 2))
    return {"ours": two, "peer": one, "ratio": two / one, "unit": "chips/s", "n": count}


def _packed(here: Workspace, count: int) -> pd.DataFrame:
    """Pack a few pictures many times, and return their catalog."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 255, (16, SIDE // 8, SIDE // 8, 3), dtype=np.uint8)
    pictures = [encode_jpeg(one, 90) for one in coarse.repeat(8, axis=1).repeat(8, axis=2)]
    rows = []
    for number, part in enumerate(deal(count)):
        with open_shard(here.chips("raw") / f"shard-{number:05d}.tar") as shard:
            names = [f"chip-{row}" for row in part]
            rows += [(name, *shard.add(name, pictures[row % 16])) for row, name in enumerate(names)]
    return pd.DataFrame(rows, columns=["image_id", "shard", "offset", "length"])


def _rate(here: Workspace, catalog: pd.DataFrame, nodes: int) -> float:
    """Return the chips a second that so many nodes dehaze, once each has written some shards."""
    parts = [part for _, part in catalog.groupby("shard", sort=True)]
    pack = partial(_pack, source=here.chips("raw"), settings=read_params(ROOT / "params.yaml").dehaze)
    told: list[tuple[float, int]] = []
    with _on(0), clusters.started(1) as cluster:
        for processor in range(1, nodes):
            with _on(processor):
                clusters.add(cluster)
        os.environ[ADDRESS] = cluster.address
        with packers(here, "dehaze", shards=len(parts)) as executor, TemporaryDirectory(dir=here.root) as folder:
            write_shards(
                Path(folder, "result"),
                parts,
                pack,
                scratch=Path(folder, "notes"),
                executor=executor,
                report=lambda done: told.append((time.perf_counter(), done)),
            )
    start, end = (next(entry for entry in told if entry[1] >= share * len(catalog)) for share in (0.2, 0.9))
    return (end[1] - start[1]) / (end[0] - start[0])


@contextmanager
def _on(processor: int) -> Iterator[None]:
    """Keep to one of the processors that there are, and so whatever is started in the block, for as long as it runs."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(ALL)[processor]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


if __name__ == "__main__":
    print(run())
