"""A logistic regression for each label on the similarity of rows to some of them: kernel logistic regression.

With all rows as landmarks that is exact; with fewer it is Nystroem's approximation (Williams and Seeger, Using the
Nystroem method to speed up kernel machines, NIPS 2000).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.kernel_approximation import Nystroem
from threadpoolctl import threadpool_limits

from igarape.labels import Booleans
from igarape.learners.moments import parts
from igarape.learners.probes.heads import fit_label

Floats = npt.NDArray[np.float64]


class Landmarks(NamedTuple):
    """landmarks (m, width); weights (m, labels) of the similarity exp(-gamma |row - landmark|^2); bias (labels,)."""

    landmarks: Floats
    weights: Floats
    bias: Floats


def fit_landmarks(
    standard: Floats, y: Booleans, *, gamma: float, l2: float, balance: float, count: int, seed: int
) -> Landmarks:
    """Choose landmarks, and fit a logistic regression on the similarity to them.

    Parameters
    ----------
    standard
        Rows, of shape (n, width), on scales that may be compared.
    y
        Which labels hold, of shape (n, labels).
    gamma
        How fast similarity falls with the square of the distance.
    l2, balance
        As heads.fit_label takes them.
    count
        How many landmarks, at most.
    seed
        Of their choice.
    """
    with threadpool_limits(1):  # as a probe's head: small steps, and sums in the same order on all machines
        nystroem = Nystroem(kernel="rbf", gamma=gamma, n_components=min(count, len(standard)), random_state=seed)
        nystroem.fit(standard)
        mapped = np.empty((len(standard), len(nystroem.components_)))
        for part in parts(len(standard)):
            mapped[part] = nystroem.transform(standard[part])
        fitted = [fit_label(mapped, holds, l2=l2, balance=balance) for holds in y.T]
    weights = nystroem.normalization_.T @ np.stack([weights for weights, _ in fitted], axis=1)
    return Landmarks(nystroem.components_, weights, np.array([bias for _, bias in fitted]))
