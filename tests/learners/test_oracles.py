"""What proposes hyperparameters. tests/learners/test_search.py asks the oracles of all tuners."""

from pathlib import Path

import numpy as np
import pytest
import tiny

from igarape.config.spaces import Choice, Range
from igarape.learners.oracles import Budget, make_oracle, planned, space
from igarape.learners.trials import Planned

CHOICE = Choice(choice=(0.0, 0.2, 0.4))
RANGE = Range(low=0.001, high=0.1, scale="log")


def test_the_space_holds_each_searched_knob_as_it_is_written() -> None:
    """A choice is a choice; a range is drawn between its ends, on its scale."""
    hyperparameters = tiny.tiny({"learning_rate": RANGE, "dropout": CHOICE}).hyperparameters
    drawn = [space(hyperparameters).space[0].random_sample(seed) for seed in range(200)]
    assert {hyper.name for hyper in space(hyperparameters).space} == {"learning_rate", "dropout"}
    assert min(drawn) >= 0.001
    assert max(drawn) <= 0.1
    assert 0.3 < np.mean(np.array(drawn) < 0.01) < 0.7


@pytest.mark.parametrize(
    ("tuner", "epochs", "expected"),
    [("random", 5, Planned(7, 35)), ("bayesian", 5, Planned(7, 35)), ("hyperband", 9, Planned(22, 78))],
)
def test_how_much_a_search_will_train_is_known_before_it_begins(
    tmp_path: Path, tuner: str, epochs: int, expected: Planned
) -> None:
    """Hyperband's number follows from its rule: for nine epochs 9, 3 and 1, 5 and 2, and 3 trials."""
    wanted = tiny.tiny({"learning_rate": RANGE})
    budget = Budget(tuner=tuner, trials=7, epochs=epochs, seed=0)
    bound = planned(make_oracle(wanted, budget, tmp_path), budget.epochs)
    assert bound.trials == (expected.trials if tuner != "hyperband" else 9 + 3 + 1 + 5 + 2 + 3)
    assert bound.epochs == (expected.epochs if tuner != "hyperband" else 9 + 9 + 9 + 15 + 18 + 27)


@pytest.mark.parametrize("tuner", ["random", "bayesian", "hyperband"])
def test_a_space_of_few_choices_is_tried_to_its_end(tmp_path: Path, tuner: str) -> None:
    """Three choices are three trials, each of all epochs."""
    budget = Budget(tuner=tuner, trials=50, epochs=27, seed=0)
    assert planned(make_oracle(tiny.tiny({"dropout": CHOICE}), budget, tmp_path), 27) == Planned(3, 81)
