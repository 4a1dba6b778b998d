"""Precision-recall curves of the labels, with the points at which they are answered and alert."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from igarape.config.documents import OperatingPoint
from igarape.ensemble.alerts import precision_recall_curve
from igarape.labels import Booleans
from igarape.scores.metrics import Reals, average_precision, label_scores

# Of a curve: a page stays small however many chips there are.
POINTS = 60


class Point(NamedTuple):
    """A share of the label's chips that is found, and the share of what is found that has the label."""

    recall: float
    precision: float


@dataclass(frozen=True)
class Curve:
    """A label's curve from the highest probability on; where its answers lie, and its alert if it has one.

    Answers of a rule need not lie on the curve: a rule looks at all labels of a chip. None where nothing is answered.
    """

    label: str
    chips: int
    average_precision: float
    points: tuple[Point, ...]
    answers: Point | None
    alert: Point | None


def curves(
    y: Booleans,
    p: Reals,
    *,
    answers: Booleans,
    alerts: Mapping[str, OperatingPoint],
    labels: tuple[str, ...],
) -> list[Curve]:
    """Draw the curve of each label that occurs.

    Parameters
    ----------
    y, p
        Truth and probabilities, each of shape (n, labels).
    answers
        Of a rule, of the same shape.
    alerts
        Their operating points, by label.
    labels
        All labels.
    """
    scores, ranked = label_scores(y, answers), average_precision(y, p)
    rows = []
    for j, label in enumerate(labels):
        if not y[:, j].any():
            continue
        answered = Point(float(scores.recall[j]), float(scores.precision[j])) if answers[:, j].any() else None
        point = alerts.get(label)
        alert = None if point is None or point.precision is None else Point(point.recall, point.precision)
        rows.append(Curve(label, int(y[:, j].sum()), float(ranked[j]), _thinned(y[:, j], p[:, j]), answered, alert))
    return rows


def _thinned(y: Booleans, p: Reals) -> tuple[Point, ...]:
    """Return the first, best, point of each recall, or of POINTS of them that are evenly spread."""
    _, precision, recall = precision_recall_curve(y, p)
    _, first = np.unique(recall, return_index=True)
    first = first[recall[first] > 0]
    chosen = first[np.unique(np.linspace(0, len(first) - 1, POINTS).round().astype(np.intp))]
    return tuple(Point(*both) for both in zip(recall[chosen].tolist(), precision[chosen].tolist(), strict=True))
