"""All figures of two sets of answers to the same chips, and their differences on chips that are drawn many times.

A paired bootstrap (Efron, 1979), as in scores.comparison, which has it for means over chips. Average precision, and F2
of a label, are no such means: they are computed anew for each draw from how often it holds each chip, the precision by
scores.ranking.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from igarape.errors import InputError
from igarape.labels import Booleans
from igarape.scores.metrics import BETA, Floats, Reals, f2_per_sample, fbeta
from igarape.scores.ranking import Drawn, ResampledPrecision, draws

INTERVAL = (2.5, 97.5)  # percentiles

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


def compare_answers(
    y: Booleans,
    a: tuple[Reals, Booleans],
    b: tuple[Reals, Booleans],
    *,
    resamples: int,
    seed: int,
) -> Paired:
    """Compare two sets of probabilities and answers by paired bootstrap over chips.

    Parameters
    ----------
    y
        Truth, of shape (n, labels).
    a, b
        Of each, its probabilities and its answers, both of shape (n, labels).
    resamples
        How often chips are drawn with replacement.
    seed
        Of the draws, which are those of scores.comparison's paired_bootstrap.

    Raises
    ------
    InputError
        When the shapes differ, or there is no chip.
    """
    shapes = {each.shape for each in (y, *a, *b)}
    if len(shapes) > 1 or not len(y):
        raise InputError(f"paired bootstrap: expected answers to the same chips, found shapes {sorted(shapes)}")
    once = np.ones((len(y), 1), dtype=np.float32)
    every = [_weighted(y, *each) for each in (a, b)]
    differences = np.concatenate(
        [every[1](drawn) - every[0](drawn) for drawn in draws(len(y), resamples=resamples, seed=seed)], axis=1
    )
    unknown = np.isnan(differences).all(axis=1)
    low, high = np.full((2, len(differences)), np.nan)
    low[~unknown], high[~unknown] = np.nanpercentile(differences[~unknown], INTERVAL, axis=1)
    return Paired(every[0](once)[:, 0], every[1](once)[:, 0], low, high)


def _weighted(y: Booleans, p: Reals, answered: Booleans) -> Weigh:
    """Return what computes all figures from how often each chip is drawn: (n, draws) -> (2 + 2 labels, draws).

    A label's are NaN where no chip that has it is drawn.
    """
    f2 = f2_per_sample(y, answered)
    counted = [each.T.astype(np.float32) for each in (y & answered, y, answered)]
    ranked = [ResampledPrecision(y[:, j], p[:, j]) for j in range(y.shape[1])]

    def weigh(drawn: Drawn) -> Floats:
        both, true, given = ((each @ drawn).astype(np.int64) for each in counted)
        labels = np.where(true > 0, fbeta(both, true, given, beta=BETA), np.nan)
        precisions = np.stack([one(drawn) for one in ranked])
        known = (true > 0).sum(axis=0)
        means = np.nansum(precisions, axis=0) / np.where(known, known, np.nan)
        return np.vstack([f2 @ drawn / len(y), means, labels, precisions])

    return weigh
