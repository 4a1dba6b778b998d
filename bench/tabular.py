"""tabular: the statistics of a chip against the same ones taken as they were first written, on real chips at 128 px.

Both give the same numbers to the last bit, or the bench fails. They take turns, one core each, by processor time.
"""

import time
from collections.abc import Callable

import cv2
import literal_statistics
import numpy as np
from real import chips

from igarape.chips.pictures import Pixels, resize
from igarape.learners.memory import keep_memory
from igarape.learners.trees.statistics import Table, statistics

SIZE = 128  # what the experiment tabular sees
SAMPLE = 150  # chips of each set
ROUNDS = 5


def run() -> dict[str, object]:
    """Return milliseconds a chip of both, the best of a few rounds."""
    cv2.setNumThreads(1)
    keep_memory()  # as whatever predicts does
    images = [resize(rgb, SIZE) for name in ("ucmerced", "planet") for _, rgb in list(chips(name).values())[:SAMPLE]]
    if not np.array_equal(statistics(images), _literal(images)):
        raise SystemExit("tabular: the two sides have other statistics")
    rounds = [(_milliseconds(statistics, images), _milliseconds(_literal, images)) for _ in range(ROUNDS)]
    ours, peer = (min(times) for times in zip(*rounds, strict=True))
    return {"ours": ours, "peer": peer, "ratio": peer / ours, "unit": "ms/chip", "n": len(images)}


def _literal(images: list[Pixels]) -> Table:
    """Return the statistics by the literal implementation."""
    return np.array([list(literal_statistics.describe(rgb).values()) for rgb in images], dtype=np.float32)


def _milliseconds(work: Callable[[list[Pixels]], Table], images: list[Pixels]) -> float:
    """Return the processor time that some work takes for a picture."""
    start = time.process_time()
    work(images)
    return (time.process_time() - start) / len(images) * 1000


if __name__ == "__main__":
    print(run())
