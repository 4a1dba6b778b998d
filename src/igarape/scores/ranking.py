"""How sure one can be of mean average precision, and of the difference between two: the bootstrap over chips.

A resample is how often each chip was drawn. With chips sorted by their probability once, average precision needs sums
of these numbers only: of all chips, and of the positives, from the top down to each positive. A sparse matrix makes
them for many resamples at once. Draws follow from the seed and the number of chips, so that rankings of the same chips
are paired even where they were resampled by two calls.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from igarape.errors import InputError
from igarape.labels import Booleans
from igarape.scores.comparison import Difference
from igarape.scores.metrics import Floats, Reals, average_precision

# More of them move a bound of an interval by less than a tenth of its width, and cost as much as all else in a report.
RESAMPLES = 400
# Resamples at once: their numbers of 40,000 chips stay in a processor's cache.
BLOCK = 32
# Rows of a piece of a long sum; odd, so that pieces do not lie on one another in a cache.
STEP = 61

Name = TypeVar("Name")
# How often each chip is drawn, of shape (n, draws); sums of small numbers are exact to 2^24.
Drawn = npt.NDArray[np.float32]


class Ranked(NamedTuple):
    """Average precision of each label (labels,), and of resampled chips (resamples, labels).

    NaN where no chip has the label.
    """

    observed: Floats
    drawn: Floats


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


def draws(n: int, *, resamples: int, seed: int) -> Iterator[Drawn]:
    """Yield how often each of n chips is drawn, of shape (n, draws), BLOCK draws at a time.

    The draws are those of scores.comparison's paired_bootstrap.
    """
    rng = np.random.default_rng(seed)
    for start in range(0, resamples, BLOCK):
        each = [np.bincount(rng.integers(n, size=n), minlength=n) for _ in range(min(BLOCK, resamples - start))]
        yield np.ascontiguousarray(np.array(each, dtype=np.float32).T)


def rank(y: Booleans, rankings: Mapping[Name, Reals], *, resamples: int, seed: int) -> dict[Name, Ranked]:
    """Compute average precision, and how it varies with the chips that are drawn, up to RESAMPLES times.

    Parameters
    ----------
    y
        Truth, of shape (n, labels).
    rankings
        Probabilities (n, labels), by name.
    resamples, seed
        How often n chips are drawn with replacement, and the seed of the draws.

    Raises
    ------
    InputError
        When truth and probabilities are not of the same chips and labels, or nothing is to be drawn.
    """
    if resamples < 1:
        raise InputError(f"bootstrap: expected at least 1 resample, found {resamples}")
    resamples = min(resamples, RESAMPLES)
    observed = {name: average_precision(y, p) for name, p in rankings.items()}
    labels = {name: [ResampledPrecision(y[:, j], p[:, j]) for j in range(y.shape[1])] for name, p in rankings.items()}
    drawn: dict[Name, list[Floats]] = {name: [] for name in rankings}
    for counts in draws(len(y), resamples=resamples, seed=seed):
        for name, each in labels.items():
            drawn[name].append(np.stack([precision(counts) for precision in each], axis=1))
    return {name: Ranked(observed[name], np.concatenate(parts)) for name, parts in drawn.items()}


def paired_map(a: Ranked, b: Ranked) -> Difference:
    """Compare two rankings of the same chips by mean average precision over the labels that occur: a's less b's.

    Raises InputError when the two were not resampled alike, or no label occurs.
    """
    if a.drawn.shape != b.drawn.shape:
        raise InputError(f"paired bootstrap: expected the same resamples, found {a.drawn.shape} and {b.drawn.shape}")
    difference = _bounded(a.observed - b.observed, a.drawn - b.drawn)
    if difference is None:
        raise InputError("paired bootstrap: none of the labels holds on any chip")
    return difference


def paired_precision(a: Ranked, b: Ranked, label: int) -> Difference | None:
    """Compare two rankings by the average precision of one label, given by its column; None where it never holds."""
    only = slice(label, label + 1)
    return _bounded(a.observed[only] - b.observed[only], a.drawn[:, only] - b.drawn[:, only])


def _bounded(observed: Floats, drawn: Floats) -> Difference | None:
    """Return the mean over labels of differences (labels,), and the interval of that of resamples (n, labels).

    A resample in which no label occurs says nothing.
    """
    if np.isnan(observed).all():
        return None
    occur = drawn[~np.isnan(drawn).all(axis=1)]
    low, high = np.percentile(np.nanmean(occur, axis=1), (2.5, 97.5))
    return Difference(float(np.nanmean(observed)), float(low), float(high))


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
