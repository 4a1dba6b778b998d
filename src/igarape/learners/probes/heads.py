"""The head of a probe: a logistic regression for each label on standardised features, folded into one dense layer."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from igarape.labels import Booleans
from igarape.tables import Probabilities

Table = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

ITERATIONS = 1000  # at most, of the solver, which needs some dozens
# Of the features' mean deviation: what deviates less is scaled by this. A channel that next to none of the chips made
# fire would be blown up by its own deviation, and the first chip that does would get an answer from it alone.
LEAST = 0.1


@dataclass(frozen=True)
class Head:
    """A dense layer: weights float32 (channels, labels), bias float32 (labels,)."""

    weights: Table
    bias: Table

    def answer(self, features: Table) -> Probabilities:
        """Return probabilities (n, labels) for features (n, channels)."""
        scores = features @ self.weights + self.bias
        p: Probabilities = np.exp(-np.logaddexp(np.float32(0), -scores)).astype(np.float32)
        return p


def fit_head(features: Table, y: Booleans, *, l2: float, balance: float) -> Head:
    """Fit a head; a label that all chips hold, or none, is answered with its smoothed share (Laplace's rule).

    Parameters
    ----------
    features
        Of shape (n, channels), at least one row.
    y
        Which labels hold, of shape (n, labels).
    l2
        Strength of the penalty: l2 / 2 times the weights' squares, beside the sum of the chips' losses.
    balance
        A chip that holds a label counts (others / those that hold it) ** balance for it.
    """
    table = features.astype(np.float64)
    mean, scale = table.mean(axis=0), _scale(table)
    standard = (table - mean) / scale
    # The solver's steps are too short for several threads, which wait for each other: beside another job they took
    # thirty times as long. And with one, the order of a sum is the same on all machines.
    with threadpool_limits(1):
        fitted = [fit_label(standard, holds, l2=l2, balance=balance) for holds in y.T]
    weights = np.stack([weights / scale for weights, _ in fitted], axis=1)
    bias = np.array([bias for _, bias in fitted]) - mean @ weights
    return Head(weights.astype(np.float32), bias.astype(np.float32))


def _scale(table: Floats) -> Floats:
    """Return what each column is divided by."""
    deviation = table.std(axis=0)
    least = LEAST * deviation.mean()
    return np.maximum(deviation, least) if least else np.ones_like(deviation)


def fit_label(table: Floats, holds: npt.NDArray[np.bool_], *, l2: float, balance: float) -> tuple[Floats, float]:
    """Fit one label's weights (channels,) and bias to features as they are; as fit_head for a label without contrast.

    Parameters
    ----------
    table
        Features, of shape (n, channels).
    holds
        Which rows hold the label, of shape (n,).
    l2, balance
        As fit_head takes them.
    """
    count, others = int(holds.sum()), int((~holds).sum())
    if not count or not others:
        return np.zeros(table.shape[1]), float(np.log((count + 1) / (others + 1)))
    importance = {False: 1.0, True: (others / count) ** balance}
    model = LogisticRegression(C=1 / l2, class_weight=importance, max_iter=ITERATIONS).fit(table, holds)
    return model.coef_[0], float(model.intercept_[0])
