"""The blend: for each label a weighted sum of its learners' logits, with weights that the labels share.

z_l = sum_i v_il logit p_il + b_l with v_il >= 0, fitted by log-loss. The v_il are pulled to a learner's shared weight
w_i >= 0, the b_l to 0, and the w_i, weakly, to 1 / learners: a label with few positives says little, and goes with the
others. A learner too weak to help comes out with weight 0. It is a hierarchical logistic regression with normal priors.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import lsq_linear

from igarape.ensemble.linear import Learners, Linear, columns, log_loss, sigmoid
from igarape.labels import Booleans
from igarape.scores.metrics import Floats

# How strongly the shared weights are drawn to 1 / learners: just so that learners that say the same share the weight.
WEAK = 1e-3
# Of the fit: steps, halves of a step, and the gain, of a row's log-loss, that is not worth another step. TINY keeps a
# bound that holds exactly apart from its value, which the solver asks for.
MOST_STEPS, MOST_HALVES, ENOUGH, TINY = 50, 20, 1e-8, 1e-12


@dataclass(frozen=True)
class Blend:
    """shared (learners,); weights (labels, learners), 0 where a learner does not predict a label; bias (labels,)."""

    shared: Floats
    weights: Floats
    bias: Floats

    def margin(self, cube: Floats) -> Floats:
        """Return the sums (n, labels) of logits (labels, n, learners)."""
        return np.asarray((cube @ self.weights[:, :, None])[:, :, 0].T + self.bias)

    def linear(self, learners: Learners, labels: Sequence[str]) -> Linear:
        """Return the same as weights of columns."""
        found = columns(learners)
        weights = np.zeros((len(found), len(labels)))
        for column, (name, label) in enumerate(found):
            j = labels.index(label)
            weights[column, j] = self.weights[j, list(learners).index(name)]
        return Linear("logits", weights, self.bias)


def cube(logits: Floats, learners: Learners, labels: Sequence[str]) -> tuple[Floats, Booleans]:
    """Sort the columns (n, columns) by label: (labels, n, learners), and which learner predicts which label.

    A learner that does not predict a label has logit 0 there.
    """
    sorted_by_label = np.zeros((len(labels), len(logits), len(learners)))
    predicts = np.zeros((len(labels), len(learners)), dtype=np.bool_)
    for column, (name, label) in enumerate(columns(learners)):
        place = labels.index(label), list(learners).index(name)
        sorted_by_label[place[0], :, place[1]] = logits[:, column]
        predicts[place] = True
    return sorted_by_label, predicts


def fit_blend(cube: Floats, y: Booleans, *, predicts: Booleans, pull: float, start: Blend | None = None) -> Blend:
    """Fit the weights to truth y (n, labels).

    Newton's method: each step goes to the minimum of the cost's quadratic model within the bounds, and half the way as
    long as the cost would rise (Lee, Sun and Saunders, SIAM Journal on Optimization 2014). A pass over the rows costs
    far more than the model's minimum, so that few passes matter.

    Parameters
    ----------
    cube
        Logits, of shape (labels, n, learners).
    y
        Truth, of shape (n, labels).
    predicts
        Which learner predicts which label, of shape (labels, learners).
    pull
        How strongly a label's weights are drawn to the shared ones, and its bias to 0, for each row.
    start
        A blend that is near already, such as that by another pull; without one, the mean of the logits.
    """
    cost = _Cost(cube, y.T.astype(np.float64), predicts, pull)
    values = cost.start() if start is None else np.concatenate([start.shared, start.weights.ravel(), start.bias])
    now, gradient, curvature = cost(values)
    for _ in range(MOST_STEPS):
        step = _step(values, gradient, curvature, lowest=cost.lowest, free=cost.free)
        for _ in range(MOST_HALVES):
            then = cost(values + step)
            if then[0] <= now:
                break
            step /= 2
        gained, values, (now, gradient, curvature) = now - then[0], values + step, then
        if gained < ENOUGH:
            break
    return cost.blend(values)


@dataclass(frozen=True)
class _Cost:
    """The penalised log-loss of a row, of all weights as one vector: shared, weights, bias."""

    cube: Floats
    truth: Floats
    predicts: Booleans
    pull: float

    @property
    def lowest(self) -> Floats:
        """Return the lower bounds: 0 for weights, none for biases."""
        labels, learners = self.predicts.shape
        return np.concatenate([np.zeros(learners + labels * learners), np.full(labels, -np.inf)])

    @property
    def free(self) -> Booleans:
        """Return which may move: the weights of what is not predicted stay 0."""
        labels, learners = self.predicts.shape
        return np.concatenate([np.ones(learners, bool), self.predicts.ravel(), np.ones(labels, bool)])

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
        labels, rows, learners = self.cube.shape
        blend = self.blend(values)
        margin = blend.margin(self.cube).T
        apart, drawn = (blend.weights - blend.shared) * self.predicts, blend.shared - 1 / learners
        penalty = self.pull * ((apart**2).sum() + (blend.bias**2).sum()) + WEAK * (drawn**2).sum()
        p = sigmoid(margin)
        error, spread = (p - self.truth) / rows, p * (1 - p) / rows
        gradient = (
            WEAK * drawn - self.pull * apart.sum(axis=0),
            ((error[:, None, :] @ self.cube)[:, 0] * self.predicts + self.pull * apart).ravel(),
            error.sum(axis=1) + self.pull * blend.bias,
        )
        curvature = np.zeros((len(values), len(values)))
        shared = np.arange(learners)
        curvature[shared, shared] = WEAK + self.pull * self.predicts.sum(axis=0)
        weighed = self.cube * spread[:, :, None]
        products, sums = weighed.swapaxes(1, 2) @ self.cube, weighed.sum(axis=1)
        for label in range(labels):
            own, bias = learners * (1 + label) + shared, learners * (1 + labels) + label
            curvature[np.ix_(own, own)] = products[label]
            curvature[own, own] += self.pull
            curvature[own, shared] = curvature[shared, own] = -self.pull
            curvature[own, bias] = curvature[bias, own] = sums[label]
            curvature[bias, bias] = spread[label].sum() + self.pull
        return float(log_loss(margin, self.truth).sum() / rows + penalty / 2), np.concatenate(gradient), curvature


def _step(values: Floats, gradient: Floats, curvature: Floats, *, lowest: Floats, free: Booleans) -> Floats:
    """Return the way to the minimum of the quadratic model within the bounds."""
    root = np.linalg.cholesky(curvature[np.ix_(free, free)])
    target = np.linalg.solve(root, -gradient[free])
    found = lsq_linear(root.T, target, ((lowest - values)[free] - TINY, np.inf), method="bvls")
    step = np.zeros(len(values))
    step[free] = np.maximum(found.x, (lowest - values)[free])
    return step
