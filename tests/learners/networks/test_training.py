"""One training: reproducible, and scored on its validation rows alone."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest
import tiny

from igarape.errors import InputError
from igarape.labels import Booleans
from igarape.learners.examples import Images
from igarape.learners.learning import Training
from igarape.learners.networks.backbones import BODY, normalisations
from igarape.learners.networks.trained import Trained
from igarape.learners.networks.training import fit, side_of
from igarape.scores.figures import validation_figures

HYPERPARAMETERS = {"dropout": 0.2, "decay": 0.001}
TINY = tiny.tiny()
TRAIN, WATCH, UNUSED = np.arange(16), np.arange(16, 24), np.arange(24, 30)
RNG = np.random.default_rng(5)
PICTURES: Images = RNG.integers(0, 256, (30, 32, 32, 3), dtype=np.uint8)
TRUTH: Booleans = RNG.random((30, 3)) < 0.5
TARGETS = tiny.targets(3, exclusive=2)
COUNTING = "logit_adjusted"

Epochs = list[tuple[int, dict[str, float]]]


def train(
    images: Images,
    y: Booleans,
    *,
    epochs: int,
    validation: npt.NDArray[np.int64],
    log: Epochs,
    **hyperparameters: Any,
) -> Trained:
    """Fit the tiny network on the rows TRAIN."""

    def record(epoch: int, metrics: Mapping[str, float]) -> None:
        log.append((epoch, dict(metrics)))

    training = Training(
        images,
        y,
        TARGETS,
        train=TRAIN,
        validation=validation,
        epochs=epochs,
        patience=2,
        seed=3,
        log=record,
    )
    return fit(training, experiment=TINY, hyperparameters=tiny.values(**(HYPERPARAMETERS | hyperparameters)))


def answers(trained: Trained) -> npt.NDArray[np.float32]:
    """Predict all pictures."""
    return trained.predict(PICTURES, np.arange(len(PICTURES)), tta=False)


@pytest.fixture(scope="module")
def watched() -> tuple[Any, Epochs]:
    """Train on noise with random labels, watching other noise: nothing but memory can be gained."""
    log: Epochs = []
    return train(PICTURES, TRUTH, epochs=12, validation=WATCH, log=log), log


@pytest.fixture(scope="module")
def unwatched() -> tuple[Any, Epochs]:
    """Train for three epochs without watching, by a loss that counts labels."""
    log: Epochs = []
    return train(PICTURES, TRUTH, epochs=3, validation=WATCH[:0], log=log, loss=COUNTING), log


@pytest.fixture(scope="module")
def averaged() -> tuple[Any, Epochs]:
    """Train the same with averaged weights, watching; give the answers and the log."""
    log: Epochs = []
    return answers(train(PICTURES, TRUTH, epochs=3, validation=WATCH, log=log, loss=COUNTING, ema=0.9)), log


@pytest.fixture(scope="module")
def averaged_unwatched() -> Trained:
    """Train that without watching."""
    return train(PICTURES, TRUTH, epochs=3, validation=WATCH[:0], log=[], loss=COUNTING, ema=0.9)


def test_each_epoch_is_logged_with_its_loss_and_the_watched_figures(watched: tuple[Any, Epochs]) -> None:
    """Epochs count from 0; the figures are numbers."""
    _, log = watched
    assert [epoch for epoch, _ in log] == list(range(len(log)))
    for _, metrics in log:
        assert set(metrics) == {"loss", "val_loss", "val_f2", "val_map"}
        assert all(type(value) is float and np.isfinite(value) for value in metrics.values())


def test_training_stops_when_the_watched_loss_no_longer_falls(watched: tuple[Any, Epochs]) -> None:
    """Two epochs of patience after the best one, and no more."""
    losses = [metrics["val_loss"] for _, metrics in watched[1]]
    assert len(losses) < 12
    assert len(losses) == int(np.argmin(losses)) + 1 + 2


def test_a_step_that_no_memory_holds_is_refused_before_a_chip_is_looked_at() -> None:
    """Nobody has two terabytes free."""
    told = r"batch: 4096 chips of 1024 pixels do not fit the memory: a step holds [\d.]+ GB at least"
    how = {"experiment": tiny.tiny(size=1024, batch=4096), "hyperparameters": tiny.values(width=4.0)}
    with pytest.raises(InputError, match=told):
        tiny.fitted(fit, PICTURES[:0], TRUTH, train=np.zeros(4096, np.int64), validation=WATCH[:0], seed=3, **how)


def test_the_best_epochs_weights_are_kept(watched: tuple[Any, Epochs]) -> None:
    """The network answers as it did when the watched loss was least."""
    network, log = watched
    kept = validation_figures(TRUTH[WATCH], network.predict(PICTURES, WATCH, tta=False), targets=TARGETS)
    best = min((metrics for _, metrics in log), key=lambda metrics: metrics["val_loss"])
    assert kept["val_loss"] == pytest.approx(best["val_loss"], abs=1e-6)


def test_without_watched_rows_all_epochs_are_trained(unwatched: tuple[Any, Epochs]) -> None:
    """There is nothing to stop by, and nothing but the loss to log."""
    _, log = unwatched
    assert [set(metrics) for _, metrics in log] == [{"loss"}] * 3


def test_the_same_seed_gives_the_same_network_and_other_rows_have_no_say(unwatched: tuple[Any, Epochs]) -> None:
    """Rows that are neither trained on nor watched may hold anything: the answers are the same to the last bit."""
    others = np.concatenate([WATCH, UNUSED])
    images, y = PICTURES.copy(), TRUTH.copy()
    images[others], y[others] = 0, True
    again = train(images, y, epochs=3, validation=WATCH[:0], log=[], loss=COUNTING)
    assert (again.predict(PICTURES, TRAIN, tta=False) == unwatched[0].predict(PICTURES, TRAIN, tta=False)).all()


def test_the_averaged_weights_take_the_weights_place(
    averaged: tuple[Any, Epochs], unwatched: tuple[Any, Epochs]
) -> None:
    """They answer otherwise than the last step's, in the log's figures and in the end."""
    found, log = averaged
    plain, plain_log = unwatched
    assert np.abs(answers(plain) - found).max() > 1e-3
    assert plain_log[-1][1]["loss"] == pytest.approx(log[-1][1]["loss"], rel=1e-5)  # the steps are the same
    kept = validation_figures(TRUTH[WATCH], found[WATCH], targets=TARGETS)["val_loss"]
    assert kept == pytest.approx(min(metrics["val_loss"] for _, metrics in log), abs=1e-6)


def test_averaged_weights_are_kept_without_watched_rows_too(
    averaged: tuple[Any, Epochs], averaged_unwatched: Trained
) -> None:
    """The end of a training is another path through Keras than an early stop."""
    kept = validation_figures(TRUTH[WATCH], answers(averaged_unwatched)[WATCH], targets=TARGETS)["val_loss"]
    assert kept == pytest.approx(averaged[1][2][1]["val_loss"], abs=1e-6)


def test_averaged_weights_normalise_by_their_own_statistics(averaged_unwatched: Trained) -> None:
    """Not by those of the weights that they are the average of: the mean over the training rows, all of them."""
    body = averaged_unwatched.network.get_layer(BODY)
    layer = normalisations(body)[0]
    met = np.asarray(keras.Model(body.input, layer.input)(PICTURES[TRAIN].astype(np.float32)))
    assert np.asarray(layer.moving_mean) == pytest.approx(met.mean(axis=(0, 1, 2)), rel=1e-4, abs=1e-5)
    assert layer.momentum == 0.9


@pytest.mark.parametrize(("smallest", "expected"), [(1.0, [128] * 6), (0.5, [64, 96, 96, 128, 128, 128])])
def test_chips_grow_to_their_size(smallest: float, expected: list[int]) -> None:
    """In steps of 32 pixels, and the last third of the epochs has them as they are."""
    assert [side_of(epoch, 6, 128, smallest) for epoch in range(6)] == expected


@pytest.mark.parametrize(("size", "smallest", "epochs"), [(32, 1.0, 1), (96, 0.4, 2), (256, 0.25, 40)])
def test_no_epoch_has_chips_of_another_kind(size: int, smallest: float, epochs: int) -> None:
    """Multiples of 32, never below the smallest by more than a step, never falling, and size in the end."""
    sides = [side_of(epoch, epochs, size, smallest) for epoch in range(epochs)]
    assert sides == sorted(sides)
    assert all(side % 32 == 0 and size * smallest - 16 <= side <= size for side in sides)
    assert epochs == 1 or sides[-1] == size
