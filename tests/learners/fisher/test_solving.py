"""One training of a fisher learner: small shapes are told, reproducibly, and the head is a logistic regression."""

from typing import Any

import numpy as np
import pytest
import tiny
from sklearn.linear_model import LogisticRegression

from igarape.config.hyperparameters import FisherValues
from igarape.learners.examples import Rows
from igarape.learners.fisher import solving
from igarape.learners.fisher.machine import FARTHEST, Machine
from igarape.learners.fisher.solving import fit, solve

RNG = np.random.default_rng(0)
SPOTTED = RNG.random(60) < 0.5
IMAGES = RNG.integers(60, 128, (60, 32, 32, 3), dtype=np.uint8)
for spotted in np.flatnonzero(SPOTTED):  # four places of 64, anywhere
    top, left = 4 * RNG.integers(0, 7, 2)
    IMAGES[spotted, top : top + 8, left : left + 8] = (220, 40, 40)
TRUTH = np.column_stack([SPOTTED, np.zeros(60, dtype=np.bool_)])
TRAIN, VALIDATION = np.arange(45), np.arange(45, 60)


def fitted(validation: Rows = VALIDATION, **values: Any) -> tuple[Machine, tiny.Logged]:
    """Fit to the training rows, and return the machine with what was logged."""
    values = {"words": 16, "components": 6} | values
    how = {"experiment": tiny.fisher(), "hyperparameters": FisherValues(**values)}
    return tiny.fitted(fit, IMAGES, TRUTH, train=TRAIN, validation=validation, seed=3, **how)


def test_a_small_spot_is_told_wherever_it_is() -> None:
    """On chips that it has not seen, too; a label without any chip is answered with its smoothed share."""
    p = fitted()[0].predict(IMAGES, VALIDATION, tta=False)
    assert ((p[:, 0] > 0.5) == SPOTTED[VALIDATION]).all()
    np.testing.assert_allclose(p[:, 1], 1 / 47, rtol=1e-5)


def test_figures_are_logged_once_and_fits_can_be_repeated() -> None:
    """Those of the validation rows, where there are any, which are not learned from."""
    machine, ((epoch, metrics),) = fitted()
    assert epoch == 0 and set(metrics) == {"loss", "val_loss", "val_f2", "val_map"}
    alone, ((_, told),) = fitted(validation=VALIDATION[:0])
    assert dict(told) == {"loss": metrics["loss"]}
    np.testing.assert_array_equal(alone.head.weights, machine.head.weights)


@pytest.mark.parametrize("values", [{"words": 5}, {"components": 3}, {"l2": 5.0}, {"balance": 1.0}], ids=str)
def test_each_hyperparameter_is_heard(values: dict[str, Any]) -> None:
    """A machine with another value answers otherwise."""
    one, other = (fitted(**changes)[0].predict(IMAGES, VALIDATION, tta=False) for changes in ({}, values))
    assert (one[:, 0] != other[:, 0]).any()


def test_the_head_is_a_logistic_regression_on_standardised_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sought among sums of the chips' vectors, where it is known to lie; sought among fewer sums, it is near."""
    vectors = np.random.default_rng(1).normal(2, 3, (30, 90)).astype(np.float32)
    vectors[0, 0] = 1e3
    holds = vectors[:, 1] + vectors[:, 2] > 4
    z = np.clip((vectors - vectors.mean(axis=0)) / vectors.std(axis=0), -FARTHEST, FARTHEST) / np.sqrt(90)
    reference = LogisticRegression(C=10, tol=1e-8, max_iter=10_000).fit(z.astype(np.float64), holds)
    for spanned, near in ((2000, 1e-3), (20, 0.5)):
        monkeypatch.setattr(solving, "SPANNED", spanned)
        head = solve(vectors.copy(), holds[:, None], l2=0.1, balance=0.0, rng=np.random.default_rng(0))
        np.testing.assert_allclose(head.answer(vectors)[:, 0], reference.predict_proba(z)[:, 1], atol=near)


@pytest.mark.parametrize("chips", [1, 2])
def test_chips_of_one_colour_are_enough(chips: int) -> None:
    """What has nothing to tell chips by answers all alike, with a probability."""
    same = np.full((chips, 32, 32, 3), 7, dtype=np.uint8)
    how = {"experiment": tiny.fisher(), "hyperparameters": FisherValues(words=4)}
    truth, rows = np.arange(chips)[:, None] == [0, 3], np.arange(chips)
    machine, _ = tiny.fitted(fit, same, truth, train=rows, validation=rows[:0], seed=1, **how)
    p = machine.predict(IMAGES, TRAIN, tta=False)
    assert ((p > 0) & (p < 1)).all()
