"""One training of a probe: a linear head on the features of a frozen backbone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from igarape.config.hyperparameters import ProbeValues
from igarape.config.network_kinds import Probe
from igarape.labels import Booleans, Targets
from igarape.learners.examples import Images, Rows
from igarape.learners.learning import Log, log_losses
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


def fit(
    images: Images,
    y: Booleans,
    *,
    experiment: Probe,
    hyperparameters: ProbeValues,
    targets: Targets,
    train: Rows,
    validation: Rows,
    seed: int,
    log: Log,
    **_others: Any,
) -> Probed:
    """Solve for the head of a probe.

    Parameters
    ----------
    images
        Pictures, uint8 (n, size, size, 3).
    y
        Which labels hold, of shape (n, labels).
    experiment
        Says the backbone, its weights and the size.
    hyperparameters
        Of the head.
    targets
        The labels that y has columns of.
    train, validation
        The rows to learn from, and those to score, of which there may be none.
    seed
        Of what a kernel chooses by chance; the other heads choose nothing.
    log
        Called once, with (0, metrics): the loss, and validation_figures on the validation rows.
    **_others
        What else a training is told: epochs and patience. A solution depends on neither.

    Raises
    ------
    InputError
        When the weights can't be had or don't fit.
    """
    keep_memory()
    table = features_of(images, np.concatenate([train, validation]), experiment)
    learned, seen = table[: len(train)], table[len(train) :]
    head = _fit_head(learned, y[train], hyperparameters, seed=seed)
    log_losses(log, (y[train], head.answer(learned)), (y[validation], head.answer(seen)), targets=targets)
    return Probed(experiment, head)


def _fit_head(features: Table, y: Booleans, values: ProbeValues, *, seed: int) -> Scoring:
    """Fit the head that the hyperparameters name."""
    if values.head == "kernel":
        return fit_kernel_head(features, y, gamma=values.gamma, l2=values.l2, balance=values.balance, seed=seed)
    return HEADS[values.head](features, y, l2=values.l2, balance=values.balance)
