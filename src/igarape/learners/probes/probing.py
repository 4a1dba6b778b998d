"""One training of a probe: a linear head on the features of a frozen backbone."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from igarape.config.hyperparameters import ProbeValues
from igarape.config.network_kinds import Probe
from igarape.labels import Booleans
from igarape.learners.examples import Images, Rows
from igarape.learners.learning import Training
from igarape.learners.memory import keep_memory
from igarape.learners.probes.extractor import extractor, write_probe
from igarape.learners.probes.features import features_of
from igarape.learners.probes.heads import HEADS, Scoring, Table
from igarape.learners.probes.kernel_head import fit_kernel_head
from igarape.tables import Probabilities


@dataclass(frozen=True)
class Probed:
    """A fitted head, and the experiment that says what its features are."""

    from_kept: ClassVar[bool] = True

    experiment: Probe
    head: Scoring

    def predict(self, images: Images, rows: Rows, *, tta: bool) -> Probabilities:
        """Return probabilities (rows, labels) for those rows of pictures.

        tta makes no difference: the features are the mean over all eight views.
        """
        return self.head.answer(features_of(images, rows, self.experiment))

    def export(self, stem: Path) -> Path:
        """Write backbone and head as stem.onnx: float32 (n, size, size, 3), RGB 0..255 -> (n, labels); return that."""
        path = stem.with_name(f"{stem.name}.onnx")
        write_probe(extractor(self.experiment), path, head=self.head)
        return path


def fit(training: Training, *, experiment: Probe, hyperparameters: ProbeValues) -> Probed:
    """Solve for the head of a probe; the seed is of what a kernel chooses by chance, other heads choose nothing.

    Raises InputError when the weights can't be had or don't fit.
    """
    keep_memory()
    train, validation = training.train, training.validation
    table = features_of(training.images, np.concatenate([train, validation]), experiment)
    learned, seen = table[: len(train)], table[len(train) :]
    head = _fit_head(learned, training.y[train], hyperparameters, seed=training.seed)
    training.log_solved(head.answer(learned), head.answer(seen))
    return Probed(experiment, head)


def _fit_head(features: Table, y: Booleans, values: ProbeValues, *, seed: int) -> Scoring:
    """Fit the head that the hyperparameters name."""
    if values.head == "kernel":
        return fit_kernel_head(features, y, gamma=values.gamma, l2=values.l2, balance=values.balance, seed=seed)
    return HEADS[values.head](features, y, l2=values.l2, balance=values.balance)
