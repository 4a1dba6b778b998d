"""The blend: for each label a weighted sum of its learners' logits, with weights that the labels share in part.

z_l = sum_i v_il logit p_il + b_l with v_il >= 0, fitted by log-loss. It is a hierarchical logistic regression with
normal priors: of v_il around a learner's shared weight w_i >= 0, of b_l around 0, and of w_i around 1 / learners. A
penalty is 1 / the prior's variance, so that more rows outweigh it. So a label with few positives gets weights like the
others', few rows leave the plain mean, and a learner too weak to help gets weight 0.

All learners count in 1 / learners, also where some do not predict a label. To count only those that do was tried on
drawn chips: with 100 of them log-loss falls, with 240 F2 and average precision do, and from 600 on nothing changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from igarape.ensemble.linear import Learners, Linear, columns, log_loss, logit, sigmoid
from igarape.labels import Booleans
from igarape.scores.metrics import Floats
from igarape.tables import Probabilities

# The penalty on the shared weights' distance from 1 / learners: they lie within some 0.16 of it. A thousand rows
# outweigh that, a hundred do not, whose own best weights rank labels worse than the mean does.
TO_MEAN = 150.0
# Of the fit: steps, halves of a step, and the gain, of a row's log-loss, that is not worth a pass over the rows.
MOST_STEPS, MOST_HALVES, ENOUGH = 50, 20, 1e-10


@dataclass(frozen=True)
class Blend:
    """shared (learners,); weights (labels, learners), 0 where a learner does not predict a label; bias (labels,)."""

    shared: Floats
    weights: Floats
    bias: Floats

    def margin(self, cube: Floats) -> Floats:
        """Return the sums (n, labels) of logits (labels, learners, n)."""
        return np.asarray((self.weights[:, None, :] @ cube)[:, 0].T + self.bias)

    def linear(self, learners: Learners, labels: Sequence[str]) -> Linear:
        """Return the same as weights of columns."""
        found = columns(learners)
        weights = np.zeros((len(found), len(labels)))
        for column, (name, label) in enumerate(found):
            j = labels.index(label)
            weights[column, j] = self.weights[j, list(learners).index(name)]
        return Linear("logits", weights, self.bias)


def cube(p: Probabilities, learners: Learners, labels: Sequence[str]) -> tuple[Floats, Booleans]:
    """Sort logits of p (n, columns) by label: (labels, learners, n), and which learner predicts which label.

    A learner that does not predict a label has logit 0 there.
    """
    sorted_by_label = np.zeros((len(labels), len(learners), len(p)))
    predicts = np.zeros((len(labels), len(learners)), dtype=np.bool_)
    for column, (name, label) in enumerate(columns(learners)):
        place = labels.index(label), list(learners).index(name)
        sorted_by_label[place] = logit(p[:, column])
        predicts[place] = True
    return sorted_by_label, predicts


def fit_blend(cube: Floats, y: Booleans, *, predicts: Booleans, penalty: float, start: Blend | None = None) -> Blend:
    """Fit the weights to truth y (n, labels).

    Newton's method: each step goes to the minimum of the cost's quadratic model within the bounds, and half the way as
    long as the cost would rise (Lee, Sun and Saunders, SIAM Journal on Optimization 2014). A pass over the rows costs
    far more than the model's minimum, so that few passes matter: a step that gains next to nothing by the model, which
    is all but exact so near to the minimum, is the last one and needs none.

    Parameters
    ----------
    cube
        Logits, of shape (labels, learners, n).
    y
        Truth, of shape (n, labels).
    predicts
        Which learner predicts which label, of shape (labels, learners).
    penalty
        L2, on the distance of a label's weights from the shared ones, and of its bias from 0.
    start
        A blend that is near already, such as that by another penalty; without one, the mean of the logits.
    """
    cost = _Cost(cube, y.T.astype(np.float64), predicts, penalty / len(y), TO_MEAN / len(y))
    values = cost.start() if start is None else np.concatenate([start.shared, start.weights.ravel(), start.bias])
    now, gradient, curvature = cost(values)
    for _ in range(MOST_STEPS):
        step = _step(values, gradient, curvature, *cost.moving)
        if -(gradient @ step + step @ curvature @ step / 2) < ENOUGH:
            return cost.blend(values + step)
        for _ in range(MOST_HALVES):
            then = cost(values + step)
            if then[0] <= now:
                break
            step /= 2
        values, (now, gradient, curvature) = values + step, then
    return cost.blend(values)


@dataclass(frozen=True)
class _Cost:
    """The penalised mean log-loss, of all weights as one vector: shared, weights, bias. Penalties are per row."""

    cube: Floats
    truth: Floats
    predicts: Booleans
    penalty: float
    to_mean: float

    @property
    def moving(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Return where the weights stand that may move, as those of what is not predicted stay 0; and the biases."""
        labels, learners = self.predicts.shape
        predicted = learners + np.flatnonzero(self.predicts)
        return np.concatenate([np.arange(learners), predicted]), np.arange(labels) + learners * (1 + labels)

    def start(self) -> Floats:
        """Return the mean of the logits."""
        labels, learners = self.predicts.shape
        prior = np.full(learners, 1 / learners)
        return np.concatenate([prior, (prior * self.predicts).ravel(), np.zeros(labels)])

    def blend(self, values: Floats) -> Blend:
        """Name the parts of the vector."""
        labels, learners = self.predicts.shape
        shared, weights, bias = np.split(values, [learners, learners + labels * learners])
        return Blend(shared, weights.reshape(labels, learners), bias)

    def __call__(self, values: Floats) -> tuple[float, Floats, Floats]:
        """Return the cost, its gradient and its matrix of second derivatives."""
        labels, learners, _ = self.cube.shape
        blend = self.blend(values)
        apart, drawn = (blend.weights - blend.shared) * self.predicts, blend.shared - 1 / learners
        penalised = self.penalty * ((apart**2).sum() + (blend.bias**2).sum()) + self.to_mean * (drawn**2).sum()
        slopes, biases = self.penalty * apart, self.penalty * blend.bias
        curvature = np.zeros((len(values), len(values)))
        shared, loss = np.arange(learners), 0.0
        curvature[shared, shared] = self.to_mean + self.penalty * self.predicts.sum(axis=0)
        for label in range(labels):
            own, bias = learners * (1 + label) + shared, learners * (1 + labels) + label
            one = self._label(label, blend)
            loss += one.loss
            slopes[label] += one.slope * self.predicts[label]
            biases[label] += one.error
            curvature[np.ix_(own, own)] = one.products
            curvature[own, own] += self.penalty
            curvature[own, shared] = curvature[shared, own] = -self.penalty
            curvature[own, bias] = curvature[bias, own] = one.sums
            curvature[bias, bias] = one.spread + self.penalty
        gradient = np.concatenate([self.to_mean * drawn - self.penalty * apart.sum(axis=0), slopes.ravel(), biases])
        return loss + float(penalised) / 2, gradient, curvature

    def _label(self, label: int, blend: Blend) -> "_Label":
        """Return a label's part of the cost. Label by label, what a pass over the rows needs stays in a cache."""
        logits, truth = self.cube[label], self.truth[label]
        margin = blend.weights[label] @ logits + blend.bias[label]
        p, rows = sigmoid(margin), len(truth)
        error, spread = p - truth, p * (1 - p)
        products = np.multiply(logits, spread, out=self._weighed) @ logits.T
        loss = float(log_loss(margin, truth).sum())
        return _Label(
            loss / rows,
            logits @ error / rows,
            error.sum() / rows,
            products / rows,
            logits @ spread / rows,
            spread.sum() / rows,
        )

    @cached_property
    def _weighed(self) -> Floats:
        """Return room for a label's logits (learners, n): to ask for it anew costs more than to fill it."""
        return np.empty(self.cube.shape[1:])


class _Label(NamedTuple):
    """The log-loss of a row for one label, and its derivatives by the label's weights and bias.

    slope (learners,) and error: the first; products (learners, learners), sums (learners,) and spread: the second.
    """

    loss: float
    slope: Floats
    error: float
    products: Floats
    sums: Floats
    spread: float


def _step(
    values: Floats, gradient: Floats, curvature: Floats, weights: npt.NDArray[np.intp], biases: npt.NDArray[np.intp]
) -> Floats:
    """Return the way to the minimum of the quadratic model where no weight falls below 0.

    A bias goes where it is best for the weights, which leaves a problem of the weights alone (the Schur complement).
    """
    both = curvature[np.ix_(biases, weights)]
    ways = np.linalg.solve(curvature[np.ix_(biases, biases)], np.column_stack([both, gradient[biases]]))
    alone = curvature[np.ix_(weights, weights)] - both.T @ ways[:, :-1]
    root, before = np.linalg.cholesky(alone), values[weights]
    target = np.linalg.solve(root, alone @ before - gradient[weights] + both.T @ ways[:, -1])
    step = np.zeros(len(values))
    step[weights] = nnls(root.T, target)[0] - before
    step[biases] = -ways @ np.append(step[weights], 1.0)
    return step
