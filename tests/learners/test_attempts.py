"""One attempt at a trial: it tells of each epoch, and at last of what it cost. test_trials.py hears it."""

import math
from collections.abc import Mapping
from typing import Any

import pytest

from igarape.config.hyperparameters import Value
from igarape.learners.attempts import Costs, run_trial
from igarape.learners.learning import Epoch, Log


def test_an_attempt_tells_of_epochs_and_costs_and_returns_its_score() -> None:
    """In that order, so that whoever hears it can tell again from where another one went on."""
    told: list[Any] = []

    def train(hyperparameters: Mapping[str, Value], epochs: int, log: Log) -> float:
        for epoch in range(epochs):
            log(epoch, {"loss": 1 / (epoch + 1)})
        return 0.75

    assert run_trial(told.append, train, {}, 2) == 0.75
    assert told[:2] == [Epoch(0, {"loss": 1.0}), Epoch(1, {"loss": 0.5})]
    (costs,) = told[2:]
    assert isinstance(costs, Costs) and costs.seconds > 0 and costs.memory_mb > 10


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_an_attempt_that_diverges_ends_at_that_epoch_and_tells_its_costs(loss: float) -> None:
    """Wherever it is trained: nobody trains on what is no number."""
    told: list[Any] = []

    def train(hyperparameters: Mapping[str, Value], epochs: int, log: Log) -> float:
        log(0, {"loss": loss})
        raise AssertionError

    with pytest.raises(FloatingPointError, match=f"loss is {loss} in epoch 1: the training has diverged"):
        run_trial(told.append, train, {}, 2)
    assert [type(one) for one in told] == [Costs]
