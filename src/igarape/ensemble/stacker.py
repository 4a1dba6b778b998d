"""The stack: the learners' probabilities -> one probability for each label.

A weighted sum of what the learners predict, and for some labels, with the method "xgboost", trees that correct it. A
learner may predict only some of the labels (the rare ones, say).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import xgboost

from igarape.ensemble.calibrator import Calibrator
from igarape.ensemble.linear import Learners, Linear, Predicted, beside, columns, logit
from igarape.errors import InputError
from igarape.files import read_json, write_json
from igarape.tables import Probabilities

Boosters = tuple[xgboost.Booster, ...]


@dataclass(frozen=True)
class Stacker:
    """A fitted stack. learners: the labels that each predicts, in their columns' order.

    linear: the sum. boosters: of each label that trees correct, those of several seeds, whose mean is added to its
    logit. fallbacks: the labels that keep the sum though trees were tried, with the reason. calibrators: one for each
    label, or none at all.
    """

    method: str
    labels: tuple[str, ...]
    learners: dict[str, tuple[str, ...]]
    linear: Linear
    boosters: dict[str, Boosters] = field(default_factory=dict)
    fallbacks: dict[str, str] = field(default_factory=dict)
    calibrators: tuple[Calibrator, ...] = ()

    def predict(self, probabilities: Predicted) -> Probabilities:
        """Stack the learners' probabilities, each (n, its labels), into (n, labels), each row by itself.

        Raises InputError when they are of other learners or shapes.
        """
        p = beside(probabilities, self.learners)
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


def _load_booster(path: Path) -> xgboost.Booster:
    if not path.exists():
        raise InputError(f"{path}: not found, though stacker.json beside it names it. Run: dvc repro stack")
    return xgboost.Booster({"nthread": 1}, model_file=str(path))
