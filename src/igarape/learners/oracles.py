"""What proposes hyperparameters: the oracles of keras-tuner, and how many trials each of them will propose."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import keras_tuner

from igarape.config.hyperparameters import Values
from igarape.config.kinds import Experiment
from igarape.config.spaces import Choice, Space
from igarape.learners.trials import Planned

FACTOR = 3  # of Hyperband: the best third of a round goes on to the next
# keras-tuner draws at random until it meets values that it has not tried. After 20 vain draws in a row it takes a space
# for exhausted, though the last of 24 combinations is missed so with a chance of two fifths.
DRAWS = 50  # for each combination there is: the chance is e^-50


@dataclass(frozen=True)
class Budget:
    """How much a search may spend: the tuner by name, the number of trials, the epochs of one, and how many are open.

    random and bayesian train each trial for these epochs; fewer trials, where all of a space of choices are tried.
    hyperband takes as many trials as its rule gives, and trains those that go through all its rounds for these epochs.
    """

    tuner: str
    trials: int
    epochs: int
    seed: int
    parallel: int = 1


def space(hyperparameters: Space[Values]) -> keras_tuner.HyperParameters:
    """Return the searched hyperparameters as keras-tuner's hyper-parameters."""
    found = keras_tuner.HyperParameters()
    for name, hyperparameter in hyperparameters.searched().items():
        if isinstance(hyperparameter, Choice):
            found.Choice(name, list(hyperparameter.choice))
        else:
            found.Float(name, hyperparameter.low, hyperparameter.high, sampling=hyperparameter.scale)
    return found


def make_oracle(experiment: Experiment, budget: Budget, folder: Path) -> keras_tuner.Oracle:
    """Return what proposes the hyperparameters; its notes go to a folder.

    Hyperband (Li et al., JMLR 2018) with max_epochs R and factor 3 begins a bracket for each s from floor(log_3 R) down
    to 0, trains its trials for R / 3^s epochs, and the best third of them anew for three times as long, s times.
    Where to try every combination to the end costs no more, or there are fewer than it draws, that is done instead.
    """
    options = {
        "objective": keras_tuner.Objective(f"val_{experiment.objective}", "max"),
        "hyperparameters": space(experiment.hyperparameters),
        "seed": budget.seed + 1,  # keras-tuner takes 0 for none, and draws one
    }
    every, trials = _combinations(experiment.hyperparameters), float(budget.trials)
    kind = keras_tuner.oracles.RandomSearchOracle
    if budget.tuner == "hyperband":
        hyperband = keras_tuner.oracles.HyperbandOracle(max_epochs=budget.epochs, factor=FACTOR, **options)
        rounds = _rounds(hyperband)
        drawn = sum(one.size for one in rounds if one.turn == 0)
        if every >= drawn and every * budget.epochs > sum(one.size * one.epochs for one in rounds):
            return _settled(hyperband, every, folder)
        trials = every
    if budget.tuner == "bayesian":
        kind = keras_tuner.oracles.BayesianOptimizationOracle
    return _settled(kind(max_trials=int(min(trials, every)), **options), every, folder)


def _settled(oracle: keras_tuner.Oracle, every: float, folder: Path) -> keras_tuner.Oracle:
    """Say where an oracle's notes go, and let it draw until it has met each of so many combinations."""
    oracle._set_project_dir(folder, "oracle")  # noqa: SLF001 - only a Tuner says otherwise where an oracle's notes go
    oracle.verbose = 0
    if math.isfinite(every):
        oracle._max_collisions = DRAWS * every  # noqa: SLF001 - no public name sets it
    return oracle


def _combinations(hyperparameters: Space[Values]) -> float:
    """Return how many different trials there are: a space of choices only has an end."""
    return math.prod(
        len(hyperparameter.choice) if isinstance(hyperparameter, Choice) else math.inf
        for hyperparameter in hyperparameters.searched().values()
    )


def planned(oracle: keras_tuner.Oracle, epochs: int) -> Planned:
    """Return how many trials an oracle will propose, and their epochs."""
    if oracle.max_trials:
        return Planned(oracle.max_trials, oracle.max_trials * epochs)
    rounds = _rounds(oracle)
    return Planned(sum(one.size for one in rounds), sum(one.size * one.epochs for one in rounds))


class _Round(NamedTuple):
    """A round of Hyperband's: the how many-th of its bracket, its trials, and the epochs of each."""

    turn: int
    size: int
    epochs: int


def _rounds(oracle: keras_tuner.oracles.HyperbandOracle) -> list[_Round]:
    """Return the rounds of all brackets, which Hyperband shows by private methods only."""
    places = [(bracket, turn) for bracket in range(oracle._get_num_brackets()) for turn in range(bracket + 1)]  # noqa: SLF001
    return [_Round(place[1], oracle._get_size(*place), oracle._get_epochs(*place)) for place in places]  # noqa: SLF001
