"""Whether pictures are like those of the training, together: by what is answered to them, and by how far they lie off.

Of a scene's tiles, of what was tagged at once, and of what a server has seen lately.
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
from igarape.scores.drift import IN_RANGE, ODD, UNLIKE, Drift, Usual, judge
from igarape.serving.answers import FAR, FARTHER, WARNING
from igarape.serving.batches import PARQUET
from igarape.serving.bundle import Bundle
from igarape.serving.reference import usual_of
from igarape.tables import Probabilities

STRANGEST = 10
# The share of pictures that are farther from the training's than FAR of the hold-out: one in 200 is usual.
MOST, SOME = 0.5, 0.1
ORDER = (IN_RANGE, ODD, UNLIKE)
LATELY = 1000  # pictures that a server remembers the answers to

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Likeness:
    """How pictures lie together.

    verdict: in range, unusual, not like training; None where nobody can tell, which why says. chance: of the sets like
    the training's so many are as far off; None without a verdict on the answers. far: the share of pictures that lie
    far from the training's; None where the model does not know. strangest: names, with how far each lies off, the
    farthest first: of all pictures, by the answers, else by ood.
    """

    verdict: str | None
    chance: float | None
    far: float | None
    strangest: Sequence[tuple[str, float]]
    why: str


def likeness(
    names: Sequence[str], p: Probabilities, ood: Floats, *, usual: Usual | None, words: Vocabulary
) -> Likeness:
    """Judge pictures.

    Parameters
    ----------
    names
        Of the pictures.
    p
        What was answered, (n, labels); NaN where nothing was looked at.
    ood
        The share of the hold-out that lies nearer to the training data, (n,); NaN where nobody knows.
    usual
        Of answers; None: the model's training does not say it.
    words
        The labels.
    """
    found = judge(usual, p, words) if usual else None
    known = ood[~np.isnan(ood)]
    far = float((known > FAR).mean()) if len(known) else None
    said = [found.verdict] if found else []
    said += [] if far is None else [UNLIKE] if far >= MOST else [ODD] if far >= SOME else []
    unknown = (
        "the model's training does not say what is usual: too few scenes, labels that all exclude each other, or "
        "answers that are all alike"
    )
    why = "no ground was seen" if usual else unknown
    return Likeness(
        verdict=max(said, key=ORDER.index) if said else None,
        chance=found.chance if found else None,
        far=far,
        strangest=_strangest(names, found, ood),
        why="" if said else why,
    )


def likeness_of(rows: pd.DataFrame, names: Sequence[str], bundle: Bundle) -> Likeness:
    """Judge pictures by the rows that a bundle has answered to them."""
    p = rows[[PROBABILITY + label for label in bundle.vocabulary.labels]].to_numpy(dtype=np.float32)
    far = np.array([FARTHER in text for text in rows[WARNING]], dtype=np.float64)
    reference = bundle.manifest.reference
    usual = usual_of(reference.answers) if reference and reference.answers else None
    ood = far if bundle.novelty else np.full(len(rows), np.nan)
    return likeness(names, p, ood, usual=usual, words=bundle.vocabulary)


def likeness_of_table(table: Path, bundle: Bundle) -> Likeness | None:
    """Judge the pictures in a table of answers, together; None where there are none."""
    columns = ["image_name", WARNING, *(PROBABILITY + label for label in bundle.vocabulary.labels)]
    parquet = table.suffix.lower() == PARQUET
    if parquet:
        rows = pd.read_parquet(table, columns=columns)
    else:  # a picture may be called null, or 7
        texts = {"image_name": str, WARNING: str}
        rows = pd.read_csv(table, usecols=columns, dtype=texts, keep_default_na=False)
    return likeness_of(rows.fillna({WARNING: ""}), rows["image_name"].tolist(), bundle) if len(rows) else None


def unlike_line(found: Likeness) -> str:
    """Return what people should know of pictures; nothing where they are in range."""
    if found.verdict in {None, IN_RANGE}:
        return ""
    share = "" if found.chance is None else f"; of sets like the training's {found.chance:.1%} are as far off"
    names = ", ".join(name for name, _ in found.strangest)
    return f"taken together these pictures are {found.verdict}{share}. Look at these, and label them, first: {names}"


def drift_figures(found: Likeness) -> dict[str, float]:
    """Return how pictures lie, as figures; drift: 0, 1, 2 as ORDER has it. What nobody can tell is not among them."""
    level = None if found.verdict is None else float(ORDER.index(found.verdict))
    told = {"drift": level, "drift_chance": found.chance, "drift_far": found.far}
    return {name: value for name, value in told.items() if value is not None}


@dataclass
class Window:
    """What a server has answered lately: rows of one bundle."""

    bundle: Bundle | None = None
    rows: deque[pd.DataFrame] = field(default_factory=deque)
    count: int = 0

    def note(self, rows: pd.DataFrame, bundle: Bundle) -> None:
        """Remember the answers to pictures, and forget those of long ago and of other bundles."""
        if bundle is not self.bundle:
            self.bundle, self.count = bundle, 0
            self.rows.clear()
        self.rows.append(rows)
        self.count += len(rows)
        while self.count - len(self.rows[0]) >= LATELY:
            self.count -= len(self.rows.popleft())

    def lately(self) -> tuple[Bundle | None, list[pd.DataFrame]]:
        """Return what answered, and its rows; to be judged in another thread while others are noted."""
        return self.bundle, list(self.rows)


def gauges(bundle: Bundle | None, answered: Sequence[pd.DataFrame]) -> Mapping[str, float]:
    """Return how pictures lie, as figures, and of how many: none before the first one."""
    if bundle is None or not answered:
        return {}
    rows = pd.concat(list(answered), ignore_index=True)
    return drift_figures(likeness_of(rows, [""] * len(rows), bundle)) | {"drift_pictures": float(len(rows))}


def _strangest(names: Sequence[str], found: Drift | None, ood: Floats) -> list[tuple[str, float]]:
    """Return the pictures that lie farthest off, with how far: those that were looked at."""
    far = found.far if found else ood
    seen = np.flatnonzero(~np.isnan(far))
    order = seen[np.argsort(-far[seen], kind="stable")][:STRANGEST]
    return [(names[row], round(float(far[row]), 3)) for row in order.tolist()]
