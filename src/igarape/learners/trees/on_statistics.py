"""Models of a chip's statistics: that they were fitted on those, and what several of them answer together."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from igarape.chips.pictures import Pixels
from igarape.errors import InputError
from igarape.learners.trees.statistics import Table, names, statistics
from igarape.tables import Probabilities

Floats = npt.NDArray[np.float64]

KEPT = 64  # chips: a batch, which one learner sees after the other


def check_names(known: Sequence[str], path: Path, *, what: str) -> None:
    """Refuse a model, what is in path, that was fitted on other statistics than those of names().

    Raises InputError that names what is not in both.
    """
    if tuple(known) == names():
        return
    odd = sorted(set(known) ^ set(names()))[:3]
    raise InputError(
        f"{path}: expected {what} on the {len(names())} statistics that this igarape takes of a chip, found "
        f"{len(known)}; not in both, or in another order: {', '.join(odd) or 'their order'}. "
        "Run: dvc repro train, or use the igarape that made it"
    )


class OnStatistics(Protocol):
    """A model of a chip's statistics. size: the side of its chips in pixels. outputs: how many labels it predicts."""

    @property
    def size(self) -> int:
        """Return the side of its chips."""

    @property
    def outputs(self) -> int:
        """Return its number of labels."""

    def answer(self, table: Table) -> Probabilities:
        """Return probabilities (n, labels) for statistics (n, statistics)."""


class MeanOnStatistics:
    """The mean of models of a chip's statistics, which are taken once. shapes: as those of networks.

    That is once for all models of a process: those of another learner that sees the same chip find them.
    """

    def __init__(self, models: Sequence[OnStatistics]) -> None:
        self._models = models
        self.shapes = [(model.size, model.outputs) for model in models]

    def mean(self, images: Pixels, *, tta: bool) -> Floats:
        """Average over the models: (n, labels). With tta or without: all views have the same statistics."""
        table = np.array([_kept(image.tobytes(), len(image)) for image in images]).reshape(len(images), len(names()))
        total = np.zeros((len(images), self.shapes[0][1]))
        for model in self._models:
            total += model.answer(table)
        return total / len(self._models)


@lru_cache(maxsize=KEPT)
def _kept(pixels: bytes, side: int) -> Table:
    """Return the statistics of a chip that is given by its bytes; those of the last KEPT chips are remembered."""
    row: Table = statistics([np.frombuffer(pixels, dtype=np.uint8).reshape(side, side, 3)])[0]
    return row
