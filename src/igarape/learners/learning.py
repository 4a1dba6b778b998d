"""One training, whatever the learner is made of."""

import math
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import ClassVar, NamedTuple, Protocol, TypedDict, Unpack

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


class Settings(TypedDict):
    """The settings of a training.

    targets: the labels that y has columns of. train, validation: the rows to learn from, and those to stop by.
    epochs: of a network, or rounds of boosting. patience: how many of them may pass without a lower val_loss; None:
    all. log(epoch, metrics) is called after each.
    """

    hyperparameters: Values
    targets: Targets
    train: Rows
    validation: Rows
    epochs: int
    patience: int | None
    seed: int
    log: Log


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


def log_losses(
    log: Log,
    learned: tuple[Booleans, Probabilities],
    validated: tuple[Booleans, Probabilities],
    *,
    targets: Targets,
) -> None:
    """Log what was solved for, which has no epochs: its loss, and validation_figures where rows were validated.

    Parameters
    ----------
    log
        Of the training; it is called once, for epoch 0.
    learned, validated
        Truth and probabilities, each of shape (n, labels): of the rows learned from, and of those for validation.
    targets
        The labels.
    """
    metrics = {"loss": validation_figures(*learned, targets=targets)["val_loss"]}
    if len(validated[0]):
        metrics |= validation_figures(*validated, targets=targets)
    log(0, metrics)


def fit(images: Images, y: Booleans, *, experiment: Experiment, **settings: Unpack[Settings]) -> FittedModel:
    """Train the experiment's learner, by the fit of its kind's module.

    Parameters
    ----------
    images
        Pictures, uint8 (n, size, size, 3).
    y
        Which labels hold, of shape (n, labels).
    experiment
        Says which kind of learner it is.
    **settings
        Of the training, as Settings names them.

    Raises
    ------
    InputError
        When weights are missing or a batch does not fit the memory.
    """
    with without_preamble():
        module = import_module(KINDS[experiment.kind])
    learned: FittedModel = module.fit(images, y, experiment=experiment, **settings)
    return learned
