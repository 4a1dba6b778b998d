"""How sure one can be of mean average precision, and of the difference between two, by the draws of scores.draws.

A resample is how often each chip was drawn. With chips sorted by their probability once, average precision needs sums
of these numbers only: of all chips, and of the positives, from the top down to each positive. A sparse matrix makes
them for many resamples at once.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple, TypeVar

import numpy as np
from scipy.sparse import csr_array

from igarape.errors import InputError
from igarape.labels import Booleans
from igarape.scores.comparison import Difference
from igarape.scores.draws import Drawn, Draws, bounds
from igarape.scores.metrics import Floats, Reals, average_precision

# More of them move a bound of an interval by less than a tenth of its width, and cost as much as all else in a report.
RESAMPLES = 400
# Rows of a piece of a long sum; odd, so that pieces do not lie on one another in a cache.
STEP = 61

Name = TypeVar("Name")


class Ranked(NamedTuple):
    """Average precision of each label (labels,), and of resampled chips (resamples, labels); groups: that were drawn.

    NaN where no chip has the label.
    """

    observed: Floats
    drawn: Floats
    groups: int


class ResampledPrecision:
    """The average precision of one label, as metrics.average_precision has it, over chips that are drawn many times."""

    def __init__(self, y: Booleans, p: Reals) -> None:
        """Sort chips by their probability p, highest first; truth y and p are both of shape (n,)."""
        order = np.argsort(-p, kind="stable").astype(np.int32)
        falling, hits = -p[order], y[order]
        # Chips of equal probability are answered together: each positive counts all that score at least as high.
        ends = np.unique(np.searchsorted(falling, falling[hits], side="right")).astype(np.int32)
        found = np.append(0, hits.cumsum())[ends]
        # What makes sums out of draws: a row for each probability that positives have, highest first. One matrix adds
        # up the chips between the row before and this one, this one included; the other those that have the label.
        self._every, self._positive = _rows(order, ends, len(p)), _rows(order[hits], found, len(p))

    def __call__(self, drawn: Drawn) -> Floats:
        """Return the average precision in each draw, from what `draws` yields: (n, draws) -> (draws,).

        NaN where no chip that has the label is drawn.
        """
        positive, answers = self._positive @ drawn, self._every @ drawn
        total = positive.sum(axis=0, dtype=np.float64)
        hits = _running(positive.copy())
        # Numbers are whole: where nothing is answered, there is no hit to divide.
        hits /= np.maximum(_running(answers), 1)
        hits *= positive
        found = np.add.reduceat(hits, np.arange(0, len(hits), STEP), axis=0).sum(axis=0, dtype=np.float64)
        precision: Floats = np.divide(found, total, out=np.full(len(total), np.nan), where=total > 0)
        return precision


def rank(y: Booleans, rankings: Mapping[Name, Reals], draws: Draws) -> dict[Name, Ranked]:
    """Compute average precision, and how it varies with the chips that are drawn, up to RESAMPLES times.

    Parameters
    ----------
    y
        Truth, of shape (n, labels).
    rankings
        Probabilities (n, labels), by name.
    draws
        Of these chips.

    Raises
    ------
    InputError
        When truth, probabilities and draws are not of the same chips and labels.
    """
    if len(draws) != len(y):
        raise InputError(f"bootstrap: expected draws of {len(y)} chips, found those of {len(draws)}")
    observed = {name: average_precision(y, p) for name, p in rankings.items()}
    labels = {name: [ResampledPrecision(y[:, j], p[:, j]) for j in range(y.shape[1])] for name, p in rankings.items()}
    drawn: dict[Name, list[Floats]] = {name: [] for name in rankings}
    for counts in draws.counts(RESAMPLES):
        for name, each in labels.items():
            drawn[name].append(np.stack([precision(counts) for precision in each], axis=1))
    return {name: Ranked(observed[name], np.concatenate(parts), draws.groups) for name, parts in drawn.items()}


def paired_map(a: Ranked, b: Ranked) -> Difference:
    """Compare two rankings of the same chips by mean average precision over the labels that occur: a's less b's.

    Raises InputError when the two were not resampled alike, or no label occurs.
    """
    if a.drawn.shape != b.drawn.shape:
        raise InputError(f"paired bootstrap: expected the same resamples, found {a.drawn.shape} and {b.drawn.shape}")
    difference = _bounded(a.observed - b.observed, a.drawn - b.drawn, a.groups)
    if difference is None:
        raise InputError("paired bootstrap: none of the labels holds on any chip")
    return difference


def paired_precision(a: Ranked, b: Ranked, label: int) -> Difference | None:
    """Compare two rankings by the average precision of one label, given by its column; None where it never holds."""
    only = slice(label, label + 1)
    return _bounded(a.observed[only] - b.observed[only], a.drawn[:, only] - b.drawn[:, only], a.groups)


def _bounded(observed: Floats, drawn: Floats, groups: int) -> Difference | None:
    """Return the mean over labels of differences (labels,), and the interval of that of resamples (n, labels).

    A resample without a chip of a label says nothing of it: what was observed stands there, as a mean over fewer labels
    would be another figure.
    """
    occur = ~np.isnan(observed)
    if not occur.any():
        return None
    observed, drawn = observed[occur], drawn[:, occur]
    mean, means = float(observed.mean()), np.where(np.isnan(drawn), observed, drawn).mean(axis=1)
    low, high = bounds(mean, means, groups=groups, within=(-1, 1))
    return Difference(mean, float(low), float(high))


def _rows(order: np.ndarray, ends: np.ndarray, n: int) -> csr_array:
    """Return the matrix (ends, n) whose rows add up the chips of order up to each end, from the end before."""
    bounds = np.append(0, ends).astype(np.int32)
    chips = order[: bounds[-1]]
    return csr_array((_ones(n)[: len(chips)], chips, bounds), shape=(len(ends), n))


@lru_cache(maxsize=1)
def _ones(n: int) -> Drawn:
    """Return n ones, once for all matrices: of each they would be half of its memory."""
    ones = np.ones(n, dtype=np.float32)
    ones.flags.writeable = False
    return ones


def _running(values: Reals) -> Reals:
    """Turn values (rows, resamples) into their running sums from the first row on, in their place.

    Every STEP-th row at once: a sum that goes from row to row waits for each before the next.
    """
    whole = len(values) // STEP * STEP
    pieces = values[:whole].reshape(-1, STEP, values.shape[1])
    for row in range(1, STEP):
        pieces[:, row] += pieces[:, row - 1]
    before = pieces[:, -1].cumsum(axis=0)
    pieces[1:] += before[:-1, None]
    values[whole:] = values[whole:].cumsum(axis=0) + (before[-1] if whole else 0)
    return values
