"""One training: a network fitted on given rows, watched on others, and written as ONNX."""

from collections.abc import Callable, Mapping
from pathlib import Path

import keras
import numpy as np

from igarape.files import whole
from igarape.labels import Booleans
from igarape.learners.experiment import Experiment
from igarape.learners.inputs import Pictures, Rows, training_batches
from igarape.learners.losses import make_loss
from igarape.learners.networks import build_network
from igarape.metrics import mean_average_precision, sample_f2
from igarape.tables import Probabilities

WARM_UP = 0.1
STEPS_AT_ONCE = 50  # without a return to Python, which costs a small network a fifth of its time
THRESHOLD = 0.2

Log = Callable[[int, Mapping[str, float]], None]


def fit(
    pictures: Pictures,
    y: Booleans,
    *,
    experiment: Experiment,
    knobs: Mapping[str, float],
    train: Rows,
    watch: Rows,
    epochs: int,
    patience: int,
    seed: int,
    log: Log,
) -> keras.Model:
    """Train the experiment's network on the rows train of pictures (n, size, size, 3) and y (n, labels).

    After each epoch log(epoch, metrics) is called with loss, and score's figures on the rows watch. When there are such
    rows, training stops after patience epochs without a lower val_loss, and the best epoch's weights are kept.
    """
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    network = build_network(
        experiment.backbone, experiment.weights, size=experiment.size, labels=y.shape[1], knobs=knobs
    )
    steps = -(-len(train) // experiment.batch)
    network.compile(
        optimizer=_optimizer(knobs, epochs * steps),
        loss=make_loss(experiment.loss, smoothing=knobs["smoothing"]),
        steps_per_execution=min(steps, STEPS_AT_ONCE),
    )
    targets = y.astype(np.float32)
    callbacks: list[keras.callbacks.Callback] = [_Watch(pictures[watch], y[watch], experiment, log)]
    if len(watch):
        stop = keras.callbacks.EarlyStopping("val_loss", mode="min", patience=patience, restore_best_weights=True)
        callbacks.append(stop)
    network.fit(
        training_batches(pictures[train], targets[train], batch=experiment.batch, seed=seed, jitter=knobs["jitter"]),
        epochs=epochs,
        shuffle=False,  # training_batches does
        verbose=0,
        callbacks=callbacks,
    )
    return network


def _optimizer(knobs: Mapping[str, float], steps: int) -> keras.optimizers.Optimizer:
    """Return AdamW whose rate warms up over a tenth of the steps and then falls to nothing along a cosine."""
    warm_up = max(1, round(steps * WARM_UP))
    schedule = keras.optimizers.schedules.CosineDecay(
        knobs["learning_rate"] / 10,
        max(1, steps - warm_up),
        warmup_target=knobs["learning_rate"],
        warmup_steps=warm_up,
    )
    return keras.optimizers.AdamW(schedule, weight_decay=knobs["decay"])


class _Watch(keras.callbacks.Callback):
    """Scores the watched rows after each epoch, for early stopping and for the log."""

    def __init__(self, pictures: Pictures, y: Booleans, experiment: Experiment, log: Log) -> None:
        super().__init__()
        self.pictures, self.y, self.experiment, self.log = pictures, y, experiment, log

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Add val_loss, val_f2 and val_map to the epoch's logs, and hand them on."""
        if len(self.y):
            logs.update(score(predict(self.model, self.pictures, batch=self.experiment.batch), self.y))
        self.log(epoch, {name: float(value) for name, value in logs.items()})


def predict(network: keras.Model, pictures: Pictures, *, batch: int) -> Probabilities:
    """Return probabilities (n, labels) for pictures (n, size, size, 3)."""
    parts = [
        np.asarray(network(pictures[start : start + batch].astype(np.float32), training=False))
        for start in range(0, len(pictures), batch)
    ]
    return np.concatenate(parts)


def score(p: Probabilities, y: Booleans) -> dict[str, float]:
    """Return val_loss (binary cross-entropy), val_f2 and val_map of probabilities against y, both (n, labels).

    F2 is at the threshold 0.2, over the chips that hold any of the labels: for a rare-label learner most hold none.
    When no chip holds any, there is val_loss alone.
    """
    held = y.any(axis=1)
    clipped = np.clip(p.astype(np.float64), 1e-7, 1 - 1e-7)
    loss = {"val_loss": -float(np.where(y, np.log(clipped), np.log1p(-clipped)).mean())}
    if not held.any():
        return loss
    return loss | {"val_f2": sample_f2(y[held], p[held] >= THRESHOLD), "val_map": mean_average_precision(y, p)}


def export(network: keras.Model, path: Path) -> None:
    """Write the network as ONNX: float32 (n, size, size, 3), RGB 0..255 -> (n, labels)."""
    network(np.zeros((1, *network.input_shape[1:]), dtype=np.float32))  # Keras exports only what was called once
    with whole(path) as unfinished:
        network.export(unfinished, format="onnx", verbose=False)
