"""How sure one can be of a score, and of the difference between two, by the draws of scores.draws."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from igarape.errors import InputError
from igarape.labels import Booleans
from igarape.scores.draws import Draws
from igarape.scores.metrics import Reals

# The best of many choices is lucky, and labels are many.
CERTAIN = 3.0


class Difference(NamedTuple):
    """A difference of two scores on the same chips, and the 95 % interval of a paired bootstrap."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        """Say it in figures."""
        mean, low, high = map(signed, self)
        return f"{mean} ({low} to {high})"

    @property
    def verdict(self) -> str:
        """Say which way it is told: up, down, same, where it is 0 however chips are drawn, or else open."""
        if not any(self):
            return "same"
        return "up" if self.low > 0 else "down" if self.high < 0 else "open"

    @property
    def reach(self) -> float:
        """Return how far from 0 the interval reaches."""
        return max(abs(self.low), abs(self.high))


def signed(value: float, digits: int = 4) -> str:
    """Write a difference with its sign; one that is nothing in so many digits has none."""
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text


def paired_bootstrap(a: Reals, b: Reals, draws: Draws) -> Difference:
    """Compare two scores of the same chips.

    An interval that excludes 0 says that the difference is more than the luck of which chips were drawn.

    Parameters
    ----------
    a, b
        One score for each chip, of shape (n,).
    draws
        Of these chips.

    Returns
    -------
    Difference
        Of a - b.

    Raises
    ------
    InputError
        When the two are not of the same chips.
    """
    if a.shape != b.shape:
        raise InputError(f"paired bootstrap: expected scores of the same chips, found {a.shape} and {b.shape}")
    difference = a - b
    return Difference(float(difference.mean()), *draws.mean_interval(difference))


def excess(per_sample: Reals, groups: Sequence[str], *, inside: Booleans, alarm_rate: float) -> float | None:
    """Say by how much scores are better out of fold than the hold-out's allow, beyond the luck of which were drawn.

    It is a one-sided test of two means (Welch's), by Student's t of the side with the fewer groups: Welch's own degrees
    of freedom are too many where few groups are all that is known of their spread. What is drawn is groups, whose chips
    are alike: taken for independent, honest chips of scenes raise several times as many alarms (Liang and Zeger,
    Longitudinal data analysis using generalized linear models, Biometrika 1986).

    Parameters
    ----------
    per_sample
        One score for each chip, of shape (n,).
    groups
        One name for each chip.
    inside
        Which chips lie in the folds, of shape (n,); the others are the hold-out.
    alarm_rate
        How often honest scores raise an alarm: a probability.

    Returns
    -------
    float or None
        The difference of the means; None where it is none, or may be luck.
    """
    names = np.asarray(groups, dtype=np.str_)
    sides = [(per_sample[rows], names[rows]) for rows in (inside, ~inside)]
    error = sum(_variance(*side) for side in sides) ** 0.5
    difference = float(sides[0][0].mean() - sides[1][0].mean())
    freedom = max(1, min(np.unique(those).size for _, those in sides) - 1)
    return difference if difference > stdtrit(freedom, 1 - alarm_rate) * error else None


def _variance(per_sample: Reals, groups: npt.NDArray[np.generic]) -> float:
    """Return the variance of a mean of scores whose groups were drawn; a lone group does not tell any."""
    if per_sample.ndim != 1 or not len(per_sample):
        raise InputError(f"expected one score for each chip, found an array of shape {per_sample.shape}")
    _, member = np.unique(groups, return_inverse=True)
    sums = np.bincount(member, per_sample - per_sample.mean())
    return float(sums @ sums) / len(per_sample) ** 2 * len(sums) / (len(sums) - 1) if len(sums) > 1 else float("inf")


def certain(gain: Reals, groups: npt.NDArray[np.generic]) -> bool:
    """Say whether gains (n,), as of log-loss on rows not fitted on, lie more than CERTAIN standard errors above 0.

    groups: of each row, (n,); what varies is which of them there are, as `excess` has it.
    """
    return bool(gain.mean() > CERTAIN * _variance(gain, groups) ** 0.5)
