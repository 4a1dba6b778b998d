"""The part of a stack that is a weighted sum: of the learners' logits or probabilities, for each label."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from igarape.errors import InputError
from igarape.scores.metrics import Floats, Reals
from igarape.tables import Probabilities

Learners = Mapping[str, Sequence[str]]
Predicted = Mapping[str, Probabilities]
Scale = Literal["logits", "probabilities"]

# Probabilities of exactly 0 or 1 have no finite logit.
EDGE = 1e-6


@dataclass(frozen=True)
class Linear:
    """Weights (columns, labels) of the columns of `stack_columns`, and a bias (labels,).

    On the scale of logits a sum is a logit; on that of probabilities it is a probability, cut at 0 and 1.
    """

    scale: Scale
    weights: Floats
    bias: Floats

    def margin(self, p: Probabilities) -> Floats:
        """Return the sums (n, labels) of probabilities (n, columns), each row by itself."""
        values = logit(p) if self.scale == "logits" else p.astype(np.float64)
        total = np.tile(self.bias, (len(p), 1))
        # Summed column by column: a matrix product may order a sum otherwise for one row than for many.
        for column, weights in enumerate(self.weights):
            if weights.any():
                total += values[:, column, None] * weights
        return total

    def answer(self, margin: Floats) -> Floats:
        """Turn sums into probabilities."""
        return sigmoid(margin) if self.scale == "logits" else np.clip(margin, 0, 1)

    def to_json(self) -> dict[str, Any]:
        """Return what a JSON file keeps."""
        return {"scale": self.scale, "weights": self.weights.tolist(), "bias": self.bias.tolist()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Linear":
        """Restore what to_json returned."""
        if content["scale"] not in get_args(Scale):
            raise InputError(f"stacker.json: scale: expected one of {get_args(Scale)}, found {content['scale']!r}")
        return cls(content["scale"], np.array(content["weights"]), np.array(content["bias"]))


def columns(learners: Learners) -> list[tuple[str, str]]:
    """Return the learner and the label of each column that `stack_columns` makes."""
    return [(name, label) for name, labels in learners.items() for label in labels]


def stack_columns(probabilities: Predicted, learners: Learners) -> Probabilities:
    """Concatenate the learners' probabilities, each (n, its labels), along columns: float32 (n, columns).

    Raises InputError when they are of other learners or shapes.
    """
    if set(probabilities) != set(learners):
        raise InputError(f"stack: expected predictions by {sorted(learners)}, found {sorted(probabilities)}")
    rows = len(next(iter(probabilities.values())))
    for name, p in probabilities.items():
        if p.shape != (shape := (rows, len(learners[name]))):
            raise InputError(f"stack: {name}: expected probabilities of shape {shape}, found {p.shape}")
    return np.concatenate([probabilities[name] for name in learners], axis=1).astype(np.float32, copy=False)


def split_columns(p: Probabilities, learners: Learners) -> dict[str, Probabilities]:
    """Split the columns of `stack_columns` by learner again, as views."""
    ends = np.cumsum([len(labels) for labels in learners.values()])
    return dict(zip(learners, np.split(p, ends[:-1], axis=1), strict=True))


def logit(p: Reals) -> Floats:
    """Return log(p / (1 - p)), of probabilities kept EDGE away from 0 and 1."""
    found = np.array(p, dtype=np.float64)
    np.clip(found, EDGE, 1 - EDGE, out=found)
    found /= 1 - found  # in its place, as what follows: of many chips four such tables do not fit into memory
    return np.log(found, out=found)


def sigmoid(margin: Floats) -> Floats:
    """Return 1 / (1 + exp(-margin)), without an overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * margin)))


def log_loss(margin: Floats, y: Reals) -> Floats:
    """Return the log-loss of logits against y (0 or 1), each by itself, of their common shape."""
    return np.asarray(np.log1p(np.exp(-np.abs(margin))) + np.maximum(margin, 0) - y * margin)


def own_columns(learners: Learners, label: str) -> list[int]:
    """Return the columns in which a label is predicted."""
    return [column for column, (_, predicted) in enumerate(columns(learners)) if predicted == label]


def mean_weights(learners: Learners, labels: Sequence[str]) -> Linear:
    """Return the plain mean, for each label, of the probabilities of the learners that predict it."""
    weights = np.array([[float(predicted == label) for label in labels] for _, predicted in columns(learners)])
    return Linear("probabilities", weights / weights.sum(axis=0), np.zeros(len(labels)))


def single_weights(name: str, learners: Learners, labels: Sequence[str]) -> Linear:
    """Return weights that give the probabilities of one learner of all labels."""
    weights = np.array(
        [[float(each == name and predicted == label) for label in labels] for each, predicted in columns(learners)]
    )
    return Linear("probabilities", weights, np.zeros(len(labels)))
