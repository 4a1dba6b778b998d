"""Truth, and what three learners say of it; the rare one predicts two labels only. And a stacker made by hand."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xgboost

from igarape.ensemble.linear import logit, mean_weights, sigmoid, stack_columns
from igarape.ensemble.nested import Known, parts_of
from igarape.ensemble.stacker import Stacker
from igarape.labels import Booleans, Vocabulary
from igarape.predictions import prediction_table
from igarape.tables import Folds, Probabilities

VOCABULARY = Vocabulary(exclusive=(), alone=(), common=("sea", "dock"), rare=("blow down/1", "tank"))
LABELS = VOCABULARY.labels
LEARNERS: Mapping[str, tuple[str, ...]] = {"plain": LABELS, "deep": LABELS, "rare": ("tank", "blow down/1")}
SHARES = (0.5, 0.3, 0.1, 0.2)


def draw(n: int, seed: int, *, folds: int = 4) -> tuple[dict[str, Probabilities], Booleans, Folds]:
    """Draw truth, learners that know something of it, and the folds, of which -1 is the hold-out."""
    rng = np.random.default_rng(seed)
    y = rng.random((n, len(LABELS))) < SHARES
    learners = {}
    for name, labels in LEARNERS.items():
        columns = [LABELS.index(label) for label in labels]
        said = sigmoid(3 * y[:, columns] - 2 + rng.normal(0, 1.5, (n, len(columns))))
        learners[name] = said.astype(np.float32)
    return learners, y, np.arange(n) % (folds + 1) - 1


def known(p: Mapping[str, Probabilities], y: Booleans, folds: Folds) -> Known:
    """Return what stacks are fitted on."""
    parts = parts_of(folds, np.arange(len(folds)))
    return Known(stack_columns(p, LEARNERS), y, parts, LEARNERS, VOCABULARY.targets("all"))


def written(p: Mapping[str, Probabilities], folds: Folds) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Return the same as the tables of predictions and of folds."""
    ids = [f"chip_{row}" for row in range(len(folds))]
    tables = {
        name: prediction_table(ids, folds, learner=name, labels=LEARNERS[name], p=each) for name, each in p.items()
    }
    return tables, pd.DataFrame({"image_id": ids, "fold": folds})


def boosted(
    p: Mapping[str, Probabilities], y: Booleans, *, learners: Mapping[str, Sequence[str]], labels: Sequence[str]
) -> Stacker:
    """Return a stacker whose mean is corrected, for each label, by the trees of two seeds."""
    features = logit(stack_columns(p, learners)).astype(np.float32)
    boosters = {}
    for j, label in enumerate(labels):
        matrix = xgboost.DMatrix(features, y[:, j])
        parameters = {"objective": "binary:logistic", "base_score": 0.5, "max_depth": 2, "subsample": 0.7, "nthread": 1}
        each = [xgboost.train(parameters | {"seed": seed}, matrix, num_boost_round=5) for seed in range(2)]
        boosters[label] = tuple(each)
    named = {name: tuple(predicted) for name, predicted in learners.items()}
    return Stacker("xgboost", tuple(labels), named, mean_weights(learners, labels), boosters)
