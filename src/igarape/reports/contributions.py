"""What moves the stack's answers: SHAP values of its weighted sum and of the trees that correct it.

SHAP values split the difference of an answer from the mean answer among the features, so that they add up to it
(Lundberg and Lee, NeurIPS 2017). Those of a weighted sum are each weight times how far its value lies from the mean.
Those of trees are XGBoost's own, exact ones (pred_contribs; Lundberg and others, Nature Machine Intelligence 2020).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xgboost

from igarape.ensemble.linear import Predicted, Scale, columns, logit, stack_columns
from igarape.ensemble.stacker import Boosters, Stacker
from igarape.scores.metrics import Floats
from igarape.tables import Probabilities

# Chips are enough, evenly spread: exact SHAP values cost far more than answers.
CHIPS = 1_000
# Features that are named for each label that trees correct.
NAMED = 3


@dataclass(frozen=True)
class Feature:
    """What a learner says of a label, and by how much that moves the trees' correction on average, in logits."""

    learner: str
    label: str
    size: float


@dataclass(frozen=True)
class Contributions:
    """By how much each learner moves each label on average: means of absolute SHAP values.

    linear, trees: (labels, learners), of the weighted sum on its own scale, and of the trees in logits. features: of
    each label that trees correct, what moves them most. chips: how many were looked at.
    """

    method: str
    scale: Scale
    labels: tuple[str, ...]
    learners: tuple[str, ...]
    linear: Floats
    trees: Floats
    features: Mapping[str, tuple[Feature, ...]]
    chips: int


def contributions(stacker: Stacker, probabilities: Predicted) -> Contributions:
    """Look into a fitted stack by the learners' probabilities, each (n, its labels), in whose order they are shown."""
    p = stack_columns(probabilities, stacker.learners)
    p = p[np.unique(np.linspace(0, len(p) - 1, CHIPS).round().astype(np.intp))]
    owners = np.array([name for name, _ in columns(stacker.learners)])
    own = {name: owners == name for name in probabilities}
    values = logit(p) if stacker.linear.scale == "logits" else p.astype(np.float64)
    apart = values - values.mean(axis=0)
    linear = [np.abs(apart[:, of] @ stacker.linear.weights[of]).mean(axis=0) for of in own.values()]
    trees = np.zeros((len(stacker.labels), len(own)))
    features = {}
    for label, boosters in stacker.boosters.items():
        each = shap(boosters, p)
        trees[stacker.labels.index(label)] = [np.abs(each[:, of].sum(axis=1)).mean() for of in own.values()]
        features[label] = _largest(np.abs(each).mean(axis=0), stacker)
    return Contributions(
        method=stacker.method,
        scale=stacker.linear.scale,
        labels=stacker.labels,
        learners=tuple(own),
        linear=np.stack(linear, axis=1),
        trees=trees,
        features=features,
        chips=len(p),
    )


def shap(boosters: Boosters, p: Probabilities) -> Floats:
    """Return the mean of the boosters' SHAP values (n, columns) of probabilities as `beside` lays them, in logits."""
    matrix = xgboost.DMatrix(logit(p).astype(np.float32), nthread=1)
    each = [booster.predict(matrix, pred_contribs=True)[:, :-1] for booster in boosters]  # the last one is the mean's
    return np.asarray(np.mean(each, axis=0, dtype=np.float64))


def _largest(sizes: Floats, stacker: Stacker) -> tuple[Feature, ...]:
    """Name the features with the largest sizes (columns,), where they have any."""
    named = columns(stacker.learners)
    order = np.argsort(-sizes, kind="stable")[:NAMED]
    found = [(*named[column], float(sizes[column])) for column in order.tolist()]
    return tuple(Feature(*each) for each in found if each[2] > 0)
