"""dehaze_kernel: the kernel against the literal implementation, one core each, on real chips."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import literal
import numpy as np
from real import chips

from igarape.chips.dehaze import dehaze
from igarape.config.params import read_params

SAMPLE = 150  # chips of each set
ROUNDS = 5


def run() -> dict[str, object]:
    """Return milliseconds a chip of both, the best of a few rounds, and by how many grey levels they differ."""
    cv2.setNumThreads(1)
    knobs: dict[str, Any] = read_params(Path("params.yaml")).dehaze.model_dump(exclude={"quality"})
    exact = {name: value for name, value in knobs.items() if name != "subsample"}
    images = [rgb for name in ("ucmerced", "planet") for _, rgb in list(chips(name).values())[:SAMPLE]]
    rounds = [
        (
            milliseconds(lambda rgb: dehaze(rgb, **knobs), images),
            milliseconds(lambda rgb: literal.dehaze(rgb, **exact), images),
        )
        for _ in range(ROUNDS)
    ]
    ours, peer = (min(times) for times in zip(*rounds, strict=True))
    apart = [np.abs(dehaze(rgb, **knobs)[0].astype(int) - literal.dehaze(rgb, **exact)).mean() for rgb in images]
    row = {"ours": ours, "peer": peer, "ratio": peer / ours, "unit": "ms/chip", "n": len(images)}
    return row | {"mean_difference": float(np.mean(apart))}


def milliseconds(work: Callable[[Any], object], images: list[Any]) -> float:
    """Return the processor time that some work takes for a picture."""
    start = time.process_time()
    for rgb in images:
        work(rgb)
    return (time.process_time() - start) / len(images) * 1000


if __name__ == "__main__":
    print(run())
