"""One training of a network: fitted on given rows, validated on others."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from igarape.config.hyperparameters import NetworkValues
from igarape.config.network_kinds import Network
from igarape.labels import Targets
from igarape.learners.examples import Images, Rows
from igarape.learners.learning import Training
from igarape.learners.memory import keep_memory
from igarape.learners.networks import devices
from igarape.learners.networks.backbones import BODY, HEAD, activation_bytes, build_network, normalisations
from igarape.learners.networks.inputs import Side, training_batches
from igarape.learners.networks.losses import make_loss
from igarape.learners.networks.optimizers import AdamW, make_optimizer
from igarape.learners.networks.trained import Trained, as_graph
from igarape.scores.figures import validation_figures

MEASURED = 4096  # chips at most, from which normalisation's statistics are taken anew
STEPS_AT_ONCE = 50  # without a return to Python, which costs a small network a fifth of its time


def fit(training: Training, *, experiment: Network, hyperparameters: NetworkValues) -> Trained:
    """Train the experiment's network.

    Raises InputError when weights are missing or a batch does not fit the memory, and when validation_figures does.
    """
    keras.backend.clear_session()
    keep_memory()  # what the last training left has just become free
    keras.utils.set_random_seed(training.seed)
    train, epochs, targets = training.train, training.epochs, training.targets
    watched = len(training.validation) > 0
    steps = -(-len(train) // experiment.batch)
    loss = make_loss(hyperparameters.loss, smoothing=hyperparameters.smoothing, targets=targets, y=training.y[train])
    with devices.within_memory(experiment.batch, experiment.size), devices.strategy().scope():
        trained = _build(experiment, targets, hyperparameters, chips=min(experiment.batch, len(train)))
        network = trained.network
        if hyperparameters.head_epochs:
            _teach_head(trained, training, loss=loss, hyperparameters=hyperparameters)
        _compile(network, hyperparameters, loss=loss, steps=steps, epochs=epochs)
        side = Side([side_of(epoch, epochs, experiment.size, hyperparameters.smallest) for epoch in range(epochs)])
        # In this order: the averaged weights are in place, with their own statistics, when the rows are scored.
        callbacks = [keras.callbacks.LambdaCallback(on_epoch_begin=side.set)]
        if hyperparameters.ema:
            callbacks += _averaging(trained, training, last=None if watched else epochs - 1)
        callbacks.append(_Validate(trained, training))
        callbacks += _stopping(training.patience if watched else None)
        batches = _batches(training, experiment.batch, side=side, hyperparameters=hyperparameters)
        network.fit(batches, epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks)  # training_batches shuffles
    return trained


def _compile(
    network: keras.Model, hyperparameters: NetworkValues, *, loss: keras.losses.Loss, steps: int, epochs: int
) -> None:
    """Make a network ready for so many epochs of so many steps."""
    optimizer = make_optimizer(hyperparameters, epochs * steps)
    network.compile(optimizer=optimizer, loss=loss, steps_per_execution=min(steps, STEPS_AT_ONCE))
    # Its variables, made while a graph is traced, would have that traced twice, and never freed.
    network.optimizer.build(network.trainable_variables)


def _build(experiment: Network, targets: Targets, hyperparameters: NetworkValues, *, chips: int) -> Trained:
    """Build the network with its weights; refuse a step on so many chips that the memory does not hold."""

    def build(weights: str) -> keras.Model:
        return build_network(experiment.backbone, weights, targets=targets, hyperparameters=hyperparameters)

    with devices.in_precision(devices.precision()):
        network = build(experiment.weights)
    required = activation_bytes(network.get_layer(BODY), chips, experiment.size)
    devices.require_memory(required, chips, experiment.size)
    return Trained(network, experiment.size, experiment.batch, lambda: build("none"))


def _batches(training: Training, batch: int, *, side: Side, hyperparameters: NetworkValues) -> tf.data.Dataset:
    """Return the batches that the hyperparameters ask for."""
    return training_batches(
        training.images,
        training.y.astype(np.float32),
        rows=training.train,
        batch=batch,
        side=side,
        seed=training.seed,
        jitter=hyperparameters.jitter,
        dihedral=hyperparameters.dihedral,
        zoom=hyperparameters.zoom,
        mixup=hyperparameters.mixup,
        balance=hyperparameters.balance,
        repeat=hyperparameters.repeat,
    )


def _averaging(trained: Trained, training: Training, *, last: int | None) -> list[keras.callbacks.Callback]:
    """Return what puts the averaged weights in place after an epoch, with statistics of their own."""
    measured = np.random.default_rng(training.seed).permutation(training.train)[:MEASURED]
    return [
        keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
        _Remeasure(trained, training.images, measured, last=last),
    ]


def _stopping(patience: int | None) -> list[keras.callbacks.Callback]:
    """Return what stops a training that no longer gains, and puts its best epoch's weights back; nothing for None."""
    if patience is None:
        return []
    return [keras.callbacks.EarlyStopping("val_loss", mode="min", patience=patience, restore_best_weights=True)]


def side_of(epoch: int, epochs: int, size: int, smallest: float) -> int:
    """Return the side of an epoch's chips in pixels, a multiple of 32.

    It grows evenly, and is size in the last third of the epochs. Small chips first make training quicker, and are an
    augmentation of their own (Tan and Le, EfficientNetV2, ICML 2021).

    Parameters
    ----------
    epoch, epochs
        The how many-th from 0, of how many.
    size
        The last side, in pixels.
    smallest
        The first side, as a share of size.
    """
    grown = min(1.0, 1.5 * epoch / max(1, epochs - 1))
    return min(size, max(32, round(size * (smallest + (1 - smallest) * grown) / 32) * 32))


def _teach_head(trained: Trained, training: Training, *, loss: Any, hyperparameters: NetworkValues) -> None:
    """Train the last layer on the features of the chips as they are: a new layer's errors would spoil the old ones."""
    body, head = (trained.network.get_layer(name) for name in (BODY, HEAD))
    see = as_graph(lambda chips: body(chips, training=False), trained.size)
    train = training.train
    batches = (train[start : start + trained.batch] for start in range(0, len(train), trained.batch))
    features = np.concatenate([np.asarray(see(training.images[rows].astype(np.float32))) for rows in batches])
    head.compile(optimizer=AdamW(hyperparameters.head_rate, weight_decay=hyperparameters.decay), loss=loss)
    head.optimizer.build(head.trainable_variables)
    truth = training.y[train].astype(np.float32)
    head.fit(features, truth, batch_size=trained.batch, epochs=hyperparameters.head_epochs, verbose=0)


class _Remeasure(keras.callbacks.Callback):
    """Takes the statistics of normalisation anew: those of the averaged weights, which no batch has passed yet.

    They are the mean over batches (Izmailov et al., Averaging weights leads to wider optima, UAI 2018, section 3.2);
    some thousand chips are enough for it (Wu and Johnson, Rethinking "Batch" in BatchNorm, 2021, section 3).
    """

    def __init__(self, trained: Trained, images: Images, rows: Rows, *, last: int | None) -> None:
        """rows: of the pictures, in random order. last: the only epoch after which it matters; None: after each."""
        super().__init__()
        self.images, self.rows, self.batch, self.last = images, rows, trained.batch, last
        self.body = trained.network.get_layer(BODY)
        self.layers = normalisations(self.body)
        self.show = as_graph(self._show, trained.size, tf.TensorSpec((), tf.float32))

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Show the body the rows as in a training, batch by batch, and leave the weights as they are."""
        if self.last is not None and epoch < self.last:
            return
        for start in range(0, len(self.rows) if self.layers else 0, self.batch):
            rows = self.rows[start : start + self.batch]
            kept = start / (start + len(rows))  # so that what moves is the mean over all chips so far
            self.show(self.images[rows].astype(np.float32), kept)

    def _show(self, chips: tf.Tensor, kept: tf.Tensor) -> None:
        momenta = [layer.momentum for layer in self.layers]
        for layer in self.layers:
            layer.momentum = kept
        self.body(chips, training=True)
        for layer, momentum in zip(self.layers, momenta, strict=True):
            layer.momentum = momentum


class _Validate(keras.callbacks.Callback):
    """Scores the validation rows after each epoch, for early stopping and for the log."""

    def __init__(self, trained: Trained, training: Training) -> None:
        super().__init__()
        self.trained, self.training = trained, training

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Add val_loss, val_f2 and val_map to the epoch's logs, and hand them on."""
        training, rows = self.training, self.training.validation
        if len(rows):
            p = self.trained.predict(training.images, rows, tta=False)
            logs.update(validation_figures(training.y[rows], p, targets=training.targets))
        training.log(epoch, {name: float(value) for name, value in logs.items()})
