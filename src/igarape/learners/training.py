"""One training of a network: fitted on given rows, watched on others, and written as ONNX."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from igarape.chips.pictures import symmetries
from igarape.files import whole
from igarape.labels import Booleans
from igarape.learners import devices
from igarape.learners.examples import Pictures, Rows
from igarape.learners.experiment import Network
from igarape.learners.inputs import Side, training_batches
from igarape.learners.losses import make_loss
from igarape.learners.memory import keep_memory
from igarape.learners.networks import BODY, HEAD, build_network, held, normalisations
from igarape.learners.optimizers import AdamW, make_optimizer
from igarape.learners.scoring import Log, score
from igarape.tables import Probabilities

# What a prediction, which keeps no gradients, looks at at once: some batches, but no more pixels than this.
ROOM, PIXELS = 4, 2**21
MEASURED = 4096  # chips at most, from which normalisation's statistics are taken anew
STEPS_AT_ONCE = 50  # without a return to Python, which costs a small network a fifth of its time


@dataclass(frozen=True)
class Trained:
    """A trained network. size: side of its chips in pixels. batch: chips that it looks at at once."""

    network: keras.Model
    size: int
    batch: int
    rebuild: Callable[[], keras.Model]

    @cached_property
    def _forward(self) -> Callable[..., tf.Tensor]:
        return _as_graph(lambda chips: self.network(chips, training=False), self.size)

    def predict(self, pictures: Pictures, rows: Rows, *, tta: bool) -> Probabilities:
        """Return probabilities (rows, labels) for those rows of pictures; tta: the mean over the eight symmetries."""
        seen = min(ROOM * self.batch, PIXELS // self.size**2)
        step = max(1, seen // 8) if tta else seen
        parts = [self._mean(pictures[rows[start : start + step]], tta=tta) for start in range(0, len(rows), step)]
        return np.concatenate(parts)

    def _mean(self, chips: Pictures, *, tta: bool) -> Probabilities:
        """Average over the views of a few chips."""
        views = symmetries(chips) if tta else [chips]
        p = np.asarray(self._forward(np.concatenate(views, dtype=np.float32)))
        mean: Probabilities = p.reshape(len(views), len(chips), -1).mean(axis=0)
        return mean

    def export(self, stem: Path) -> Path:
        """Write the network as stem.onnx: float32 (n, size, size, 3), RGB 0..255 -> (n, labels); return that path."""
        path = stem.with_name(f"{stem.name}.onnx")
        network = self.rebuild()  # in float32, whatever it was trained in
        network.set_weights(self.network.get_weights())
        network(np.zeros((1, self.size, self.size, 3), dtype=np.float32))  # Keras exports only what was called once
        seen = keras.InputSpec(shape=(None, self.size, self.size, 3), dtype="float32")
        with whole(path) as unfinished:
            network.export(unfinished, format="onnx", verbose=False, input_signature=[seen])
        return path


def fit(
    pictures: Pictures,
    y: Booleans,
    *,
    experiment: Network,
    knobs: Mapping[str, Any],
    exclusive: int,
    train: Rows,
    watch: Rows,
    epochs: int,
    patience: int | None,
    seed: int,
    log: Log,
) -> Trained:
    """Train the experiment's network on the rows train of pictures (n, size, size, 3) and y (n, labels).

    exclusive: how many of the first labels exclude each other. After each epoch log(epoch, metrics) is called with
    loss, and score's figures on the rows watch. When there are such rows, training stops after patience epochs without
    a lower val_loss, and the best epoch's weights are kept; with a patience of None, the last epoch's, as without rows.
    Raises InputError when weights are missing or a batch does not fit the memory, and what score does.
    """
    keras.backend.clear_session()
    keep_memory()  # what the last training left has just become free
    keras.utils.set_random_seed(seed)

    def build(weights: str) -> keras.Model:
        shared = exclusive if knobs["loss"] == "softmax" else 0
        return build_network(experiment.backbone, weights, labels=y.shape[1], exclusive=shared, knobs=knobs)

    targets = y.astype(np.float32)
    steps = -(-len(train) // experiment.batch)
    with devices.within_memory(experiment.batch, experiment.size), devices.strategy().scope():
        with devices.in_precision(devices.precision()):
            network = build(experiment.weights)
        chips = min(experiment.batch, len(train))
        devices.require_memory(held(network.get_layer(BODY), chips, experiment.size), chips, experiment.size)
        loss = make_loss(knobs["loss"], smoothing=knobs["smoothing"], exclusive=exclusive)
        trained = Trained(network, experiment.size, experiment.batch, lambda: build("none"))
        if knobs["head_epochs"]:
            _teach_head(trained, pictures, targets, train=train, loss=loss, knobs=knobs)
        network.compile(
            optimizer=make_optimizer(knobs, epochs * steps), loss=loss, steps_per_execution=min(steps, STEPS_AT_ONCE)
        )
        # Its variables, made while a graph is traced, would have that traced twice, and never freed.
        network.optimizer.build(network.trainable_variables)
        side = Side([side_of(epoch, epochs, experiment.size, knobs["smallest"]) for epoch in range(epochs)])
        batches = training_batches(
            pictures,
            targets,
            rows=train,
            batch=experiment.batch,
            side=side,
            seed=seed,
            jitter=knobs["jitter"],
            dihedral=knobs["dihedral"],
            zoom=knobs["zoom"],
            balance=knobs["balance"],
        )
        # In this order: the averaged weights are in place, with their own statistics, when the rows are scored.
        callbacks: list[keras.callbacks.Callback] = [keras.callbacks.LambdaCallback(on_epoch_begin=side.set)]
        if knobs["ema"]:
            callbacks.append(keras.callbacks.SwapEMAWeights(swap_on_epoch=True))
            measured = np.random.default_rng(seed).permutation(train)[:MEASURED]
            callbacks.append(_Remeasure(trained, pictures, measured, last=None if len(watch) else epochs - 1))
        callbacks.append(_Watch(trained, pictures, y, watch, log))
        if len(watch) and patience is not None:
            callbacks.append(
                keras.callbacks.EarlyStopping("val_loss", mode="min", patience=patience, restore_best_weights=True)
            )
        network.fit(batches, epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks)  # training_batches shuffles
    return trained


def _as_graph(call: Callable[..., Any], size: int, *scalars: tf.TensorSpec) -> Callable[..., Any]:
    """Trace a function of chips float32 (n, size, size, 3), and of scalars: it then takes half the time on a CPU."""
    chips = tf.TensorSpec((None, size, size, 3), tf.float32)
    return tf.function(call, input_signature=[chips, *scalars], autograph=False)  # type: ignore[no-any-return]


def side_of(epoch: int, epochs: int, size: int, smallest: float) -> int:
    """Return the side of an epoch's chips in pixels, a multiple of 32.

    It grows evenly from smallest * size, and is size in the last third of the epochs. Small chips first make training
    quicker, and are an augmentation of their own (Tan and Le, EfficientNetV2, ICML 2021).
    """
    grown = min(1.0, 1.5 * epoch / max(1, epochs - 1))
    return min(size, max(32, round(size * (smallest + (1 - smallest) * grown) / 32) * 32))


def _teach_head(
    trained: Trained, pictures: Pictures, targets: Any, *, train: Rows, loss: Any, knobs: Mapping[str, Any]
) -> None:
    """Train the last layer on the features of the chips as they are: a new layer's errors would spoil the old ones."""
    body, head = (trained.network.get_layer(name) for name in (BODY, HEAD))
    see = _as_graph(lambda chips: body(chips, training=False), trained.size)
    batches = (train[start : start + trained.batch] for start in range(0, len(train), trained.batch))
    features = np.concatenate([np.asarray(see(pictures[rows].astype(np.float32))) for rows in batches])
    head.compile(optimizer=AdamW(knobs["head_rate"], weight_decay=knobs["decay"]), loss=loss)
    head.optimizer.build(head.trainable_variables)
    head.fit(features, targets[train], batch_size=trained.batch, epochs=round(knobs["head_epochs"]), verbose=0)


class _Remeasure(keras.callbacks.Callback):
    """Takes the statistics of normalisation anew: those of the averaged weights, which no batch has passed yet.

    They are the mean over batches (Izmailov et al., Averaging weights leads to wider optima, UAI 2018, section 3.2);
    some thousand chips are enough for it (Wu and Johnson, Rethinking "Batch" in BatchNorm, 2021, section 3).
    """

    def __init__(self, trained: Trained, pictures: Pictures, rows: Rows, *, last: int | None) -> None:
        """rows: of the pictures, in random order. last: the only epoch after which it matters; None: after each."""
        super().__init__()
        self.pictures, self.rows, self.batch, self.last = pictures, rows, trained.batch, last
        self.body = trained.network.get_layer(BODY)
        self.layers = normalisations(self.body)
        self.show = _as_graph(self._show, trained.size, tf.TensorSpec((), tf.float32))

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Show the body the rows as in a training, batch by batch, and leave the weights as they are."""
        if self.last is not None and epoch < self.last:
            return
        for start in range(0, len(self.rows) if self.layers else 0, self.batch):
            rows = self.rows[start : start + self.batch]
            kept = start / (start + len(rows))  # so that what moves is the mean over all chips so far
            self.show(self.pictures[rows].astype(np.float32), kept)

    def _show(self, chips: tf.Tensor, kept: tf.Tensor) -> None:
        momenta = [layer.momentum for layer in self.layers]
        for layer in self.layers:
            layer.momentum = kept
        self.body(chips, training=True)
        for layer, momentum in zip(self.layers, momenta, strict=True):
            layer.momentum = momentum


class _Watch(keras.callbacks.Callback):
    """Scores the watched rows after each epoch, for early stopping and for the log."""

    def __init__(self, trained: Trained, pictures: Pictures, y: Booleans, rows: Rows, log: Log) -> None:
        super().__init__()
        self.trained, self.pictures, self.y, self.rows, self.log = trained, pictures, y, rows, log

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Add val_loss, val_f2 and val_map to the epoch's logs, and hand them on."""
        if len(self.rows):
            logs.update(score(self.trained.predict(self.pictures, self.rows, tta=False), self.y[self.rows]))
        self.log(epoch, {name: float(value) for name, value in logs.items()})
