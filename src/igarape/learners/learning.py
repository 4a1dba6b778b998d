"""One training, whatever the learner is made of."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import ClassVar, NamedTuple, Protocol

from igarape.config.hyperparameters import Values
from igarape.config.kinds import Experiment
from igarape.labels import Booleans, Targets
from igarape.learners.examples import Images, Rows
from igarape.preamble import without_preamble
from igarape.scores.figures import validation_figures
from igarape.tables import Probabilities

# The module that trains each kind of learner. It is loaded when one is trained: nobody waits for TensorFlow who boosts
# trees, and the code that a result depends on is that of its own kind.
KINDS: Mapping[str, str] = {
    "network": "igarape.learners.networks.training",
    "tabular": "igarape.learners.trees.boosting",
    "kernel": "igarape.learners.kernels.solving",
    "fisher": "igarape.learners.fisher.solving",
    "probe": "igarape.learners.probes.probing",
}

Log = Callable[[int, Mapping[str, float]], None]


class Epoch(NamedTuple):
    """The metrics of an epoch, counted from 0."""

    epoch: int
    metrics: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Training:
    """What one training is given, whatever the learner is made of.

    images
        Pictures, uint8 (n, size, size, 3).
    y
        Which labels hold, of shape (n, labels).
    targets
        The labels that y has columns of.
    train, validation
        The rows to learn from, and those to score and to stop by, of which there may be none.
    epochs
        Of a network, or rounds of boosting. What is solved for has none.
    patience
        How many of them may pass without a lower loss on the validation rows before the training stops, and keeps what
        was best. None, and no validation rows: all epochs, and the last one's weights.
    seed
        Of all chance.
    log
        Called with (epoch, metrics), epochs counted from 0: loss, and validation_figures where there are such rows.
    """

    images: Images
    y: Booleans
    targets: Targets
    train: Rows
    validation: Rows
    epochs: int
    patience: int | None
    seed: int
    log: Log

    def log_solved(self, learned: Probabilities, validated: Probabilities) -> None:
        """Log what was solved for, which has no epochs, as of epoch 0.

        learned, validated: its answers to the rows learned from, and to those for validation, of shape (rows, labels).
        """
        metrics = {"loss": validation_figures(self.y[self.train], learned, targets=self.targets)["val_loss"]}
        if len(validated):
            metrics |= validation_figures(self.y[self.validation], validated, targets=self.targets)
        self.log(0, metrics)


class FittedModel(Protocol):
    """A trained model: it predicts rows of pictures, and exports itself to a file.

    from_kept: whether predict uses cached features (feature_cache), which the exported file would compute again. Its
    answers are then those of the file but for rounding, whether tta is asked for or not.
    """

    from_kept: ClassVar[bool]

    def predict(self, images: Images, rows: Rows, *, tta: bool) -> Probabilities:
        """Return probabilities (rows, labels) for those rows of pictures."""

    def export(self, stem: Path) -> Path:
        """Write the model under the stem and the suffix of its kind, for predictor.Predictor; return that path."""


def finite(log: Log) -> Log:
    """Return a log that raises FloatingPointError at a metric that is no number: nobody trains on from there."""

    def checked(epoch: int, metrics: Mapping[str, float]) -> None:
        for metric, value in metrics.items():
            if not math.isfinite(value):
                raise FloatingPointError(f"{metric} is {value} in epoch {epoch + 1}: the training has diverged")
        log(epoch, metrics)

    return checked


def fit(training: Training, *, experiment: Experiment, hyperparameters: Values) -> FittedModel:
    """Train an experiment's learner, by the fit of its kind's module, which is given the same.

    Raises InputError when weights are missing or a batch does not fit the memory.
    """
    with without_preamble():
        module = import_module(KINDS[experiment.kind])
    learned: FittedModel = module.fit(training, experiment=experiment, hyperparameters=hyperparameters)
    return learned
