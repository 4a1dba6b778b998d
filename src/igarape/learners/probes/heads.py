"""The head of a probe, one dense layer: for each label a logistic regression on features, or what prototypes say."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from igarape.labels import Booleans
from igarape.learners.moments import deviation
from igarape.tables import Probabilities

Table = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Step = tuple[str, list[str], str, dict[str, Any]]  # an operation of ONNX: its kind, inputs, output and attributes
F = TypeVar("F", bound=np.floating)

ITERATIONS = 10_000  # at most, of the solver: with little l2 it needs some hundreds
# Of the cost's gradient where the solver stops. scikit-learn's own bound is on the mean over the chips: of 20,000 it
# stopped at twice the least cost, and l2 meant nothing.
GRADIENT = 1e-3
# Of the features' mean deviation: what deviates less is scaled by this. A channel that next to none of the chips made
# fire would be blown up by its own deviation, and the first chip that does would get an answer from it alone.
LEAST = 0.1
TINY = 1e-12


class Scoring(Protocol):
    """A head, as it stands in a probe's file."""

    @property
    def outputs(self) -> int:
        """Return how many labels it predicts."""

    def answer(self, features: Table) -> Probabilities:
        """Return probabilities (n, labels) for features (n, channels)."""

    def scored(self) -> tuple[Sequence[Step], Mapping[str, npt.NDArray[Any]]]:
        """Return the steps from "features" to "scores", the labels' logits, and the constants that they take."""


@dataclass(frozen=True)
class Head:
    """A dense layer: weights float32 (channels, labels), bias float32 (labels,).

    centre: float32 (channels,), where the layer sees directions: features less the centre, brought to length 1.
    """

    weights: Table
    bias: Table
    centre: Table | None = None

    @property
    def outputs(self) -> int:
        """Return how many labels it predicts."""
        return len(self.bias)

    def scored(self) -> tuple[list[Step], dict[str, Table]]:
        """Return the same as ONNX: steps from "features" to "scores", and constants."""
        directed: list[Step] = [
            ("Sub", ["features", "centre"], "centred", {}),
            ("LpNormalization", ["centred"], "directions", {"axis": -1, "p": 2}),
        ]
        seen = "features" if self.centre is None else "directions"
        steps: list[Step] = [
            *([] if self.centre is None else directed),
            ("MatMul", [seen, "weights"], "weighted", {}),
            ("Add", ["weighted", "bias"], "scores", {}),
        ]
        constants = {"weights": self.weights, "bias": self.bias}
        return steps, constants | ({} if self.centre is None else {"centre": self.centre})

    def answer(self, features: Table) -> Probabilities:
        """Return probabilities (n, labels) for features (n, channels)."""
        seen = features if self.centre is None else _directions(features - self.centre)
        scores = seen @ self.weights + self.bias
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
    standard = features.astype(np.float64)
    mean, scale = standard.mean(axis=0), scale_of(standard)
    standard -= mean  # in place: of many chips no second table fits into memory
    standard /= scale
    # The solver's steps are too short for several threads, which wait for each other: beside another job they took
    # thirty times as long. And with one, the order of a sum is the same on all machines.
    with threadpool_limits(1):
        fitted = [fit_label(standard, holds, l2=l2, balance=balance) for holds in y.T]
    weights = np.stack([weights / scale for weights, _ in fitted], axis=1)
    bias = np.array([bias for _, bias in fitted]) - mean @ weights
    return Head(weights.astype(np.float32), bias.astype(np.float32))


def fit_prototypes(features: Table, y: Booleans, *, l2: float, balance: float) -> Head:
    """Fit a head of prototypes: scale * (cosine to the mean of a label's chips - cosine to the others' mean) + bias.

    Features are centred and of length 1, as in SimpleShot (Wang et al., Revisiting nearest-neighbor classification for
    few-shot learning, 2019); the means are prototypes (Snell et al., Prototypical networks, NeurIPS 2017). Scale and
    bias are a logistic regression on what each chip scores when the means are taken without it: a prototype of three
    chips is near to each of them.

    Parameters
    ----------
    features, y
        As fit_head takes them, and labels without contrast are answered as there.
    l2, balance
        As fit_head takes them; of one standardised score.
    """
    table = features.astype(np.float64)
    centre = table.mean(axis=0)
    table -= centre
    directions = _directions(table)
    with threadpool_limits(1):  # as in fit_head
        fitted = [_fit_prototype(directions, holds, l2=l2, balance=balance) for holds in y.T]
    weights, bias = np.stack([weights for weights, _ in fitted], axis=1), np.array([bias for _, bias in fitted])
    return Head(weights.astype(np.float32), bias.astype(np.float32), centre.astype(np.float32))


def _fit_prototype(
    directions: Floats, holds: npt.NDArray[np.bool_], *, l2: float, balance: float
) -> tuple[Floats, float]:
    """Return one label's weights (channels,) and bias, as fit_label does."""
    if holds.all() or not holds.any():
        return fit_label(directions, holds, l2=l2, balance=balance)
    scores = _likeness(directions, holds) - _likeness(directions, ~holds)
    spread = scores.std() or 1.0
    (scale,), bias = fit_label(scores[:, None] / spread, holds, l2=l2, balance=balance)
    if scale < 0:  # chips that are less alike than others tell nothing of a label
        (scale,), bias = fit_label(np.zeros((len(scores), 1)), holds, l2=l2, balance=balance)
    towards, away = (_directions(directions[rows].sum(axis=0)) for rows in (holds, ~holds))
    return (towards - away) * scale / spread, bias


def _likeness(directions: Floats, members: npt.NDArray[np.bool_]) -> Floats:
    """Return the cosine of each row to the mean of the members, among which it does not count itself."""
    total = directions[members].sum(axis=0)
    along = directions @ total
    own = members * (directions**2).sum(axis=1)  # 1, or 0 of a row that lies at the centre
    rest = total @ total - members * 2 * along + own  # the square of the length of the others' sum
    likeness: Floats = (along - own) / np.sqrt(np.maximum(rest, TINY))
    return likeness


def _directions(table: npt.NDArray[F]) -> npt.NDArray[F]:
    """Return rows at length 1; what has none stays 0."""
    length = np.linalg.norm(table, axis=-1, keepdims=True)
    directions: npt.NDArray[F] = np.divide(table, length, out=np.zeros_like(table), where=length > 0)
    return directions


def scale_of(table: Floats) -> Floats:
    """Return what each column is divided by."""
    spread = deviation(table, dtype=np.float64)
    least = LEAST * spread.mean()
    return np.maximum(spread, least) if least else np.ones_like(spread)


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
    bound = GRADIENT / len(table)
    model = LogisticRegression(C=1 / l2, class_weight=importance, tol=bound, max_iter=ITERATIONS).fit(table, holds)
    return model.coef_[0], float(model.intercept_[0])


HEADS: Mapping[str, Callable[..., Head]] = {"logistic": fit_head, "prototype": fit_prototypes}
