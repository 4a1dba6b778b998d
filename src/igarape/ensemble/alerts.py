"""Alerts: for a label, the lowest threshold whose precision is high enough, and what it finds out of fold."""

from collections.abc import Mapping

import numpy as np

from igarape.config.documents import OperatingPoint
from igarape.errors import InputError, did_you_mean
from igarape.labels import Booleans, Vocabulary
from igarape.scores.metrics import Floats, Reals
from igarape.tables import HOLDOUT, Folds

RESAMPLES = 10_000
WHERE = "params.yaml: decide.alert"


def check_alerts(wanted: Mapping[str, float], vocabulary: Vocabulary) -> None:
    """Raise InputError for an alert of a label that the data set does not have."""
    for label in wanted:
        if label not in vocabulary.labels:
            near = did_you_mean(label, vocabulary.labels)
            raise InputError(f"{WHERE}: {label!r} is no label of the data set, so leave it out, or name another{near}")


def fit_alerts(
    y: Booleans, p: Reals, folds: Folds, *, wanted: Mapping[str, float], vocabulary: Vocabulary, seed: int
) -> dict[str, OperatingPoint]:
    """Find the operating point of each alert.

    Parameters
    ----------
    y, p
        Truth and probabilities of the rows in the folds, each of shape (n, labels).
    folds
        Of shape (n,).
    wanted
        The precision that is asked for, by label.
    vocabulary
        The labels.
    seed
        Of the bootstrap.

    Raises
    ------
    InputError
        For a label that is not known, and a precision that is never reached: it names the best that is.
    """
    check_alerts(wanted, vocabulary)
    found = {}
    for label in sorted(wanted, key=vocabulary.labels.index):
        column = vocabulary.labels.index(label)
        point = operating_point(y[:, column], p[:, column], folds, precision=wanted[label], seed=seed)
        if point is None:
            raise InputError(f"{WHERE}: {label}: {_best_reached(y[:, column], p[:, column], wanted[label])}")
        found[label] = point
    return found


def operating_point(y: Booleans, p: Reals, folds: Folds, *, precision: float, seed: int) -> OperatingPoint | None:
    """Find the lowest threshold of a label whose precision is at least that; None where none is.

    The threshold is fitted on all rows. Precision and recall are those of other thresholds, each fitted on all folds
    but one and answered by on that one; where none reaches the precision, nothing is answered. Their 95 % intervals are
    of a bootstrap over chips, which knows nothing of the luck in the thresholds.

    Parameters
    ----------
    y, p
        The label's truth and probabilities, each of shape (n,).
    folds
        Of shape (n,); the hold-out is fold -1, and has no part in anything.
    precision
        The precision that is asked for, above 0.
    seed
        Of the bootstrap.
    """
    inside = folds != HOLDOUT
    y, p, folds = y[inside], p[inside], folds[inside]
    threshold = _lowest(y, p, precision)
    if threshold is None:
        return None
    answered = np.zeros(len(y), dtype=np.bool_)
    for fold in np.unique(folds):
        rows = folds == fold
        fitted = _lowest(y[~rows], p[~rows], precision)
        if fitted is not None:
            answered[rows] = p[rows] >= fitted
    # Chips that are drawn with replacement are drawn by kind, which is all that the two figures depend on.
    kinds = np.array([(y & answered).sum(), (~y & answered).sum(), (y & ~answered).sum(), (~y & ~answered).sum()])
    drawn = np.random.default_rng(seed).multinomial(len(y), kinds / len(y), size=RESAMPLES)
    right, wrong, missed = kinds[:3]
    return OperatingPoint(
        asked=precision,
        threshold=threshold,
        positives=int(y.sum()),
        precision=float(right / (right + wrong)) if right + wrong else None,
        precision_interval=_interval(drawn[:, 0], drawn[:, 0] + drawn[:, 1]),
        recall=float(right / (right + missed)),
        recall_interval=_interval(drawn[:, 0], drawn[:, 0] + drawn[:, 2]),
    )


def raised_alerts(p: Reals, points: Mapping[str, OperatingPoint], vocabulary: Vocabulary) -> Booleans:
    """Say which labels raise an alert, of the shape of p (n, labels)."""
    answer = np.zeros(p.shape, dtype=np.bool_)
    for label, point in points.items():
        column = vocabulary.labels.index(label)
        answer[:, column] = p[:, column] >= point.threshold
    return answer


def precision_recall_curve(y: Booleans, p: Reals) -> tuple[Reals, Floats, Floats]:
    """Return each value that p (n,) takes, falling; the precision and the recall of answering from it on."""
    order = np.argsort(-p, kind="stable")
    falling, hits = p[order], y[order].cumsum()
    last = np.append(falling[1:] != falling[:-1], True)[: len(p)]
    count = np.flatnonzero(last) + 1
    return falling[last], hits[last] / count, hits[last] / max(1, int(y.sum()))


def _lowest(y: Booleans, p: Reals, precision: float) -> float | None:
    """Return the lowest value of p from which on the precision is high enough, if there is one."""
    values, reached, _ = precision_recall_curve(y, p)
    enough = np.flatnonzero(reached >= precision)
    return float(values[enough[-1]]) if len(enough) else None


def _best_reached(y: Booleans, p: Reals, wanted: float) -> str:
    """Say which precision is the best that is reached, and what to do."""
    if not y.any():
        return f"precision {wanted:g} is never reached: no chip in the folds has the label. Leave its alert out"
    values, precision, recall = precision_recall_curve(y, p)
    best = int(np.flatnonzero(precision == precision.max())[-1])
    return (
        f"precision {wanted:g} is never reached out of fold. The best is {precision[best]:.3f}, from "
        f"{values[best]:.4f} on, with recall {recall[best]:.3f} of {int(y.sum())} chips. Ask for no more, or leave the "
        "alert out; then run: dvc repro decide"
    )


def _interval(top: np.ndarray, bottom: np.ndarray) -> tuple[float, float] | None:
    """Bound the quotients of resamples, those without a divisor left out: 2.5 to 97.5 %."""
    drawn = bottom > 0
    if not drawn.any():
        return None
    low, high = np.percentile(top[drawn] / bottom[drawn], (2.5, 97.5))
    return float(low), float(high)
