"""A Gaussian mixture of descriptors, and the Fisher vector of a chip: how its patches lie to the mixture's Gaussians.

Perronnin, Sanchez and Mensink: Improving the Fisher kernel for large-scale image classification, ECCV 2010.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans

from igarape.learners.fisher.patches import Descriptors

Table = npt.NDArray[np.float32]

PATCHES = 100  # of a chip that the mixture is fitted to
CHIPS = 300  # so many of them, at most
ROUNDS = 25  # of k-means, at most
# Logarithm of what no posterior is below: with subnormal numbers processors take many times as long.
FAINT = np.float32(-50)
TINY = 1e-6  # of a deviation, or of a component's variance
LEAST = 0.01  # variance of a Gaussian, where all descriptors together have 1


@dataclass(frozen=True)
class Mixture:
    """Gaussians with diagonal covariances over projected descriptors: descriptors @ projection + offset.

    projection (WIDTH, components), offset (components,), means and variances (words, components), shares (words,):
    float32.
    """

    projection: Table
    offset: Table
    means: Table
    variances: Table
    shares: Table

    @property
    def width(self) -> int:
        """Return how many numbers a Fisher vector has."""
        return len(self.shares) + 2 * self.means.size

    @cached_property
    def _scoring(self) -> tuple[Table, Table]:
        """Return what a projected descriptor beside its squares, (2 components,), is weighed by, and a constant."""
        weights = np.hstack([self.means / self.variances, -0.5 / self.variances]).T
        constant = np.log(self.shares) - 0.5 * (np.log(self.variances) + self.means**2 / self.variances).sum(axis=1)
        return np.ascontiguousarray(weights), constant

    def fisher(self, patches: Descriptors) -> Table:
        """Return a chip's Fisher vector, of its descriptors (places, WIDTH): float32 (width,).

        Of each Gaussian: how its share, its mean and its variance would have to change for the chip. Each number is
        then its root, with its sign.
        """
        seen = patches @ self.projection + self.offset
        both = np.hstack([seen, seen * seen])
        weights, constant = self._scoring
        posterior = both @ weights + constant
        posterior -= posterior.max(axis=1, keepdims=True)
        np.maximum(posterior, FAINT, out=posterior)
        np.exp(posterior, out=posterior)
        posterior /= posterior.sum(axis=1, keepdims=True)
        count, means, variances = posterior.mean(axis=0), self.means, self.variances
        first, second = np.hsplit(posterior.T @ both / np.float32(len(seen)), 2)
        shift = (first - count[:, None] * means) / np.sqrt(variances * self.shares[:, None])
        spread = second - 2 * means * first + count[:, None] * (means**2 - variances)
        spread /= variances * np.sqrt(2 * self.shares)[:, None]
        vector = np.concatenate([(count - self.shares) / np.sqrt(self.shares), shift.ravel(), spread.ravel()])
        rooted: Table = np.sign(vector) * np.sqrt(np.abs(vector))
        return rooted


def sample(chips: Sequence[Descriptors], *, rng: np.random.Generator) -> Descriptors:
    """Return PATCHES of each chip's descriptors, or all where there are fewer, at random."""
    return np.concatenate([chip[rng.permutation(len(chip))[:PATCHES]] for chip in chips])


def fit_mixture(patches: Descriptors, *, words: int, components: int, seed: int) -> Mixture:
    """Fit a mixture to descriptors: their first principal components, whitened, and k-means among them.

    A Gaussian is what one of the means is nearest to. Fewer different patches than words make fewer words.

    Parameters
    ----------
    patches
        Descriptors, of shape (n, WIDTH).
    words
        How many Gaussians.
    components
        How many principal components.
    seed
        Of the means that k-means begins with.
    """
    table = patches.astype(np.float64)
    mean, scale = table.mean(axis=0), np.maximum(table.std(axis=0), TINY)
    standard = (table - mean) / scale
    variances, directions = np.linalg.eigh(standard.T @ standard / len(table))  # the greatest come last
    projection = (directions / np.sqrt(np.maximum(variances, TINY)) / scale[:, None])[:, -components:]
    offset = -mean @ projection
    seen = table @ projection + offset
    words = min(words, len(np.unique(seen, axis=0)))
    clusters = KMeans(words, n_init=1, max_iter=ROUNDS, random_state=seed).fit(seen)
    members = [seen[clusters.labels_ == word] for word in np.unique(clusters.labels_)]
    arrays = (
        projection,
        offset,
        np.stack([one.mean(axis=0) for one in members]),
        np.stack([np.maximum(one.var(axis=0), LEAST) for one in members]),
        np.array([len(one) for one in members]) / len(seen),
    )
    return Mixture(*(array.astype(np.float32) for array in arrays))
