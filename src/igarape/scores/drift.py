"""Drift: whether a model's answers to a scene are distributed like its answers to scenes of the training data.

The samples are groups of chips, such as scenes, and not chips: the tiles of a scene are correlated, so that a test over
chips would call every scene drifted (Rabanser et al., NeurIPS 2019, with groups as samples). The statistic is
Hotelling's T-squared of a group's mean logits (Annals of Mathematical Statistics 1931), with a variance between groups.
Logits are compared within their weather, since weather moves all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincc

from igarape.labels import Booleans, Vocabulary
from igarape.tables import Probabilities

Floats = npt.NDArray[np.float64]

FEWEST = 30  # groups of several chips: of fewer nobody can say what is usual
CLIP = 1e-3  # probabilities nearer to 0 or 1 say no more
SHRUNK = 0.2  # of what labels have in common is left out: a few groups tell it badly
LEAST = 0.05  # a variance of logits below which no label is taken for steadier
ALIKE = 1e-6  # a variance of groups' statistics, which are 1 on average, below which all are answered alike
UNUSUAL, STRANGE = 0.05, 0.01  # of scenes like the training's so few are as far off
COVERED = 0.5  # above it a label that rules out all others hides the ground

IN_RANGE, ODD, UNLIKE = "in range", "unusual", "not like training"


@dataclass(frozen=True)
class DriftReference:
    """The distribution of answers to the training's groups. d: the labels of the ground, all but the exclusive ones.

    means: logits by weather, (weathers, d). between, within: covariances of groups' means, and of chips in their group,
    (d, d). shape, scale: of the gamma distribution that held-out groups' statistics follow. groups: how many they were.
    """

    means: Floats
    between: Floats
    within: Floats
    shape: float
    scale: float
    groups: int


@dataclass(frozen=True)
class Drift:
    """The drift of a scene's answers. chance: the p-value, the share of scenes like the training's that are as far off.

    far: of each row its squared Mahalanobis distance, per label, (n,); NaN where no ground was seen.
    """

    verdict: str
    chance: float
    far: Floats


def fit_drift_reference(
    p: Probabilities, groups: Sequence[str], held: Booleans, vocabulary: Vocabulary
) -> DriftReference | None:
    """Fit the reference to the training's chips, and the statistic's distribution to groups that were held out.

    Parameters
    ----------
    p
        Probabilities, (n, labels): out of fold, and of the hold-out.
    groups
        The name of each chip's group, such as its scene.
    held
        Which ones are held out, (n,).
    vocabulary
        The labels.

    Returns
    -------
    DriftReference or None
        None where fewer than FEWEST groups inside or outside have several chips, no label is of the ground, or all
        groups are answered alike, as by a model that has learned nothing.
    """
    if len(vocabulary.exclusive) == len(vocabulary.labels):
        return None
    seen = _seen(p, vocabulary)
    names = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True)[1]
    inside, outside = (np.flatnonzero(seen & part) for part in (~held, held))
    if min(_several(names[rows]) for rows in (inside, outside)) < FEWEST:
        return None
    means = _means(p[inside], vocabulary)
    between, within = _covariances(_left(p[inside], means, vocabulary), names[inside])
    off = _left(p[outside], means, vocabulary)
    sizes, sums = _by_group(off, names[outside])
    each = [
        _statistic(total / size, between + within / size) for size, total in zip(sizes, sums, strict=True) if size > 1
    ]
    mean, variance = float(np.mean(each)), float(np.var(each))
    if variance < ALIKE:
        return None
    return DriftReference(means, between, within, mean**2 / variance, variance / mean, len(each))


def measure_drift(usual: DriftReference, p: Probabilities, vocabulary: Vocabulary) -> Drift | None:
    """Test the answers to a scene's tiles, (n, labels), NaN where there is none; None where no ground was seen."""
    seen = _seen(p, vocabulary)
    far = np.full(len(p), np.nan)
    if not seen.any():
        return None
    off = _left(p[seen], usual.means, vocabulary)
    far[seen] = _distances(off, usual.between + usual.within)
    statistic = _statistic(off.mean(axis=0), usual.between + usual.within / len(off))
    # By scipy.stats the same; but a server, which waits for its imports, would load that for a second.
    chance = float(gammaincc(usual.shape, statistic / usual.scale))
    verdict = UNLIKE if chance < STRANGE else ODD if chance < UNUSUAL else IN_RANGE
    return Drift(verdict, chance, far)


def _seen(p: Probabilities, vocabulary: Vocabulary) -> Booleans:
    """Say which rows show ground."""
    alone = [vocabulary.labels.index(label) for label in vocabulary.alone]
    with np.errstate(invalid="ignore"):
        hidden = (p[:, alone] > COVERED).any(axis=1)
    return np.asarray(~hidden & ~np.isnan(p).any(axis=1), dtype=np.bool_)


def _logits(p: Probabilities, vocabulary: Vocabulary) -> Floats:
    """Return the logits of the ground's labels."""
    ground = np.clip(p[:, len(vocabulary.exclusive) :].astype(np.float64), CLIP, 1 - CLIP)
    return np.asarray(np.log(ground / (1 - ground)))


def _weather(p: Probabilities, vocabulary: Vocabulary) -> npt.NDArray[np.intp]:
    """Return each row's weather: the likeliest one; all the same where there is none."""
    count = len(vocabulary.exclusive)
    return np.argmax(p[:, :count], axis=1) if count else np.zeros(len(p), dtype=np.intp)


def _means(p: Probabilities, vocabulary: Vocabulary) -> Floats:
    """Return the mean logits by weather; those of all rows for a weather that no row has."""
    logits, weather = _logits(p, vocabulary), _weather(p, vocabulary)
    every = range(max(1, len(vocabulary.exclusive)))
    return np.stack([logits[rows if (rows := weather == one).any() else slice(None)].mean(axis=0) for one in every])


def _left(p: Probabilities, means: Floats, vocabulary: Vocabulary) -> Floats:
    """Return what is left of the logits when those of the weather are taken away."""
    return np.asarray(_logits(p, vocabulary) - means[_weather(p, vocabulary)])


def _several(names: npt.NDArray[np.intp]) -> int:
    """Return how many groups have several rows."""
    return int((np.bincount(names) > 1).sum())


def _by_group(rows: Floats, names: npt.NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Return how many rows each group has, and their sums."""
    members, sizes = np.unique(names, return_inverse=True, return_counts=True)[1:]
    sums = np.zeros((len(sizes), rows.shape[1]))
    np.add.at(sums, members, rows)
    return sizes.astype(np.float64), sums


def _covariances(rows: Floats, names: npt.NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Return the covariance of groups' means and that of rows in their group, by the analysis of variance."""
    sizes, sums = _by_group(rows, names)
    count, groups = len(rows), len(sizes)
    centres = sums / sizes[:, None]
    inner = rows - centres[np.unique(names, return_inverse=True)[1]]
    within = inner.T @ inner / max(count - groups, 1)
    outer = (centres * sizes[:, None]).T @ centres / (groups - 1)
    each = (count - np.square(sizes).sum() / count) / (groups - 1)
    values, vectors = np.linalg.eigh((outer - within) / each)
    between = vectors @ np.diag(np.clip(values, 0, None)) @ vectors.T
    return _shrunk(between), _shrunk(within)


def _shrunk(covariance: Floats) -> Floats:
    """Return a covariance with less in common between labels, and none too steady."""
    own = np.diag(np.maximum(np.diag(covariance), LEAST))
    return np.asarray((1 - SHRUNK) * covariance + SHRUNK * own)


def _statistic(mean: Floats, covariance: Floats) -> float:
    """Return how far a mean lies off: 1 is usual."""
    return float(_distances(mean[None], covariance)[0])


def _distances(rows: Floats, covariance: Floats) -> Floats:
    """Return the squared distance of each row by a covariance, per label."""
    return np.asarray(np.einsum("ij,ij->i", rows, np.linalg.solve(covariance, rows.T).T) / rows.shape[1])
