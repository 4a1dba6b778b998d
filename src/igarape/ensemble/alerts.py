"""Alerts: for a label, the lowest threshold whose precision is high enough, and what it finds out of fold."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from igarape.config.documents import OperatingPoint
from igarape.errors import InputError, did_you_mean
from igarape.labels import Booleans, Vocabulary
from igarape.scores.draws import bounds
from igarape.scores.metrics import Floats, Reals
from igarape.tables import HOLDOUT, Folds

Counts = npt.NDArray[np.int64]

RESAMPLES = 10_000
WHERE = "params.yaml: decide.alert"


def check_alerts(wanted: Mapping[str, float], vocabulary: Vocabulary) -> None:
    """Raise InputError for an alert of a label that the data set does not have."""
    for label in wanted:
        if label not in vocabulary.labels:
            near = did_you_mean(label, vocabulary.labels)
            raise InputError(f"{WHERE}: {label!r} is no label of the data set, so leave it out, or name another{near}")


def fit_alerts(
    y: Booleans,
    p: Reals,
    folds: Folds,
    *,
    groups: Sequence[str],
    wanted: Mapping[str, float],
    vocabulary: Vocabulary,
    seed: int,
) -> dict[str, OperatingPoint]:
    """Find the operating point of each alert.

    Parameters
    ----------
    y, p
        Truth and probabilities of the rows in the folds, each of shape (n, labels).
    folds, groups
        Of shape (n,): of each row its fold, and the group that it was dealt with.
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
        point = operating_point(y[:, column], p[:, column], folds, groups=groups, precision=wanted[label], seed=seed)
        if point is None:
            raise InputError(f"{WHERE}: {label}: {_best_reached(y[:, column], p[:, column], wanted[label])}")
        found[label] = point
    return found


def operating_point(
    y: Booleans, p: Reals, folds: Folds, *, groups: Sequence[str], precision: float, seed: int
) -> OperatingPoint | None:
    """Find the lowest threshold of a label whose precision is at least that; None where none is.

    The threshold is fitted on all rows. Precision and recall are those of other thresholds, each fitted on all folds
    but one and answered by on that one; where none reaches the precision, nothing is answered. Their 95 % intervals are
    of a bootstrap over groups, as scores.draws has it; it knows nothing of the luck in the thresholds.

    Parameters
    ----------
    y, p
        The label's truth and probabilities, each of shape (n,).
    folds
        Of shape (n,); the hold-out is fold -1, and has no part in anything.
    groups
        The group of each chip, (n,).
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
    # What the two figures depend on, in each group; groups of equal counts are drawn as one kind.
    _, member = np.unique(np.asarray(groups)[inside], return_inverse=True)
    each = (y & answered, ~y & answered, y & ~answered)
    parts = np.array([np.bincount(member, one) for one in each]).astype(np.int64)
    kinds, often = np.unique(parts, axis=1, return_counts=True)
    drawn = kinds @ np.random.default_rng(seed).multinomial(often.sum(), often / often.sum(), size=RESAMPLES).T
    right, wrong, missed = parts.sum(axis=1)
    return OperatingPoint(
        asked=precision,
        threshold=threshold,
        positives=int(y.sum()),
        precision=float(right / (right + wrong)) if right + wrong else None,
        precision_interval=_interval(parts, drawn, 1),
        recall=float(right / (right + missed)),
        recall_interval=_interval(parts, drawn, 2),
    )


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


def _interval(parts: Counts, drawn: Counts, other: int) -> tuple[float, float] | None:
    """Bound the share of hits among hits and another part, 1 or 2; None where there are none.

    parts: (3, groups) chips that are hits, wrong, missed. drawn: (3, resamples), the same of all groups that are drawn.
    """
    hits, all_of = drawn[0], drawn[0] + drawn[other]
    if not parts[[0, other]].any():
        return None
    shares = np.divide(hits, all_of, out=np.full(len(hits), np.nan), where=all_of > 0)
    observed = parts[0].sum() / parts[[0, other]].sum()
    low, high = bounds(observed, shares, groups=parts.shape[1], within=(0, 1))
    return float(low), float(high)
