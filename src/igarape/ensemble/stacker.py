"""The stack: the learners' probabilities -> one probability for each label.

A weighted sum of what the learners predict, and for some labels, with the method "xgboost", trees that correct it. A
learner may predict only some of the labels (the rare ones, say).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from igarape.ensemble.calibrator import Calibrator
from igarape.ensemble.linear import Learners, Linear, Predicted, columns, logit, stack_columns
from igarape.errors import InputError
from igarape.files import read_json, write_json
from igarape.tables import Probabilities

# Of xgboost.Booster, which is imported where there are trees only: with scikit-learn, which it imports, that takes
# longer than all else that answers.
Booster = Any
Boosters = tuple[Booster, ...]


@dataclass(frozen=True)
class Stacker:
    """A fitted stack. learners: the labels that each predicts, in their columns' order.

    linear: the sum. boosters: of each label that trees correct, those of several seeds, whose mean is added to its
    logit. fallbacks: the labels that keep the sum though trees were tried, with the reason. calibrators: one for each
    label, or none at all. left_out: the learners that it is not given, as no answer depends on them.
    """

    method: str
    labels: tuple[str, ...]
    learners: dict[str, tuple[str, ...]]
    linear: Linear
    boosters: dict[str, Boosters] = field(default_factory=dict)
    fallbacks: dict[str, str] = field(default_factory=dict)
    calibrators: tuple[Calibrator, ...] = ()
    left_out: tuple[str, ...] = ()

    def predict(self, probabilities: Predicted) -> Probabilities:
        """Stack the learners' probabilities, each (n, its labels), into (n, labels), each row by itself.

        Raises InputError when they are of other learners or shapes.
        """
        p = stack_columns({**probabilities, **self._filled(probabilities)}, self.learners)
        margin = self.linear.margin(p)
        if self.boosters:
            features = logit(p).astype(np.float32)
            for label, boosters in self.boosters.items():
                corrections = [booster.inplace_predict(features, predict_type="margin") for booster in boosters]
                margin[:, self.labels.index(label)] += np.mean(corrections, axis=0, dtype=np.float64)
        answer = self.linear.answer(margin).astype(np.float32)
        for j, calibrator in enumerate(self.calibrators):
            answer[:, j] = calibrator.apply(answer[:, j])
        return answer

    def idle(self) -> tuple[str, ...]:
        """Return the learners that no answer depends on: all their weights are 0, and no tree splits on them.

        Where that is all of them, the answers are constants, and none is named: a stack is given something.
        """
        split = {column for boosters in self.boosters.values() for one in boosters for column in _splits(one)}
        used = {
            name
            for column, (name, _) in enumerate(columns(self.learners))
            if self.linear.weights[column].any() or column in split
        }
        return tuple(name for name in self.learners if name not in used) if used else ()

    def without(self, left_out: Sequence[str]) -> "Stacker":
        """Return the same stack, to be asked without some idle learners; its answers are the same to the bit.

        Raises InputError for a learner that is not idle.
        """
        needed = [name for name in left_out if name not in self.idle()]
        if needed:
            raise InputError(f"stack: {needed[0]} cannot be left out, its answers depend on it")
        return replace(self, left_out=tuple(left_out))

    def _filled(self, probabilities: Predicted) -> dict[str, Probabilities]:
        """Return probabilities in the places of what is left out, which nothing looks at."""
        rows = len(next(iter(probabilities.values()), ()))
        return {name: np.full((rows, len(self.learners[name])), 0.5, dtype=np.float32) for name in self.left_out}

    def weights(self) -> dict[str, dict[str, float]]:
        """Return, for each label, the weight of each learner's prediction of that very label."""
        found: dict[str, dict[str, float]] = {label: {} for label in self.labels}
        for column, (name, label) in enumerate(columns(self.learners)):
            found[label][name] = float(self.linear.weights[column, self.labels.index(label)])
        return found

    def save(self, folder: Path) -> None:
        """Write stacker.json, and XGBoost's own JSON for each booster, by its label's column and its seed."""
        folder.mkdir(parents=True, exist_ok=True)
        for stale in folder.glob("booster_*.json"):
            stale.unlink()
        files = {
            label: [f"booster_{self.labels.index(label):02d}_{seed}.json" for seed in range(len(boosters))]
            for label, boosters in self.boosters.items()
        }
        for label, names in files.items():
            for booster, name in zip(self.boosters[label], names, strict=True):
                booster.save_model(folder / name)
        content = {
            "method": self.method,
            "labels": self.labels,
            "learners": self.learners,
            "linear": self.linear.to_json(),
            "boosters": files,
            "fallbacks": self.fallbacks,
            "calibrators": [calibrator.to_json() for calibrator in self.calibrators],
        }
        write_json(content, folder / "stacker.json")

    @classmethod
    def load(cls, folder: Path) -> "Stacker":
        """Read what save wrote; the loaded stacker's answers are the same to the bit."""
        path = folder / "stacker.json"
        content = read_json(path)
        if "linear" not in content:
            raise InputError(f"{path}: written by another version of igarape. Run: dvc repro stack evaluate")
        return cls(
            method=content["method"],
            labels=tuple(content["labels"]),
            learners={name: tuple(labels) for name, labels in content["learners"].items()},
            linear=Linear.from_json(content["linear"]),
            boosters={
                label: tuple(_load_booster(folder / file) for file in files)
                for label, files in content["boosters"].items()
            },
            fallbacks=content["fallbacks"],
            calibrators=tuple(map(Calibrator.from_json, content["calibrators"])),
        )


def check_learners(learners: Learners, labels: Sequence[str]) -> None:
    """Refuse learners of another vocabulary, and labels that nobody predicts."""
    for name, predicted in learners.items():
        unknown = [label for label in predicted if label not in labels]
        if unknown:
            raise InputError(f"stack: {name} predicts {unknown[0]!r}, which the data set's labels do not hold")
    orphans = [label for label in labels if not any(label in predicted for predicted in learners.values())]
    if orphans:
        raise InputError(f"stack: no learner predicts {', '.join(orphans)}; list one that does under experiments:")


def _splits(booster: Booster) -> set[int]:
    """Return the columns that trees look at."""
    names = booster.feature_names or [f"f{column}" for column in range(booster.num_features())]
    return {names.index(feature) for feature in booster.get_score()}


def _load_booster(path: Path) -> Booster:
    import xgboost

    if not path.exists():
        raise InputError(f"{path}: not found, though stacker.json beside it names it. Run: dvc repro stack")
    return xgboost.Booster({"nthread": 1}, model_file=str(path))
