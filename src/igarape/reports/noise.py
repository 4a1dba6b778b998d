"""Label noise: the labels that the models doubt most, as a table to review and as pictures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from igarape.chips.corrections import Corrections
from igarape.chips.pictures import Pixels
from igarape.labels import Booleans, Vocabulary
from igarape.reports.data import thumbnail
from igarape.reports.review import review_content
from igarape.scores.doubts import Doubts, find_doubts
from igarape.scores.metrics import average_precision
from igarape.tables import HOLDOUT, Probabilities

SHOWN = 18  # chips on the page


@dataclass(frozen=True)
class LabelNoise:
    """What is doubted of a label in the folds.

    count: chips that are given it. added, removed: the chips that models are confident should have it, or not have it.
    wrong: how many of all chips are estimated to be labelled wrongly, by confident learning. known: the average
    precision out of fold, which tells how well the models know it; NaN where no chip has it.
    """

    label: str
    count: int
    added: int
    removed: int
    wrong: float
    known: float


@dataclass(frozen=True)
class DoubtedChip:
    """A chip on the page: its picture as JPEG bytes, the part of the split it lies in, the tags that nobody doubts.

    added, removed: labels that models would add or remove, with the probability that they hold.
    """

    image_id: str
    image: bytes
    part: str
    sure: Sequence[str]
    added: Mapping[str, float]
    removed: Mapping[str, float]


@dataclass(frozen=True)
class Noise:
    """Everything that the page shows of label noise.

    table: reports/doubts.csv. labels: one a label. review: what reports/review.html shows. chips: those doubted most.
    doubted: how many chips are, held_out of them on the hold-out. given: labels that estimates are of: chips in the
    folds, times labels. corrected: corrections that the labels went through, and how many of them of the hold-out.
    """

    table: pd.DataFrame
    labels: Sequence[LabelNoise]
    review: Mapping[str, Any]
    chips: Sequence[DoubtedChip]
    doubted: int
    held_out: int
    given: int
    corrected: int
    corrected_held_out: int

    @property
    def wrong(self) -> float:
        """Return how many labels are estimated to be wrong in the folds."""
        return sum(label.wrong for label in self.labels)


def find_noise(
    image_ids: Sequence[str],
    folds: npt.NDArray[np.int64],
    *,
    y: Booleans,
    p: Probabilities,
    vocabulary: Vocabulary,
    corrections: Corrections,
    picture: Callable[[str], Pixels],
) -> Noise:
    """Find the labels that models doubt.

    Thresholds and estimates are of the chips in the folds. Chips of the hold-out are compared with them: no model saw
    those, and nothing is chosen by them here.

    Parameters
    ----------
    image_ids, folds
        The chips, and their folds; -1 is the hold-out.
    y
        The labels as given, (n, labels).
    p
        Calibrated probabilities, out of fold, (n, labels).
    vocabulary
        The labels' names.
    corrections
        Those that y has gone through.
    picture
        Gives a chip's pixels; it is asked once for each that is shown.
    """
    inside = np.asarray(folds != HOLDOUT, dtype=np.bool_)
    found = find_doubts(y, p, counted=inside)
    parts = [f"fold {fold}" if fold != HOLDOUT else "hold-out" for fold in folds]
    table = doubt_table(image_ids, parts, y=y, p=p, found=found, labels=vocabulary.labels)
    chips = list(dict.fromkeys(table["image_id"]))
    rows = {image_id: row for row, image_id in enumerate(image_ids)}
    decoded = lru_cache(SHOWN)(picture)  # the review's first chips are those that are shown here
    held = {image_id for image_id, fold in zip(image_ids, folds, strict=True) if fold == HOLDOUT}
    return Noise(
        table=table,
        labels=_by_label(y[inside], p[inside], found.doubted[inside], wrong=found.wrong, labels=vocabulary.labels),
        chips=[
            DoubtedChip(
                image_ids[row],
                thumbnail(decoded(image_ids[row])),
                parts[row],
                sure=vocabulary.names(y[row] & ~found.doubted[row]),
                added=_chances(found.doubted[row] & ~y[row], p[row], vocabulary),
                removed=_chances(found.doubted[row] & y[row], p[row], vocabulary),
            )
            for row in map(rows.__getitem__, chips[:SHOWN])
        ],
        review=review_content(table, image_ids, y=y, p=p, vocabulary=vocabulary, picture=decoded),
        doubted=len(chips),
        held_out=len(held & set(chips)),
        given=int(inside.sum()) * len(vocabulary.labels),
        corrected=len(corrections),
        corrected_held_out=sum(image_id in held for image_id, _ in corrections),
    )


def doubt_table(
    image_ids: Sequence[str],
    parts: Sequence[str],
    *,
    y: Booleans,
    p: Probabilities,
    found: Doubts,
    labels: Sequence[str],
) -> pd.DataFrame:
    """Build reports/doubts.csv: one row a doubted label, most doubted first, with an empty column for the review.

    Parameters
    ----------
    image_ids, parts
        The chips, and the part of the split that each lies in.
    y, p
        Labels as given and probabilities, (n, labels).
    found
        What is doubted.
    labels
        The labels' names.

    Returns
    -------
    pd.DataFrame
        image_id, part, label; given and suggested as 0 or 1; the probability that the label holds, and the doubt, that
        it is not as given; review.
    """
    rows, columns = np.nonzero(found.doubted)
    given = y[rows, columns].astype(int)
    table = pd.DataFrame(
        {
            "image_id": np.asarray(image_ids, dtype=object)[rows],
            "part": np.asarray(parts, dtype=object)[rows],
            "label": np.asarray(labels, dtype=object)[columns],
            "given": given,
            "suggested": 1 - given,
            "probability": p[rows, columns].astype(np.float64),
            "doubt": found.doubt[rows, columns],
            "review": "",
        }
    )
    order = ["doubt", "image_id", "label"]
    return table.sort_values(order, ascending=[False, True, True], ignore_index=True).round(4)


def _by_label(
    y: Booleans, p: Probabilities, doubted: Booleans, *, wrong: npt.NDArray[np.float64], labels: Sequence[str]
) -> list[LabelNoise]:
    """Count what is doubted of each label in the folds; y, p, doubted: (rows in the folds, labels)."""
    known, added, removed = average_precision(y, p), (doubted & ~y).sum(axis=0), (doubted & y).sum(axis=0)
    return [
        LabelNoise(
            label,
            count=int(y[:, k].sum()),
            added=int(added[k]),
            removed=int(removed[k]),
            wrong=float(wrong[:, k].sum()),
            known=float(known[k]),
        )
        for k, label in enumerate(labels)
    ]


def _chances(which: Booleans, p: Probabilities, vocabulary: Vocabulary) -> dict[str, float]:
    """Return the probabilities of some labels of one chip, by name; which, p: (labels,)."""
    return dict(zip(vocabulary.names(which), p[which].tolist(), strict=True))
