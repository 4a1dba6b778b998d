"""The stack: the learners' probabilities -> one probability for each label, by their mean or by XGBoost.

A learner may predict only some of the labels (the rare ones, say). XGBoost starts from the mean, as its base margin,
and learns corrections to it from all the learners' probabilities and means: with few rows, or strong regularisation, it
stays near the mean. It sees out-of-fold probabilities only, and is itself cross-fitted on the same folds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, Unpack

import numpy as np
import numpy.typing as npt
import xgboost

from igarape.errors import InputError
from igarape.files import read_json, write_json
from igarape.labels import Booleans
from igarape.scores.metrics import Floats
from igarape.tables import HOLDOUT, Probabilities

Learners = Mapping[str, Sequence[str]]
Predicted = Mapping[str, Probabilities]

# Means of exactly 0 or 1 have no finite logit.
EDGE = 1e-6


class Settings(TypedDict):
    """XGBoost's knobs: boosting rounds, tree depth, learning rate, least hessian of a leaf, l2 on leaves, seed."""

    rounds: int
    depth: int
    rate: float
    child_weight: float
    l2: float
    seed: int


@dataclass(frozen=True)
class Stacker:
    """A fitted stack. learners: the labels that each predicts, in their columns' order.

    boosters: one for each label that XGBoost corrects. fallbacks: the labels that it could not be fitted for, with the
    reason; their answer is the mean. With the method "mean" both are empty.
    """

    method: str
    labels: tuple[str, ...]
    learners: dict[str, tuple[str, ...]]
    boosters: dict[str, xgboost.Booster]
    fallbacks: dict[str, str]

    def predict(self, probabilities: Predicted) -> Probabilities:
        """Stack the learners' probabilities, each (n, its labels), into (n, labels), each row by itself."""
        mean = _mean(probabilities, self.labels, self.learners)
        if not self.boosters:
            return mean.astype(np.float32)
        features, margin = _features(probabilities, mean, self.learners), _logit(mean)
        stacked = mean.copy()
        for label, booster in self.boosters.items():
            j = self.labels.index(label)
            correction = booster.inplace_predict(features, predict_type="margin")
            stacked[:, j] = 1 / (1 + np.exp(-(margin[:, j] + correction)))
        return stacked.astype(np.float32)

    def save(self, folder: Path) -> None:
        """Write stacker.json, and XGBoost's own JSON for each booster, numbered by its label's column."""
        folder.mkdir(parents=True, exist_ok=True)
        for stale in folder.glob("booster_*.json"):
            stale.unlink()
        files = {label: f"booster_{self.labels.index(label):02d}.json" for label in self.boosters}
        for label, file in files.items():
            self.boosters[label].save_model(folder / file)
        content = {
            "method": self.method,
            "labels": self.labels,
            "learners": self.learners,
            "boosters": files,
            "fallbacks": self.fallbacks,
        }
        write_json(content, folder / "stacker.json")

    @classmethod
    def load(cls, folder: Path) -> "Stacker":
        """Read what save wrote; the loaded stacker's answers are the same to the bit."""
        content = read_json(folder / "stacker.json")
        return cls(
            method=content["method"],
            labels=tuple(content["labels"]),
            learners={name: tuple(labels) for name, labels in content["learners"].items()},
            boosters={label: _load_booster(folder / file) for label, file in content["boosters"].items()},
            fallbacks=content["fallbacks"],
        )


@dataclass(frozen=True)
class CrossFit:
    """A stack's predictions and where they come from.

    p (n, labels): each row predicted by a stack fitted on the other folds; the hold-out's rows by `stacker`.
    stacker: fitted on all folds. fallbacks: for each fold (-1: the stacker), the labels that kept the mean, and why.
    """

    p: Probabilities
    stacker: Stacker
    fallbacks: dict[int, dict[str, str]]


def mean_stacker(learners: Learners, *, labels: Sequence[str]) -> Stacker:
    """Make the stack that averages. learners: the labels that each predicts."""
    named = {name: tuple(predicted) for name, predicted in learners.items()}
    _check_learners(named, labels)
    return Stacker("mean", tuple(labels), named, boosters={}, fallbacks={})


def fit_stacker(
    probabilities: Predicted,
    y: Booleans,
    *,
    learners: Learners,
    labels: Sequence[str],
    **settings: Unpack[Settings],
) -> Stacker:
    """Fit one XGBoost for each label on out-of-fold probabilities.

    A label without positives, or without negatives, among the rows keeps the mean and stands in `fallbacks`.

    Parameters
    ----------
    probabilities
        Of each learner, (n, its labels), out of fold.
    y
        Truth, of shape (n, labels).
    learners
        The labels that each predicts, in its columns' order.
    labels
        All labels, in column order.
    **settings
        XGBoost's, as Settings names them.

    Raises
    ------
    InputError
        When y does not fit the probabilities.
    """
    base = mean_stacker(learners, labels=labels)
    mean = _mean(probabilities, base.labels, base.learners)
    features, margin = _features(probabilities, mean, base.learners), _logit(mean)
    if y.shape != mean.shape or y.dtype != np.bool_:
        raise InputError(f"stack: expected y of shape {mean.shape}, bool; found {y.shape}, {y.dtype}")
    matrix = xgboost.QuantileDMatrix(features, nthread=1)
    boosters, fallbacks = {}, {}
    for j, label in enumerate(base.labels):
        if reason := _one_sided(y[:, j]):
            fallbacks[label] = reason
        else:
            boosters[label] = _boost(matrix, y[:, j], margin[:, j], settings)
    return Stacker("xgboost", base.labels, base.learners, boosters, fallbacks)


def cross_fit(
    probabilities: Predicted,
    y: Booleans,
    folds: npt.NDArray[np.integer],
    *,
    learners: Learners,
    labels: Sequence[str],
    progress: Callable[[str], None],
    **settings: Unpack[Settings],
) -> CrossFit:
    """Stack by XGBoost such that no row is predicted by boosters fitted on it.

    Parameters
    ----------
    probabilities
        Of each learner, (n, its labels), out of fold.
    y
        Truth, of shape (n, labels).
    folds
        Of shape (n,), -1 for the hold-out, whose rows are never fitted on.
    learners
        The labels that each predicts, in its columns' order.
    labels
        All labels, in column order.
    progress
        Hears of each fold, and of each label that kept the mean there.
    **settings
        XGBoost's, as Settings names them.

    Raises
    ------
    InputError
        When there are fewer than two folds, or y does not fit the probabilities.
    """
    p = np.zeros(y.shape, dtype=np.float32)
    fallbacks = {}
    numbers = sorted({*folds.tolist()} - {HOLDOUT})
    if len(numbers) < 2:
        raise InputError(f"stack: expected at least 2 folds, found {len(numbers)}. Raise split.folds in params.yaml")
    for fold in (*numbers, HOLDOUT):
        rows, others = folds == fold, (folds != fold) & (folds != HOLDOUT)
        fitted = fit_stacker(_rows(probabilities, others), y[others], learners=learners, labels=labels, **settings)
        p[rows] = fitted.predict(_rows(probabilities, rows))
        fallbacks[fold] = fitted.fallbacks
        where = "all folds" if fold == HOLDOUT else f"the folds but {fold}"
        kept = "".join(f"; {label} keeps the mean: {reason}" for label, reason in fitted.fallbacks.items())
        progress(f"fitted on {where}, {others.sum()} rows{kept}")
    # The hold-out came last: the stack that answered it was fitted on every fold.
    return CrossFit(p=p, stacker=fitted, fallbacks=fallbacks)


def _boost(matrix: xgboost.QuantileDMatrix, y: Booleans, margin: Floats, settings: Settings) -> xgboost.Booster:
    """Fit one label's booster on top of the mean's logit, margin (n,)."""
    matrix.set_info(label=y.astype(np.float32), base_margin=margin.astype(np.float32))
    knobs = {
        "objective": "binary:logistic",
        "base_score": 0.5,  # logit 0: alone, the trees answer the correction and nothing else
        "tree_method": "hist",
        "max_depth": settings["depth"],
        "learning_rate": settings["rate"],
        "min_child_weight": settings["child_weight"],
        "reg_lambda": settings["l2"],
        "seed": settings["seed"],
        "nthread": 1,  # the order of a sum over threads would change its last bits from machine to machine
    }
    return xgboost.train(knobs, matrix, num_boost_round=settings["rounds"])


def _mean(probabilities: Predicted, labels: Sequence[str], learners: Learners) -> Floats:
    """Average, for each label, the learners that predict it: (n, labels)."""
    rows = _check_probabilities(probabilities, learners)
    # Summed learner by learner: numpy's own mean may order a sum otherwise for one row than for many.
    total, count = np.zeros((rows, len(labels))), np.zeros(len(labels))
    for name, predicted in learners.items():
        columns = [labels.index(label) for label in predicted]
        total[:, columns] += probabilities[name]
        count[columns] += 1
    return np.asarray(total / count)


def _features(probabilities: Predicted, mean: Floats, learners: Learners) -> Probabilities:
    """Lay all the learners' probabilities, then the means, side by side."""
    return np.concatenate([*(probabilities[name] for name in learners), mean.astype(np.float32)], axis=1)


def _logit(p: Floats) -> Floats:
    clipped = np.clip(p, EDGE, 1 - EDGE)
    return np.asarray(np.log(clipped / (1 - clipped)))


def _one_sided(y: Booleans) -> str | None:
    """Say why nothing can be learned about a label whose truth is y (n,); None when something can."""
    return None if y.any() and not y.all() else f"{'every' if y.any() else 'none'} of {len(y)} rows has it"


def _rows(probabilities: Predicted, rows: Booleans) -> dict[str, Probabilities]:
    return {name: p[rows] for name, p in probabilities.items()}


def _check_learners(learners: Learners, labels: Sequence[str]) -> None:
    """Refuse learners of another vocabulary, and labels that nobody predicts."""
    for name, predicted in learners.items():
        unknown = [label for label in predicted if label not in labels]
        if unknown:
            raise InputError(f"stack: {name} predicts {unknown[0]!r}, which the data set's labels do not hold")
    orphans = [label for label in labels if not any(label in predicted for predicted in learners.values())]
    if orphans:
        raise InputError(f"stack: no learner predicts {', '.join(orphans)}; list one that does under experiments:")


def _check_probabilities(probabilities: Predicted, learners: Learners) -> int:
    """Refuse other learners or shapes than the stack knows; return the number of rows."""
    if set(probabilities) != set(learners):
        raise InputError(f"stack: expected predictions by {sorted(learners)}, found {sorted(probabilities)}")
    rows = len(next(iter(probabilities.values())))
    for name, p in probabilities.items():
        if p.shape != (shape := (rows, len(learners[name]))):
            raise InputError(f"stack: {name}: expected probabilities of shape {shape}, found {p.shape}")
    return rows


def _load_booster(path: Path) -> xgboost.Booster:
    if not path.exists():
        raise InputError(f"{path}: not found, though stacker.json beside it names it. Run: dvc repro stack")
    return xgboost.Booster({"nthread": 1}, model_file=str(path))
