"""Novelty: how far a picture lies from those of the training, as the share of the hold-out that lies nearer.

Pictures are compared by their statistics of colour and texture, the ones that trees see. A picture's distance to its
nearest chips of the folds (Sun et al., ICML 2022) counts by how far those lie from their own neighbours (Breunig et
al., SIGMOD 2000), as fields are more alike than towns. The hold-out, which took no part, says what is usual.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from igarape.chips.pictures import Pixels, resize
from igarape.errors import InputError
from igarape.files import atomic_path
from igarape.learners.trees.statistics import Table, names, statistics

Floats = npt.NDArray[np.float64]

SIDE = 64  # pixels that statistics are taken of
NEIGHBOURS = 5
FARTHEST = 10.0  # deviations from the mean; one odd statistic shall not hide all others
KNOWN, HELD = 1024, 2048  # chips at most, which a file of a megabyte or two has room for


@dataclass(frozen=True)
class Novelty:
    """What is usual. Of statistics: mean, scale. Of chips of the folds: known (n, statistics), standardised; spread.

    spread: how far each of them lies from its own neighbours, (n,). held: the hold-out's scores, in order.
    """

    mean: Floats
    scale: Floats
    known: Table
    spread: Floats
    held: Floats

    @classmethod
    def fit(cls, known: Iterable[Pixels], held: Iterable[Pixels]) -> "Novelty":
        """Learn what is usual from chips of the folds and of the hold-out, RGB; sampled says which are enough.

        Raises InputError for fewer than two chips of the folds, or none of the hold-out.
        """
        table, usual = _statistics(known), _statistics(held)
        if len(table) < 2 or not len(usual):
            raise InputError(
                f"novelty: expected at least 2 chips of the folds and 1 of the hold-out, found {len(table)} and "
                f"{len(usual)}. Bring more chips; then: dvc repro"
            )
        mean, scale = table.mean(axis=0, dtype=np.float64), table.std(axis=0, dtype=np.float64)
        scale[scale == 0] = 1
        rows = _standardised(table, mean, scale).astype(np.float16).astype(np.float32)  # as the file has them
        apart = np.array([np.delete(_distances(rows, row), place) for place, row in enumerate(rows)])
        apart.sort(axis=1)
        spread = np.maximum(apart[:, min(NEIGHBOURS, len(rows) - 1) - 1], np.finfo(np.float32).eps)
        unsure = cls(mean, scale, rows, spread, np.empty(0))
        return cls(mean, scale, rows, spread, np.sort(unsure.scores(usual)))

    def ood(self, images: Iterable[Pixels]) -> Floats:
        """Return how far out of the distribution pictures lie: the share of the hold-out that lies nearer, 0..1, (n,).

        images: RGB, uint8 (size, size, 3). An answer depends on no other picture, and on no turn of its own.
        """
        nearer: Floats = np.searchsorted(self.held, self.scores(_statistics(images))) / len(self.held)
        return nearer

    def scores(self, table: Table) -> Floats:
        """Return how many times as far as usual the nearest known chips lie from statistics (n, statistics): (n,)."""
        return np.array([self._score(row) for row in _standardised(table, self.mean, self.scale)])

    def _score(self, row: Table) -> float:
        """Return the score of one row of standardised statistics."""
        apart, count = _distances(self.known, row), min(NEIGHBOURS, len(self.known) - 1)
        near = np.argpartition(apart, count - 1)[:count]
        return float(apart[near].max() / self.spread[near].mean())

    def save(self, path: Path) -> None:
        """Write NumPy's arrays by name; the same ones give the same bytes."""
        with atomic_path(path) as unfinished, unfinished.open("wb") as file:
            np.savez(file, statistics=np.array(names()), **asdict(self) | {"known": self.known.astype(np.float16)})

    @classmethod
    def load(cls, path: Path) -> "Novelty":
        """Read what save wrote; raise InputError for a damaged file, or one of other statistics than there are here."""
        way_out = "Run: dvc repro evaluate, or use the igarape that wrote it"
        try:
            with np.load(path) as arrays:
                same = tuple(arrays["statistics"].tolist()) == names()
                found = {name: arrays[name] for name in cls.__dataclass_fields__}
        except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
            raise InputError(f"{path}: does not say what is usual of pictures: {error}. {way_out}") from error
        if not same:
            raise InputError(f"{path}: expected the statistics that this igarape takes of a chip. {way_out}")
        return cls(**found | {"known": found["known"].astype(np.float32)})


def sampled(names_of_chips: Sequence[str], most: int) -> list[str]:
    """Return so many of some names at most, evenly from all of them."""
    places = np.linspace(0, len(names_of_chips) - 1, min(most, len(names_of_chips))).astype(int)
    return [names_of_chips[place] for place in places.tolist()]


def _statistics(images: Iterable[Pixels]) -> Table:
    """Return the statistics of pictures, (n, statistics)."""
    return statistics(resize(image, SIDE) for image in images)


def _standardised(table: Table, mean: Floats, scale: Floats) -> Table:
    """Return statistics less their mean, by their scale, at most FARTHEST from 0."""
    z = np.clip((table - mean) / scale, -FARTHEST, FARTHEST)
    return z.astype(np.float32)


def _distances(known: Table, row: Table) -> Floats:
    """Return how far a row (statistics,) lies from each known one, (n,)."""
    away = known - row
    distances: Floats = np.sqrt(np.einsum("ns,ns->n", away, away).astype(np.float64))
    return distances
