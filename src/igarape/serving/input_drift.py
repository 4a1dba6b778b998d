"""Input drift: whether a set of pictures is like the training data, by its answers and by how novel each picture is.

A set is a scene's tiles, the pictures that were tagged at once, or the latest that a server has answered.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from igarape.labels import Vocabulary
from igarape.scores.answers import PROBABILITY
from igarape.scores.drift import IN_RANGE, ODD, UNLIKE, Drift, DriftReference, measure_drift
from igarape.serving.answers import FAR, FARTHER, WARNING
from igarape.serving.batches import PARQUET
from igarape.serving.bundle import Bundle
from igarape.serving.reference import drift_reference
from igarape.tables import Probabilities

STRANGEST = 10
# The share of pictures that are farther from the training's than FAR of the hold-out: one in 200 is usual.
MOST, SOME = 0.5, 0.1
ORDER = (IN_RANGE, ODD, UNLIKE)
LATELY = 1000  # pictures that a server remembers the answers to

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class InputDrift:
    """How far a set of pictures lies from the training data.

    verdict: in range, unusual, or not like training; None where there is none, for the reason in why. chance: the
    p-value of the answers' drift, from sets of training scenes; None without a reference. far: the share of pictures
    that are farther from the training data than FAR of the hold-out; None for a bundle without novelty. strangest: the
    pictures with the largest distances, and those, largest first; distances are those of the answers, else ood.
    """

    verdict: str | None
    chance: float | None
    far: float | None
    strangest: Sequence[tuple[str, float]]
    why: str


def input_drift(
    names: Sequence[str], p: Probabilities, ood: Floats, *, usual: DriftReference | None, words: Vocabulary
) -> InputDrift:
    """Measure the drift of a set of pictures.

    Parameters
    ----------
    names
        Of the pictures.
    p
        Their probabilities, (n, labels); NaN where a picture shows no ground.
    ood
        The share of the hold-out that lies nearer to the training data than each picture, (n,); NaN: unknown.
    usual
        The reference for the answers, from the training; None: the bundle has none.
    words
        The vocabulary.
    """
    found = measure_drift(usual, p, words) if usual else None
    known = ood[~np.isnan(ood)]
    far = float((known > FAR).mean()) if len(known) else None
    said = [found.verdict] if found else []
    said += [] if far is None else [UNLIKE] if far >= MOST else [ODD] if far >= SOME else []
    unknown = (
        "the model's training does not say what is usual: too few scenes, labels that all exclude each other, or "
        "answers that are all alike"
    )
    why = "no ground was seen" if usual else unknown
    return InputDrift(
        verdict=max(said, key=ORDER.index) if said else None,
        chance=found.chance if found else None,
        far=far,
        strangest=_strangest(names, found, ood),
        why="" if said else why,
    )


def drift_of_rows(rows: pd.DataFrame, names: Sequence[str], bundle: Bundle) -> InputDrift:
    """Measure the drift of pictures from the rows that a bundle has answered."""
    p = rows[[PROBABILITY + label for label in bundle.vocabulary.labels]].to_numpy(dtype=np.float32)
    far = np.array([FARTHER in text for text in rows[WARNING]], dtype=np.float64)
    reference = bundle.manifest.reference
    usual = drift_reference(reference.answers) if reference and reference.answers else None
    ood = far if bundle.novelty else np.full(len(rows), np.nan)
    return input_drift(names, p, ood, usual=usual, words=bundle.vocabulary)


def drift_of_table(table: Path, bundle: Bundle) -> InputDrift | None:
    """Measure the drift of the pictures in a table of answers; None for an empty one."""
    columns = ["image_name", WARNING, *(PROBABILITY + label for label in bundle.vocabulary.labels)]
    parquet = table.suffix.lower() == PARQUET
    if parquet:
        rows = pd.read_parquet(table, columns=columns)
    else:  # a picture may be called null, or 7
        texts = {"image_name": str, WARNING: str}
        rows = pd.read_csv(table, usecols=columns, dtype=texts, keep_default_na=False)
    return drift_of_rows(rows.fillna({WARNING: ""}), rows["image_name"].tolist(), bundle) if len(rows) else None


def drift_warning(found: InputDrift) -> str:
    """Return one line for people where pictures have drifted; an empty one where they are in range."""
    if found.verdict in {None, IN_RANGE}:
        return ""
    share = "" if found.chance is None else f"; of sets like the training's {found.chance:.1%} are as far off"
    names = ", ".join(name for name, _ in found.strangest)
    return f"taken together these pictures are {found.verdict}{share}. Look at these, and label them, first: {names}"


def drift_figures(found: InputDrift) -> dict[str, float]:
    """Return the drift as metrics; drift is the verdict's place in ORDER: 0, 1 or 2. What is None is left out."""
    level = None if found.verdict is None else float(ORDER.index(found.verdict))
    told = {"drift": level, "drift_chance": found.chance, "drift_far": found.far}
    return {name: value for name, value in told.items() if value is not None}


@dataclass
class Window:
    """A sliding window over the latest answers of a server, all by one bundle."""

    bundle: Bundle | None = None
    rows: deque[pd.DataFrame] = field(default_factory=deque)
    count: int = 0

    def add(self, rows: pd.DataFrame, bundle: Bundle) -> None:
        """Add answers; forget those of another bundle, and all but about the last LATELY."""
        if bundle is not self.bundle:
            self.bundle, self.count = bundle, 0
            self.rows.clear()
        self.rows.append(rows)
        self.count += len(rows)
        while self.count - len(self.rows[0]) >= LATELY:
            self.count -= len(self.rows.popleft())

    def snapshot(self) -> tuple[Bundle | None, list[pd.DataFrame]]:
        """Return the bundle and its rows, for another thread to measure while rows are added here."""
        return self.bundle, list(self.rows)


def gauges(bundle: Bundle | None, answered: Sequence[pd.DataFrame]) -> Mapping[str, float]:
    """Return the drift of answered pictures as gauges, with their number; nothing before the first answer."""
    if bundle is None or not answered:
        return {}
    rows = pd.concat(list(answered), ignore_index=True)
    return drift_figures(drift_of_rows(rows, [""] * len(rows), bundle)) | {"drift_pictures": float(len(rows))}


def _strangest(names: Sequence[str], found: Drift | None, ood: Floats) -> list[tuple[str, float]]:
    """Return the pictures with the largest distances that are no NaN, and those distances."""
    far = found.far if found else ood
    seen = np.flatnonzero(~np.isnan(far))
    order = seen[np.argsort(-far[seen], kind="stable")][:STRANGEST]
    return [(names[row], round(float(far[row]), 3)) for row in order.tolist()]
