"""All figures of two sets of answers to the same chips, and their differences on chips that are drawn many times.

A paired bootstrap, as in scores.comparison, which has it for means over chips. Average precision, and F2 of a label,
are no such means: they are computed anew for each draw from how often it holds each chip, the precision by
scores.ranking.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from igarape.errors import InputError
from igarape.labels import Booleans
from igarape.scores.draws import Drawn, Draws, bounds
from igarape.scores.metrics import BETA, Floats, Reals, average_precision, f2_per_sample, fbeta
from igarape.scores.ranking import ResampledPrecision

Weigh = Callable[[Drawn], Floats]


@dataclass(frozen=True)
class Paired:
    """Figures of two, a and b, and of the difference b - a, with its 95 % interval: low, high.

    Each array begins with F2 and mAP; then come F2 of each label, and average precision of each label: shape
    (2 + 2 labels,). A label that no chip has is NaN, and is in no mean.
    """

    a: Floats
    b: Floats
    low: Floats
    high: Floats


def compare_answers(y: Booleans, a: tuple[Reals, Booleans], b: tuple[Reals, Booleans], draws: Draws) -> Paired:
    """Compare two sets of probabilities and answers by paired bootstrap.

    Parameters
    ----------
    y
        Truth, of shape (n, labels).
    a, b
        Of each, its probabilities and its answers, both of shape (n, labels).
    draws
        Of these chips.

    Raises
    ------
    InputError
        When the shapes differ, or there is no chip.
    """
    shapes = {each.shape for each in (y, *a, *b)}
    if len(shapes) > 1 or len(draws) != len(y):
        raise InputError(
            f"paired bootstrap: expected answers to the same {len(draws)} chips, found shapes {sorted(shapes)}"
        )
    once = np.ones((len(y), 1), dtype=np.float32)
    every = [_weighted(y, *each) for each in (a, b)]
    drawn = np.concatenate([(every[1](counts) - every[0](counts)).T for counts in draws.counts()])
    one, two = (each(once)[:, 0] for each in every)
    known = ~np.isnan(one)
    low, high = np.full((2, len(one)), np.nan)
    low[known], high[known] = bounds((two - one)[known], drawn[:, known], groups=draws.groups, within=(-1, 1))
    return Paired(one, two, low, high)


def _weighted(y: Booleans, p: Reals, answered: Booleans) -> Weigh:
    """Return what computes all figures from how often each chip is drawn: (n, draws) -> (2 + 2 labels, draws).

    A label's are NaN where no chip that has it is drawn; in the mean what was observed stands for it there, as a mean
    over fewer labels would be another figure.
    """
    f2 = f2_per_sample(y, answered)
    counted = [each.T.astype(np.float32) for each in (y & answered, y, answered)]
    observed, occur = average_precision(y, p), y.any(axis=0)
    ranked = [ResampledPrecision(y[:, j], p[:, j]) for j in range(y.shape[1])]

    def weigh(drawn: Drawn) -> Floats:
        both, true, given = ((each @ drawn).astype(np.int64) for each in counted)
        labels = np.where(true > 0, fbeta(both, true, given, beta=BETA), np.nan)
        precisions = np.stack([one(drawn) for one in ranked])
        known = np.where(np.isnan(precisions), observed[:, None], precisions)[occur]
        means = known.mean(axis=0) if occur.any() else np.full(drawn.shape[1], np.nan)
        return np.vstack([f2 @ drawn / drawn.sum(axis=0, dtype=np.float64), means, labels, precisions])

    return weigh
