"""Drawn chips in memory, and the plain learner's experiment, for benches that train."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from igarape.chips.drawn.drawing import draw_chips
from igarape.chips.pictures import decode, resize
from igarape.config.datasets import read_dataset
from igarape.config.experiments import read_experiment
from igarape.config.network_kinds import Network
from igarape.labels import Booleans, Targets
from igarape.learners.examples import Images, Rows

ROOT = Path(__file__).parents[1]
SIDE = 64


@dataclass(frozen=True)
class Taught:
    """What a learner is taught: chips, their labels, and two parts of them."""

    images: Images
    y: Booleans
    targets: Targets
    train: Rows
    validation: Rows


@cache
def taught(count: int, side: int = SIDE) -> Taught:
    """Draw chips, and make them side pixels small; a fifth of them are for validation."""
    vocabulary = read_dataset("drawn", ROOT / "datasets").labels.vocabulary()
    chips = [one.chip for one in draw_chips(range(count), 2, seed=0, size=256)]
    rows = np.arange(count)
    return Taught(
        images=np.stack([resize(decode(chip.origin.read(), chip.image_id), side) for chip in chips]),
        y=np.array([vocabulary.encode(chip.tags) for chip in chips], dtype=np.bool_),
        targets=vocabulary.targets("all"),
        train=rows[rows % 5 != 0],
        validation=rows[rows % 5 == 0],
    )


def experiment(*, size: int = SIDE, backbone: str = "plain", **hyperparameters: Any) -> Network:
    """Return the experiment `plain` with another size and backbone, and other hyperparameters."""
    plain = read_experiment("plain", ROOT / "experiments").model_dump()
    changed = {"size": size, "backbone": backbone, "objective": "f2"}
    return Network(**plain | changed | {"hyperparameters": plain["hyperparameters"] | hyperparameters})
