"""batch: chips/s of what `igarape predict` does with packed chips, as a share of what the graphs alone would do.

Five MobileNets, eight views a chip, and a student: one of them, one view, of chips as large as experiments/student.yaml
asks for. The peer feeds the same graphs with chips that lie in memory, ready to be fed. Both take turns. Processor time
is compared, as other jobs may run beside; what the clock says, which counts where none do, stands beside it, as does
what decoding alone takes.
"""

import itertools
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from mobilenets import NAME, make_networks, pack
from real import chips, labels_of

from igarape.chips.pictures import encode_jpeg, resize
from igarape.chips.shards import open_shard
from igarape.learners.predictor import Predictor
from igarape.serving.batches import tag_batches
from igarape.serving.bundle import AT_ONCE, Bundle
from igarape.serving.tagging import CATALOG, Pictures, find_pictures
from igarape.tables import write_table

SET = "ucmerced"
SAMPLES = {"five": 16, "student": 512}  # chips
SIZES = {"five": 128, "student": 192}
ROUNDS = 4


def run() -> dict[str, object]:
    """Return the chips/s of the student, and of its graph alone; of the five networks too."""
    found = chips(SET)
    labels = labels_of(SET)
    networks = make_networks(labels)
    rates = {}
    with TemporaryDirectory() as made:
        for name, some in {"five": networks, "student": networks[:1]}.items():
            folder = Path(made, name)
            folder.mkdir()
            place = pack(folder, some, labels, size=SIZES[name], tta=len(some) > 1)
            images = [rgb for _, rgb in list(found.values())[: SAMPLES[name]]]
            rates[name] = _rates(folder, place, images)
    student, five = rates["student"], rates["five"]
    (ours, ours_wall), (peer, peer_wall) = student["ours"], student["graphs"]
    row = {"ours": ours, "peer": peer, "ratio": ours / peer, "unit": "chips/s", "n": SAMPLES["student"]}
    row |= {"ours_wall": ours_wall, "peer_wall": peer_wall, "wall_ratio": ours_wall / peer_wall}
    row |= {"decoding": student["decoding"][0], "student_to_five": ours / five["ours"][0]}
    return row | {"five": five["ours"], "five_graphs": five["graphs"]}


def _rates(folder: Path, place: Path, images: list[np.ndarray]) -> dict[str, tuple[float, float]]:
    """Return the chips that are done in a second, of processor time and by the clock, by each side.

    ours: from packed chips to a table. graphs: answered, and no more. decoding: decoded, and no more.
    """
    bundle = Bundle.load(place, threads=1)  # as predict opens it
    (learner,) = bundle.manifest.learners
    packed = _packed(folder / "packed", images)
    predictor = Predictor([place / file for file in learner.files])
    ready = np.stack([resize(image, learner.size) for image in images])
    numbers = itertools.count()

    def pictures() -> Pictures:
        return find_pictures([packed], spool=folder / "spool", report=lambda *_: None)

    def ours() -> None:
        number, found = next(numbers), pictures()
        parts = folder / f"parts-{number}"
        parts.mkdir()
        out = folder / f"{number}.csv"
        failed = tag_batches(
            list(found.origins), found, out, bundle=bundle, parts=parts, complain=print, report=lambda *_: None
        )
        if failed or len(pd.read_csv(out)) != len(images):
            raise SystemExit("batch: chips are missing in the table")

    def graphs() -> None:
        predictor.predict(ready, tta=learner.tta, batch=AT_ONCE)

    def decoding() -> None:
        for name, origin in pictures().origins.items():
            bundle.decode(origin.read(), name)

    sides: dict[str, Callable[[], None]] = {"ours": ours, "graphs": graphs, "decoding": decoding}
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, side in sides.items():
            processor, clock = time.process_time(), time.perf_counter()
            side()
            spent[name].append((time.process_time() - processor, time.perf_counter() - clock))
    best = {name: np.min(seconds, axis=0) for name, seconds in spent.items()}
    return {
        name: (len(images) / float(processor), len(images) / float(clock)) for name, (processor, clock) in best.items()
    }


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
