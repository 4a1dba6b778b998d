"""The search over an experiment's hyperparameters: a keras-tuner oracle proposes, our trials train and are tracked.

What was tried is kept, a file a trial. A search that was killed asks its oracle again from the start, and answers from
these files: the oracle's chance comes from the seed alone, so it proposes what it proposed before, and only what was
not finished is trained. keras-tuner's own state is not gone on with: it loses the trial that was killed.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import keras_tuner
import pandas as pd

from igarape.config.hyperparameters import Value, Values
from igarape.config.kinds import Experiment
from igarape.config.spaces import Choice, Space
from igarape.errors import InputError
from igarape.labels import Booleans, Targets
from igarape.learners.examples import Images, Rows
from igarape.learners.learning import Log, fit
from igarape.learners.trials import Planned, Report, Row, TrialRun, Trials
from igarape.scores.figures import validation_figures

FACTOR = 3  # of Hyperband: the best third of a round goes on to the next
# keras-tuner draws at random until it meets values that it has not tried. After 20 vain draws in a row it takes a space
# for exhausted, though the last of 24 combinations is missed so with a chance of two fifths.
DRAWS = 50  # for each combination there is: the chance is e^-50


@dataclass(frozen=True)
class Budget:
    """How much a search may spend: the tuner by name, the number of trials, and the epochs of one.

    random and bayesian train each trial for these epochs; fewer trials, where all of a space of choices are tried.
    hyperband takes as many trials as its rule gives, and trains those that go through all its rounds for these epochs.
    """

    tuner: str
    trials: int
    epochs: int
    seed: int


@dataclass(frozen=True)
class Found:
    """What a search found: the best hyperparameters, their score, and one row per trial."""

    hyperparameters: Values
    score: float
    trial: str
    trials: pd.DataFrame


def search(
    images: Images,
    y: Booleans,
    *,
    experiment: Experiment,
    targets: Targets,
    train: Rows,
    validation: Rows,
    budget: Budget,
    folder: Path,
    trial_run: TrialRun,
    report: Report,
) -> Found:
    """Train networks and return the hyperparameters that score best.

    A score is the experiment's objective as scores.figures computes it, of the last epoch's weights, by test-time
    augmentation where tta says so; the epochs' metrics are without. A trial that fails or diverges is a row without a
    score.

    Parameters
    ----------
    images
        Pictures, uint8 (n, size, size, 3).
    y
        Which labels hold, of shape (n, labels).
    experiment
        Says what may vary, and the objective.
    targets
        The labels that y has columns of.
    train, validation
        The rows that trials learn from, and those that they are scored on.
    budget
        How much the search may spend.
    folder
        Outlives a killed search, which goes on there where it stopped; it must be empty when anything else has changed.
    trial_run
        Called with (name, values), opens the record of one trial.
    report
        Called with (epochs done, of how many, what is going on).

    Raises
    ------
    InputError
        When three trials in a row fail, when none has a score, when no validation row holds any label, and at once when
        a trial raises one, for that is about what all trials share: weights, or a batch that does not fit the memory.
    """
    if not y[validation].any():
        raise InputError(
            f"search: none of the {len(validation)} validation chips holds any of the experiment's labels. Bring more "
            "chips that do, or take the experiment out of params.yaml"
        )
    oracle = _oracle(experiment, budget)

    def train_one(picked: Mapping[str, Value], epochs: int, log: Log) -> float:
        hyperparameters = experiment.hyperparameters.pick(picked)
        trained = fit(
            images,
            y,
            experiment=experiment,
            hyperparameters=hyperparameters,
            targets=targets,
            train=train,
            validation=validation,
            epochs=epochs,
            patience=None,  # trials are compared at equal length
            seed=budget.seed,
            log=log,
        )
        p = trained.predict(images, validation, tta=hyperparameters.averaged())
        return validation_figures(y[validation], p, targets=targets)[f"val_{experiment.objective}"]

    trials = Trials(train_one, trial_run, folder, report, planned=_planned(oracle, budget.epochs))
    _ask(oracle, trials, experiment.hyperparameters, epochs=budget.epochs, folder=folder)
    return _found(trials, experiment.hyperparameters)


def space(hyperparameters: Space[Values]) -> keras_tuner.HyperParameters:
    """Return the searched hyperparameters as keras-tuner's hyper-parameters."""
    found = keras_tuner.HyperParameters()
    for name, hyperparameter in hyperparameters.searched().items():
        if isinstance(hyperparameter, Choice):
            found.Choice(name, list(hyperparameter.choice))
        else:
            found.Float(name, hyperparameter.low, hyperparameter.high, sampling=hyperparameter.scale)
    return found


def _oracle(experiment: Experiment, budget: Budget) -> keras_tuner.Oracle:
    """Return what proposes the hyperparameters.

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
            return _patient(hyperband, every)
        trials = every
    if budget.tuner == "bayesian":
        kind = keras_tuner.oracles.BayesianOptimizationOracle
    return _patient(kind(max_trials=int(min(trials, every)), **options), every)


def _patient(oracle: keras_tuner.Oracle, every: float) -> keras_tuner.Oracle:
    """Let an oracle draw until it has met each of so many combinations."""
    if math.isfinite(every):
        oracle._max_collisions = DRAWS * every  # noqa: SLF001 - no public name sets it
    return oracle


def _combinations(hyperparameters: Space[Values]) -> float:
    """Return how many different trials there are: a space of choices only has an end."""
    return math.prod(
        len(hyperparameter.choice) if isinstance(hyperparameter, Choice) else math.inf
        for hyperparameter in hyperparameters.searched().values()
    )


def _planned(oracle: keras_tuner.Oracle, epochs: int) -> Planned:
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


def _ask(
    oracle: keras_tuner.Oracle, trials: Trials, hyperparameters: Space[Values], *, epochs: int, folder: Path
) -> None:
    """Try what the oracle proposes until it has nothing more to propose.

    This is the loop of keras_tuner.Tuner without the rest of it, which prints tracebacks and keeps models.
    """
    oracle._set_project_dir(folder, "oracle")  # noqa: SLF001 - only a Tuner says otherwise where an oracle's notes go
    oracle.verbose = 0
    while (trial := oracle.create_trial("search")).status == "RUNNING":
        proposed = trial.hyperparameters.get_config()["values"]
        values = hyperparameters.pick(proposed).model_dump()
        # Hyperband lets the best trials of a round go on. No models are kept, so they are trained anew, for as many
        # epochs as they would then have had, along a schedule of that length.
        row = trials.next(proposed, values, proposed.get("tuner/epochs", epochs))
        # Of a trial that was tried before, the values it had then: the oracle's arithmetic may differ by a digit.
        trial.hyperparameters.values = dict(row["proposed"])
        trial.status = "COMPLETED" if row["status"] == "FINISHED" else "FAILED"
        if trial.status == "COMPLETED":
            oracle.update_trial(trial.trial_id, {oracle.objective.name: row["score"]})
        oracle.end_trial(trial)


def _found(trials: Trials, space: Space[Values]) -> Found:
    """Name the best trial, and lay out the table of all."""
    best = trials.best()
    table = pd.DataFrame([_laid_out(row) for row in trials.rows]).astype({"score": float})
    return Found(space.pick(best["hyperparameters"]), score=best["score"], trial=best["trial"], trials=table)


def _laid_out(row: Row) -> Row:
    """Lay out a row of the table: what became of the trial, its values, the last epoch's metrics as last_<metric>."""
    cells: Row = {name: row[name] for name in ("trial", "status", "score", "seconds", "memory_mb", "epochs", "error")}
    # A hyperparameter may have a metric's name: loss.
    return cells | dict(row["hyperparameters"]) | {f"last_{name}": value for name, value in row["metrics"].items()}
