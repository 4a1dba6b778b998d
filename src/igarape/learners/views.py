"""Views: by how many of the eight symmetries of the square a picture is answered; the mean over them is the answer."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from igarape.chips.pictures import Pixels, symmetries
from igarape.learners.predictor import Predictor, Rows
from igarape.tables import Probabilities

ALL = 8
COUNTS = (8, 4, 2, 1)  # 4: the quarter turns; 2: as it is, and a quarter turn


class ByViews(NamedTuple):
    """What a bundle answers by each number of views.

    rows: which chips of the hold-out, in their order. p: probabilities (rows, labels). milliseconds: of a chip.
    """

    rows: Rows
    p: Mapping[int, Probabilities]
    milliseconds: Mapping[int, float]


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
