"""One training of a kernel machine: what kernel logistic regression gives, reproducible, told of once."""

from typing import Any

import numpy as np
import pytest
import tiny
from sklearn.linear_model import LogisticRegression

from igarape.config.hyperparameters import KernelValues
from igarape.learners.examples import Rows
from igarape.learners.kernels.machine import Machine
from igarape.learners.kernels.solving import fit, solve
from igarape.learners.trees.statistics import statistics
from igarape.scores.metrics import mean_average_precision

RNG = np.random.default_rng(0)
RED = RNG.random(40) < 0.5
IMAGES = RNG.integers(0, 128, (40, 32, 32, 3), dtype=np.uint8)
IMAGES[RED, :, :, 0] += 127
TRUTH = np.column_stack([RED, np.zeros(40, dtype=np.bool_)])
TRAIN, VALIDATION = np.arange(30), np.arange(30, 40)


def fitted(validation: Rows = VALIDATION, **values: Any) -> tuple[Machine, tiny.Logged]:
    """Solve for a machine on the training rows, and return it with what was logged."""
    how = {"experiment": tiny.kernel(), "hyperparameters": KernelValues(**values)}
    return tiny.fitted(fit, IMAGES, TRUTH, train=TRAIN, validation=validation, seed=3, **how)


def test_red_chips_are_told_from_others() -> None:
    """Those that it has not seen, too; a label without any chip is answered with its smoothed share."""
    p = fitted()[0].predict(IMAGES, VALIDATION, tta=False)
    assert ((p[:, 0] > 0.5) == RED[VALIDATION]).all()
    np.testing.assert_allclose(p[:, 1], 1 / 32, rtol=1e-5)


def test_with_all_rows_as_landmarks_it_is_kernel_logistic_regression() -> None:
    """Of a ring around a disc, which no straight line parts; the answers are those of Newton's method in the dual.

    By the representer theorem f = K a + b, and a minimises sum log(1 + exp(-s f)) + l2 / 2 a'Ka.
    """
    rng = np.random.default_rng(4)
    table = rng.normal(size=(60, 2)).astype(np.float32)
    inside = (table**2).sum(axis=1) < 1.2
    l2, gamma = 0.5, 1.0
    values = KernelValues(gamma=gamma * 2, l2=l2, landmarks=60)
    machine = solve(table, inside[:, None], size=32, hyperparameters=values, seed=0)
    assert mean_average_precision(inside[:, None], machine.answer(table)) > 0.95
    exact = table.astype(np.float64)
    z = (exact - exact.mean(axis=0)) / exact.std(axis=0)
    kernel = np.exp(-gamma * ((z[:, None] - z) ** 2).sum(axis=2))
    half = np.linalg.cholesky(kernel + 1e-10 * np.eye(60))  # K = half half', so that a'Ka = |half'a|^2
    reference = LogisticRegression(C=1 / l2, tol=1e-8, max_iter=10_000).fit(half, inside)
    np.testing.assert_allclose(machine.answer(table)[:, 0], reference.predict_proba(half)[:, 1], atol=1e-3)


def test_figures_are_logged_once() -> None:
    """Those of the validation rows, where there are any, which are not learned from."""
    machine, ((epoch, metrics),) = fitted()
    assert epoch == 0 and set(metrics) == {"loss", "val_loss", "val_f2", "val_map"}
    alone, ((_, told),) = fitted(validation=VALIDATION[:0])
    assert dict(told) == {"loss": metrics["loss"]}
    np.testing.assert_array_equal(alone.weights, machine.weights)


@pytest.mark.parametrize(
    "values", [{"gamma": 2.0}, {"l2": 5.0}, {"balance": 1.0}, {"landmarks": 5}], ids=lambda values: next(iter(values))
)
def test_each_hyperparameter_is_heard(values: dict[str, Any]) -> None:
    """A machine with another value answers otherwise."""
    one, other = (fitted(**changes)[0].predict(IMAGES, VALIDATION, tta=False) for changes in ({}, values))
    assert (one[:, 0] != other[:, 0]).any()


def test_a_statistic_that_never_varies_has_no_say() -> None:
    """It has no deviation to be divided by."""
    table = np.random.default_rng(2).normal(size=(30, 3)).astype(np.float32)
    table[:, 1] = 7
    y = table[:, :1] > 0
    values = KernelValues(landmarks=10)
    p = solve(table, y, size=32, hyperparameters=values, seed=1).answer(table)
    assert np.isfinite(p).all()
    np.testing.assert_allclose(((p > 0.5) == y).mean(), 1.0, atol=0.1)


@pytest.mark.parametrize(("chips", "landmarks"), [(1, 2), (1, 1000), (2, 1000), (30, 2)])
def test_few_chips_few_landmarks_and_chips_of_one_colour_are_enough(chips: int, landmarks: int) -> None:
    """What has nothing to tell chips by answers all alike: with the share that holds a label, smoothed."""
    same = np.full((chips, 32, 32, 3), 7, dtype=np.uint8)
    y = np.arange(chips)[:, None] % 3 == [0, 3]
    values = KernelValues(landmarks=landmarks)
    machine = solve(statistics(same), y, size=32, hyperparameters=values, seed=1)
    assert machine.kernel.landmarks.shape[0] == min(chips, landmarks)
    p = machine.predict(IMAGES, TRAIN, tta=False)
    assert ((p > 0) & (p < 1)).all()
    known = machine.answer(statistics(same))
    np.testing.assert_allclose(known, np.broadcast_to((y.sum(axis=0) + 1) / (chips + 2), known.shape), atol=0.1)
