"""The scores: F2 of each chip, and average precision of each label.

Truth comes first everywhere: y is boolean, p is floating point, so swapped arguments raise a TypeError.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from igarape.errors import InputError
from igarape.labels import Booleans

# Recall weighs beta times as much as precision, in the F2 by which all is compared.
BETA = 2.0
# Of the probabilities, when they are compared with what is true.
BINS = 15

Floats = npt.NDArray[np.float64]
Reals = npt.NDArray[np.floating]
Counts = npt.NDArray[np.integer]


@dataclass(frozen=True)
class LabelScores:
    """Precision, recall and F2 of each label, each of shape (labels,); 0 where there is nothing to divide by."""

    precision: Floats
    recall: Floats
    f2: Floats


def f2_per_sample(y: Booleans, predicted: Booleans) -> Floats:
    """Score each chip: F2 = 5 P R / (4 P + R), of shape (n,), from booleans of shape (n, labels).

    A chip without a true or a predicted label scores 0, as sklearn's zero_division=0.
    """
    return fbeta_per_sample(y, predicted, beta=BETA)


def fbeta_per_sample(y: Booleans, predicted: Booleans, *, beta: float) -> Floats:
    """Score each chip as f2_per_sample does, by (1 + beta^2) P R / (beta^2 P + R)."""
    _check(y, predicted, np.bool_)
    return fbeta((y & predicted).sum(axis=1), y.sum(axis=1), predicted.sum(axis=1), beta=beta)


def sample_f2(y: Booleans, predicted: Booleans) -> float:
    """Average the chips' F2: the competition's score."""
    return float(f2_per_sample(y, predicted).mean())


def sample_fbeta(y: Booleans, predicted: Booleans, *, beta: float) -> float:
    """Average the chips' F-beta."""
    return float(fbeta_per_sample(y, predicted, beta=beta).mean())


def fbeta(both: Counts, true: Counts, given: Counts, *, beta: float) -> Floats:
    """Compute F-beta from counts, of shapes that broadcast; 0 where nothing is true or predicted.

    Parameters
    ----------
    both, true, given
        Hits, true labels and predicted ones.
    beta
        Recall weighs so many times as much as precision.
    """
    return _ratio((1 + beta**2) * both, beta**2 * true + given)


def label_scores(y: Booleans, predicted: Booleans) -> LabelScores:
    """Score each label over all chips, from booleans of shape (n, labels)."""
    _check(y, predicted, np.bool_)
    both, true, given = (y & predicted).sum(axis=0), y.sum(axis=0), predicted.sum(axis=0)
    return LabelScores(precision=_ratio(both, given), recall=_ratio(both, true), f2=fbeta(both, true, given, beta=BETA))


def average_precision(y: Booleans, p: Reals) -> Floats:
    """Compute each label's average precision, of shape (labels,), from y and p of shape (n, labels).

    It is the mean, over the positives, of the precision among all chips that score at least as high (ties included).
    A label without positives has none: NaN.
    """
    _check(y, p, np.floating)
    return np.array([_average_precision(y[:, j], p[:, j]) for j in range(y.shape[1])], dtype=np.float64)


def brier(y: Booleans, p: Reals) -> Floats:
    """Return each label's mean squared error of the probability (Brier, 1950), of shape (labels,)."""
    _check(y, p, np.floating)
    return np.asarray(((p - y) ** 2).mean(axis=0, dtype=np.float64))


def reliability(y: Booleans, p: Reals) -> tuple[Floats, Floats, Floats]:
    """Sort answers into BINS equal intervals of their probability, each label by itself.

    Returns, of shape (BINS, labels): the number of answers, the mean of their probabilities, the share that is true;
    both are 0 where there is none.
    """
    _check(y, p, np.floating)
    which = np.minimum((p * BINS).astype(np.int64), BINS - 1) * p.shape[1] + np.arange(p.shape[1])
    sums = [np.bincount(which.ravel(), each.ravel(), BINS * p.shape[1]) for each in (np.ones(p.shape), p, y)]
    count, said, true = (each.reshape(BINS, p.shape[1]) for each in sums)
    return np.asarray(count, dtype=np.float64), _ratio(said, count), _ratio(true, count)


def calibration_error(y: Booleans, p: Reals) -> Floats:
    """Return each label's expected calibration error, of shape (labels,) (Naeini, Cooper and Hauskrecht, AAAI 2015).

    That is how far the mean probability of a bin lies from the share that is true, weighed by the bins' sizes.
    """
    count, said, true = reliability(y, p)
    return np.asarray((count * np.abs(said - true)).sum(axis=0) / len(y), dtype=np.float64)


def mean_average_precision(y: Booleans, p: Reals) -> float:
    """Average the labels' average precision (macro mAP) over the labels that have positives.

    Raises InputError when no label has any.
    """
    each = average_precision(y, p)
    if np.isnan(each).all():
        raise InputError(f"mean average precision: none of {y.shape[1]} labels holds on any of {len(y)} chips")
    return float(np.nanmean(each))


def _ratio(top: npt.NDArray[np.number], bottom: npt.NDArray[np.number]) -> Floats:
    """Divide; 0 where the divisor is 0."""
    quotient: Floats = np.divide(top, bottom, out=np.zeros(bottom.shape), where=bottom > 0)
    return quotient


def _average_precision(y: Booleans, p: Reals) -> float:
    if not y.any():
        return float("nan")
    positives, every = np.sort(p[y]), np.sort(p)
    hits = len(positives) - np.searchsorted(positives, positives, side="left")
    answers = len(every) - np.searchsorted(every, positives, side="left")
    return float((hits / answers).mean())


def _check(y: npt.NDArray[np.generic], other: npt.NDArray[np.generic], kind: type[np.generic]) -> None:
    """Refuse swapped, misshapen, empty or NaN arguments."""
    if y.dtype != np.bool_ or not np.issubdtype(other.dtype, kind):
        raise TypeError(f"expected y (bool), then {kind.__name__}; found {y.dtype}, then {other.dtype}: swapped?")
    if y.ndim != 2 or y.shape != other.shape or not len(y):
        raise InputError(
            f"metrics: expected two arrays of one shape (chips, labels), found {y.shape} and {other.shape}"
        )
    if np.isnan(other).any():
        raise InputError("metrics: a probability is NaN; look at the step that predicted it")
