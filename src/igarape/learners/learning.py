"""One training, whatever the learner is made of."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, TypedDict, Unpack

from igarape.config.experiments import Experiment, Network, Tabular
from igarape.labels import Booleans
from igarape.learners.examples import Images, Rows
from igarape.scores.validation import Log
from igarape.tables import Probabilities


class Settings(TypedDict):
    """What every training is told.

    train, validation: the rows to learn from, and those to stop by. epochs: of a network, or rounds of boosting.
    patience: how many of them without a lower val_loss are borne; None: all. log(epoch, metrics) is told how it goes.
    """

    hyperparameters: Mapping[str, Any]
    train: Rows
    validation: Rows
    epochs: int
    patience: int | None
    seed: int
    log: Log


class Learned(Protocol):
    """What comes of a training: a model that is asked for rows of pictures, and writes itself under a stem."""

    def predict(self, images: Images, rows: Rows, *, tta: bool) -> Probabilities:
        """Return probabilities (rows, labels) for those rows of pictures."""

    def export(self, stem: Path) -> Path:
        """Write the model under the stem and the suffix of its kind, for predictor.Predictor; return that path."""


def fit(
    images: Images, y: Booleans, *, experiment: Experiment, exclusive: int, **settings: Unpack[Settings]
) -> Learned:
    """Train the experiment's learner on images (n, size, size, 3) and y (n, labels).

    exclusive: how many of the first labels exclude each other. TensorFlow is loaded where a network is trained, only.
    Raises InputError when weights are missing or a batch does not fit the memory.
    """
    if isinstance(experiment, Network):
        from igarape.learners.networks import training

        return training.fit(images, y, experiment=experiment, exclusive=exclusive, **settings)
    if isinstance(experiment, Tabular):
        from igarape.learners.trees import boosting

        return boosting.fit(images, y, experiment=experiment, **settings)
    raise TypeError(f"no training is known for {type(experiment).__name__}")
