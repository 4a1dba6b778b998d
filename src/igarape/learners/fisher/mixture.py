"""A Gaussian mixture of descriptors, and the Fisher vector of a chip: how its patches lie to the mixture's Gaussians.

Perronnin, Sanchez and Mensink: Improving the Fisher kernel for large-scale image classification, ECCV 2010.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from igarape.learners.fisher.patches import Descriptors

Table = npt.NDArray[np.float32]

# Logarithm of what no posterior is below: with subnormal numbers processors take many times as long.
FAINT = np.float32(-50)


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
