"""Views: by how many of the eight symmetries of the square a picture is answered; the mean over them is the answer.

With the numbers that networks compute in, they are the mode of an answer: how much work it is, and what that costs.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from igarape.chips.pictures import Pixels, symmetries
from igarape.learners.predictor import Predictor, Rows
from igarape.tables import Probabilities

ALL = 8
FLOAT, INTEGER = "float32", "int8"
COUNTS = (8, 4, 2, 1)  # 4: the quarter turns; 2: as it is, and a quarter turn


class Mode(NamedTuple):
    """How a picture is answered. precision: of what networks compute with, FLOAT or INTEGER."""

    views: int
    precision: str = FLOAT

    def __str__(self) -> str:
        """Return its name, such as 4 or 4-int8."""
        return str(self.views) if self.precision == FLOAT else f"{self.views}-{self.precision}"


PIPELINE = Mode(ALL)  # as fold models answer before they are served


class ByMode(NamedTuple):
    """What a bundle answers in each of its modes, and the pipeline in its own.

    served: the mode in which the bundle answers by itself. rows: which chips of the hold-out, in their order. p:
    probabilities (rows, labels). milliseconds: of a chip. quantised: the learners that compute in 8-bit integers.
    """

    served: Mode
    rows: Rows
    p: Mapping[Mode, Probabilities]
    milliseconds: Mapping[Mode, float]
    quantised: Sequence[str] = ()


def each_view(predictor: Predictor, images: Pixels, *, count: int, batch: int) -> Probabilities:
    """Return what a learner answers to each of the first views of pictures, float32 (count, n, labels).

    Parameters
    ----------
    predictor
        The learner.
    images
        RGB, uint8 (n, size, size, 3).
    count
        How many views.
    batch
        How many of them go through a model at once.
    """
    views = np.concatenate(symmetries(images)[:count])
    p: Probabilities = predictor.predict(views, tta=False, batch=batch).reshape(count, len(images), -1)
    return p


def mean_view(p: Probabilities, count: int) -> Probabilities:
    """Return the mean over the first views of those that were answered, (views, n, labels): float32 (n, labels)."""
    mean: Probabilities = p[:count].mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean
