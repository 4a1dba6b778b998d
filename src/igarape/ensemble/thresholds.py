"""The thresholds that are fitted: one for all free labels, and one for each, shrunk towards that one.

Truth y and probabilities p are of shape (n, labels). What is maximised is the sample F-beta of the answers that
scores.rules.apply_thresholds gives; it is counted for all thresholds of GRID at once.
"""

from dataclasses import dataclass
from typing import Self, TypeVar

import numpy as np
import numpy.typing as npt

from igarape.labels import Booleans, Vocabulary
from igarape.scores.metrics import Counts, Floats, Reals, fbeta, sample_fbeta
from igarape.scores.rules import apply_thresholds, isolated_threshold, label_columns
from igarape.tables import Folds

GRID = np.arange(2, 96) / 100
# A label with so many positives has half the weight of its own threshold; with infinity all have the common one.
PRIOR_POSITIVES = (10.0, 100.0, 1000.0, float("inf"))
EQUAL = 1e-9  # sums of F-beta that lie no further apart are one: the order of their terms is all that differs
PIECES = 3  # of a lone fold, for what is chosen inside it
CHUNK = 4096  # rows at once: each is counted at every threshold

N = TypeVar("N", np.int64, np.float64)


def best_threshold(y: Booleans, p: Reals, *, vocabulary: Vocabulary, beta: float) -> float:
    """Find the threshold of GRID with the best sample F-beta; of equals, the one nearest to the isolated label's.

    Parameters
    ----------
    y, p
        Truth and probabilities, each of shape (n, labels).
    vocabulary
        The labels, and which of them exclude each other.
    beta
        Recall weighs so many times as much as precision.
    """
    total = np.zeros(len(GRID))
    for start in range(0, len(p), CHUNK):
        rows = slice(start, start + CHUNK)
        total += _by_threshold(y[rows], p[rows], vocabulary, beta)
    return _best(total, isolated_threshold(beta))


def label_thresholds(y: Booleans, p: Reals, folds: Folds, *, vocabulary: Vocabulary, beta: float) -> dict[str, float]:
    """Find a threshold for each free label.

    A label's own threshold is the one of GRID with the best sample F-beta while all other labels keep the common one.
    It is shrunk towards the common one: with n positives it has the weight n / (n + prior). The prior is one of
    PRIOR_POSITIVES, chosen by cross-validation over the folds.

    Parameters
    ----------
    y, p
        Truth and probabilities, each of shape (n, labels).
    folds
        Of shape (n,); a lone one is cut into PIECES.
    vocabulary
        The labels, and which of them exclude each other.
    beta
        Recall weighs so many times as much as precision.
    """
    fitted = _Own.fit(y, p, vocabulary, beta)
    thresholds = fitted.shrunk(_choose_prior(y, p, folds, vocabulary, beta))
    _, free, _ = label_columns(vocabulary.targets("all"))
    return {vocabulary.labels[j]: float(thresholds[j]) for j in free}


@dataclass(frozen=True)
class _Own:
    """The common threshold; each label's own, and its positives, of shape (labels,): of the group's labels, none."""

    common: float
    own: Floats
    positives: Counts

    @classmethod
    def fit(cls, y: Booleans, p: Reals, vocabulary: Vocabulary, beta: float) -> Self:
        """Find them."""
        common = best_threshold(y, p, vocabulary=vocabulary, beta=beta)
        _, free, _ = label_columns(vocabulary.targets("all"))
        beside, answered = _Beside.of(y, p, vocabulary, beta), p >= common
        hits, given = (answered & y)[:, free].sum(axis=1), answered[:, free].sum(axis=1)
        own = np.full(p.shape[1], common)
        for j in free:
            others = hits - (answered[:, j] & y[:, j]), given - answered[:, j]
            change = beside.score(others[0] + y[:, j], others[1] + 1) - beside.score(*others)
            # What answering the label changes on each chip is summed over the chips that reach a threshold.
            changes = np.zeros(len(GRID) + 1)
            np.add.at(changes, _reached(p[:, j]), change)
            own[j] = _best(_reaching(changes), common)
        return cls(common, own, y.sum(axis=0))

    def shrunk(self, prior: float) -> Floats:
        """Return the thresholds (labels,) shrunk by a prior number of positives."""
        weight = self.positives / (self.positives + prior)
        thresholds: Floats = weight * self.own + (1 - weight) * self.common
        return thresholds


def _choose_prior(y: Booleans, p: Reals, folds: Folds, vocabulary: Vocabulary, beta: float) -> float:
    """Choose the prior whose thresholds score best in a cross-validation over the folds.

    Of equals, the strongest.
    """
    parts = folds if len(np.unique(folds)) > 1 else np.arange(len(p)) % PIECES
    scores = dict.fromkeys(PRIOR_POSITIVES, 0.0)
    for part in np.unique(parts):
        rows, others = parts == part, parts != part
        if not others.any():
            return PRIOR_POSITIVES[-1]  # a lone chip teaches nothing about itself
        fitted = _Own.fit(y[others], p[others], vocabulary, beta)
        for prior in PRIOR_POSITIVES:
            answers = apply_thresholds(p[rows], vocabulary.targets("all"), threshold=fitted.shrunk(prior))
            scores[prior] += sample_fbeta(y[rows], answers, beta=beta) * int(rows.sum())
    return max(PRIOR_POSITIVES, key=lambda prior: (scores[prior], prior))


@dataclass(frozen=True)
class _Beside:
    """What free labels are answered beside, each of shape (n,): hits and answers by the group's label.

    open: where free labels may be answered; elsewhere a label stands alone. top: whether the most probable label holds,
    which is answered where nothing else is. true: how many labels hold.
    """

    hits: Counts
    given: Counts
    open: Booleans
    top: Booleans
    true: Counts
    beta: float

    @classmethod
    def of(cls, y: Booleans, p: Reals, vocabulary: Vocabulary, beta: float) -> Self:
        """Look at the group, and at what stands alone."""
        group, _, alone = label_columns(vocabulary.targets("all"))
        grouped = int(bool(len(group)))
        top = group[p[:, group].argmax(axis=1)] if grouped else p.argmax(axis=1)
        right = y[np.arange(len(p)), top]
        return cls(
            hits=grouped * right.astype(np.int64),
            given=np.full(len(p), grouped),
            open=~np.isin(top, alone),
            top=right,
            true=y.sum(axis=1),
            beta=beta,
        )

    def score(self, hits: Counts, given: Counts) -> Floats:
        """Score each chip's F-beta from the free labels' hits and answers, of shape (..., n)."""
        hits, given = self.hits + hits * self.open, self.given + given * self.open
        nothing = given == 0
        return fbeta(np.where(nothing, self.top, hits), self.true, np.where(nothing, 1, given), beta=self.beta)


def _by_threshold(y: Booleans, p: Reals, vocabulary: Vocabulary, beta: float) -> Floats:
    """Sum the chips' F-beta at each threshold of GRID: (thresholds,)."""
    _, free, _ = label_columns(vocabulary.targets("all"))
    n = len(p)
    place = _reached(p[:, free]) * n + np.arange(n)[:, None]
    hits, given = (
        _reaching(np.bincount(where.ravel(), minlength=(len(GRID) + 1) * n).reshape(-1, n))
        for where in (place[y[:, free]], place)
    )
    total: Floats = _Beside.of(y, p, vocabulary, beta).score(hits, given).sum(axis=1)
    return total


def _reached(p: Reals) -> npt.NDArray[np.intp]:
    """Count the thresholds of GRID that each probability reaches, compared in p's own precision, as in above."""
    return np.searchsorted(GRID.astype(p.dtype), p, side="right")


def _reaching(counts: npt.NDArray[N]) -> npt.NDArray[N]:
    """Sum what is counted by _reached, along the first axis, over what reaches each threshold of GRID."""
    summed: npt.NDArray[N] = counts[::-1].cumsum(axis=0)[::-1][1:]
    return summed


def _best(scores: Floats, near: float) -> float:
    """Return the threshold of GRID with the best score; of equals, the one nearest to another."""
    nearest = np.argsort(np.abs(GRID - near), kind="stable")
    best = scores[nearest] >= scores.max() - EQUAL
    return float(GRID[nearest[best.argmax()]])
