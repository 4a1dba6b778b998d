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
