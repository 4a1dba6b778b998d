"""How sure one can be of a score, and of the difference between two: the bootstrap over chips (Efron, 1979)."""

from statistics import NormalDist

import numpy as np

from igarape.errors import InputError
from igarape.scores.metrics import Reals

# The best of many choices is lucky, and labels are many.
CERTAIN = 3.0


def bootstrap_interval(per_sample: Reals, *, resamples: int, seed: int) -> tuple[float, float]:
    """Bound the mean of per_sample (n,): the 95 % percentile interval over chips drawn with replacement."""
    _check_scores(per_sample)
    rng = np.random.default_rng(seed)
    n = len(per_sample)
    # One resample at a time: resamples x n indices at once would not fit in memory for the large sets.
    means = np.array([per_sample[rng.integers(n, size=n)].mean() for _ in range(resamples)])
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def paired_bootstrap(a: Reals, b: Reals, *, resamples: int, seed: int) -> tuple[float, float, float]:
    """Compare two scores of the same chips.

    An interval that excludes 0 says that the difference is more than the luck of which chips were drawn.

    Parameters
    ----------
    a, b
        One score for each chip, of shape (n,).
    resamples
        How often chips are drawn with replacement.
    seed
        Of the draws.

    Returns
    -------
    tuple
        Mean of a - b, then low and high of its 95 % interval.

    Raises
    ------
    InputError
        When the two are not of the same chips.
    """
    if a.shape != b.shape:
        raise InputError(f"paired bootstrap: expected scores of the same chips, found {a.shape} and {b.shape}")
    difference = a - b
    low, high = bootstrap_interval(difference, resamples=resamples, seed=seed)
    return float(difference.mean()), low, high


def excess(inside: Reals, held: Reals, *, alarm_rate: float) -> float | None:
    """Say by how much scores are better than scores of other chips allow, beyond the luck of which chips were drawn.

    It is a one-sided test of two means (Welch's, with a normal distribution).

    Parameters
    ----------
    inside, held
        One score for each chip, of shapes (n,) and (m,): out of fold, and of the hold-out.
    alarm_rate
        How often an honest pair of such scores raises an alarm: a probability.

    Returns
    -------
    float or None
        The difference of the means; None where it is none, or may be luck.
    """
    _check_scores(inside)
    _check_scores(held)
    difference = float(inside.mean() - held.mean())
    error = float(np.sqrt(inside.var() / len(inside) + held.var() / len(held)))
    return difference if difference > NormalDist().inv_cdf(1 - alarm_rate) * error else None


def certain(gain: Reals) -> bool:
    """Say whether gains (n,), as of log-loss on rows not fitted on, lie more than CERTAIN standard errors above 0."""
    return bool(gain.mean() > CERTAIN * gain.std() / np.sqrt(len(gain)))


def _check_scores(per_sample: Reals) -> None:
    if per_sample.ndim != 1 or not len(per_sample):
        raise InputError(f"bootstrap: expected one score for each chip, found an array of shape {per_sample.shape}")
