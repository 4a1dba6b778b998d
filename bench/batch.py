"""batch: chips/s of what `igarape predict` does with packed chips, as a share of what the graphs alone would do.

Five MobileNets, eight views a chip, and a student: one of them, one view. The peer feeds the same graphs with chips
that lie in memory, ready to be fed. Both take turns; processor time is compared, as other jobs may run beside.
"""

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from mobilenets import NAME, SIZE, make_networks, pack
from real import chips

from igarape.chips.pictures import encode_jpeg, resize
from igarape.chips.shards import open_shard
from igarape.learners.predictor import Predictor
from igarape.serving.batches import tag_batches
from igarape.serving.bundle import AT_ONCE, Bundle
from igarape.serving.tagging import CATALOG, find_pictures
from igarape.tables import write_table

SET = "ucmerced"
SAMPLES = {"five": 16, "student": 128}  # chips
ROUNDS = 2


def run() -> dict[str, object]:
    """Return the chips/s of processor time of the student, and of its graph alone; of the five networks too."""
    found = chips(SET)
    if not found:
        raise SystemExit(f"batch: no chips of {SET}; set IGARAPE_DATA to the folder that holds it")
    labels = tuple(sorted(set().union(*(tags for tags, _ in found.values()))))
    networks = make_networks(labels)
    rates = {}
    with TemporaryDirectory() as made:
        for name, some in {"five": networks, "student": networks[:1]}.items():
            folder = Path(made, name)
            folder.mkdir()
            bundle = pack(folder, some, labels, tta=len(some) > 1)
            images = [rgb for _, rgb in list(found.values())[: SAMPLES[name]]]
            rates[name] = _rates(folder, bundle, images)
    ours, peer = rates["student"]
    five, graphs = rates["five"]
    row = {"ours": ours, "peer": peer, "ratio": ours / peer, "unit": "chips/s", "n": SAMPLES["student"]}
    return row | {"five": five, "five_graphs": graphs, "five_ratio": five / graphs, "student_to_five": ours / five}


def _rates(folder: Path, place: Path, images: list[np.ndarray]) -> tuple[float, float]:
    """Return the chips that a second of processor time answers: from packed chips to a table, and by the graphs."""
    bundle, (learner,) = Bundle.load(place), Bundle.load(place).manifest.learners
    packed = _packed(folder / "packed", images)
    predictor = Predictor([place / file for file in learner.files])
    ready = np.stack([resize(image, SIZE) for image in images])

    def ours(number: int) -> None:
        pictures = find_pictures([packed], spool=folder / "spool", report=lambda *_: None)
        parts = folder / f"parts-{number}"
        parts.mkdir()
        out = folder / f"{number}.csv"
        failed = tag_batches(
            list(pictures.origins), pictures, out, bundle=bundle, parts=parts, complain=print, report=lambda *_: None
        )
        if failed or len(pd.read_csv(out)) != len(images):
            raise SystemExit("batch: chips are missing in the table")

    def graphs(_: int) -> None:
        predictor.predict(ready, tta=learner.tta, batch=AT_ONCE)

    spent: dict[Callable[[int], None], list[float]] = {ours: [], graphs: []}
    for number in range(ROUNDS):
        for side, seconds in spent.items():
            start = time.process_time()
            side(number)
            seconds.append(time.process_time() - start)
    mine, theirs = (len(images) / min(seconds) for seconds in spent.values())
    return mine, theirs


def _packed(folder: Path, images: list[np.ndarray]) -> Path:
    """Pack pictures as ingest does, and list them in a catalog."""
    folder.mkdir()
    with open_shard(folder / "shard-00000.tar") as shard:
        rows = [
            (f"{NAME}-{k}", "train", *shard.add(f"{NAME}-{k}", encode_jpeg(rgb, 95))) for k, rgb in enumerate(images)
        ]
    columns = ["image_id", "split", "shard", "offset", "length"]
    write_table(pd.DataFrame(rows, columns=columns), folder / CATALOG)
    return folder


if __name__ == "__main__":
    print(run())
