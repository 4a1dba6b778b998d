"""The words that patches are compared with, found among those of the training chips: how a mixture is fitted."""

from collections.abc import Sequence

import numpy as np
from sklearn.cluster import KMeans

from igarape.learners.fisher.mixture import Mixture
from igarape.learners.fisher.patches import Descriptors

PATCHES = 100  # of a chip that the mixture is fitted to
CHIPS = 300  # so many of them, at most
ROUNDS = 25  # of k-means, at most
TINY = 1e-6  # of a deviation, or of a component's variance
LEAST = 0.01  # variance of a Gaussian, where all descriptors together have 1


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
