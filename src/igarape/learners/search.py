"""The search over an experiment's knobs: a keras-tuner oracle proposes, our trials train and are tracked."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras_tuner
import numpy as np
import pandas as pd

from igarape.errors import InputError
from igarape.labels import Booleans
from igarape.learners.examples import Pictures, Rows
from igarape.learners.experiment import Experiment
from igarape.learners.knobs import Choice, Space, Value
from igarape.learners.learning import fit
from igarape.learners.scoring import Log

Report = Callable[[int, int, str], None]
TrialRun = Callable[[str, Mapping[str, Value]], AbstractContextManager[Log]]

ORACLES = {
    "random": keras_tuner.oracles.RandomSearchOracle,
    "bayesian": keras_tuner.oracles.BayesianOptimizationOracle,
}


@dataclass(frozen=True)
class Budget:
    """How much a search may spend: the oracle by name, the number of trials, and the epochs of one."""

    tuner: str
    trials: int
    epochs: int
    seed: int


@dataclass(frozen=True)
class Found:
    """What a search found: the best knobs, their score, and one row per trial."""

    knobs: Mapping[str, Value]
    score: float
    trial: str
    trials: pd.DataFrame


def search(
    pictures: Pictures,
    y: Booleans,
    *,
    experiment: Experiment,
    exclusive: int,
    train: Rows,
    watch: Rows,
    budget: Budget,
    folder: Path,
    trial_run: TrialRun,
    report: Report,
) -> Found:
    """Train budget.trials networks on the rows train and return the knobs that score best on the rows watch.

    exclusive: how many of the first labels exclude each other. folder: where keras-tuner keeps its state. trial_run(name, knobs) opens the record of one trial and gives its log.
    report: called with (epochs done, of how many, what is going on).
    Raises InputError when no row of watch holds any label, or when a trial does.
    """
    if not y[watch].any():
        raise InputError(f"search: none of the {len(watch)} validation chips holds any of the experiment's labels")
    trials = _worthwhile(experiment.knobs, budget.trials)
    tuner = _Tuner(
        oracle=ORACLES[budget.tuner](
            objective=keras_tuner.Objective(f"val_{experiment.objective}", "max"),
            max_trials=trials,
            hyperparameters=space(experiment.knobs),
            seed=budget.seed,
        ),
        directory=folder,
        project_name="search",
        overwrite=True,
    )
    try:
        tuner.search(
            pictures,
            y,
            experiment=experiment,
            exclusive=exclusive,
            train=train,
            watch=watch,
            budget=budget,
            trial_run=trial_run,
            report=lambda trial, epoch: report(
                trial * budget.epochs + epoch,
                trials * budget.epochs,
                f"trial {trial + 1}/{trials}, epoch {epoch}/{budget.epochs}",
            ),
            verbose=0,
        )
    except keras_tuner.errors.FatalError as error:
        raise error.__cause__ or error from None
    best = max(tuner.rows, key=lambda row: row["score"])
    knobs = {name: best[name] for name in type(experiment.knobs).model_fields}
    return Found(knobs=knobs, score=best["score"], trial=best["trial"], trials=pd.DataFrame(tuner.rows))


def space(knobs: Space) -> keras_tuner.HyperParameters:
    """Return the searched knobs as keras-tuner's hyper-parameters."""
    found = keras_tuner.HyperParameters()
    for name, knob in knobs.searched().items():
        if isinstance(knob, Choice):
            found.Choice(name, list(knob.choice))
        else:
            found.Float(name, knob.low, knob.high, sampling=knob.scale)
    return found


def _worthwhile(knobs: Space, trials: int) -> int:
    """Return how many trials make sense: a space of choices only has an end."""
    searched = knobs.searched().values()
    if not all(isinstance(knob, Choice) for knob in searched):
        return trials
    return min(trials, int(np.prod([len(knob.choice) for knob in searched if isinstance(knob, Choice)])))


class _Tuner(keras_tuner.Tuner):
    """A tuner whose trial is one tracked training; it keeps the trials' rows and no models."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.rows: list[dict[str, Any]] = []

    def run_trial(self, trial: Any, pictures: Pictures, y: Booleans, **settings: Any) -> dict[str, float]:
        """Train with the trial's knobs and return the last epoch's metrics; whatever goes wrong ends the search."""
        try:
            return self._train(trial, pictures, y, **settings)
        except Exception as error:
            # keras-tuner goes on after any other error, and says after the third that there were three.
            raise keras_tuner.errors.FatalError(str(error)) from error

    def _train(self, trial: Any, pictures: Pictures, y: Booleans, **settings: Any) -> dict[str, float]:
        """Train with the trial's knobs, keep its row, and return the last epoch's metrics."""
        experiment: Experiment = settings["experiment"]
        budget: Budget = settings["budget"]
        searched = {name: trial.hyperparameters.get(name) for name in experiment.knobs.searched()}
        knobs = experiment.knobs.fixed() | searched
        name = f"trial-{len(self.rows)}"
        epochs: list[Mapping[str, float]] = []
        start = time.perf_counter()
        with settings["trial_run"](name, knobs) as log:

            def record(epoch: int, metrics: Mapping[str, float]) -> None:
                epochs.append(metrics)
                log(epoch, metrics)
                settings["report"](len(self.rows), epoch + 1)  # trees tell of some rounds only

            fit(
                pictures,
                y,
                experiment=experiment,
                knobs=knobs,
                exclusive=settings["exclusive"],
                train=settings["train"],
                watch=settings["watch"],
                epochs=budget.epochs,
                patience=budget.epochs,
                seed=budget.seed,
                log=record,
            )
            seconds = time.perf_counter() - start
            log(len(epochs), {"duration_s": seconds})
        last = dict(epochs[-1])
        result = {"trial": name, "score": last[f"val_{experiment.objective}"], "seconds": seconds}
        self.rows.append(result | knobs | last)
        return last

    def load_model(self, trial: Any) -> None:
        """Refuse: no trial's model is kept; train@E trains the best knobs anew."""
        raise TypeError("trials keep no model")
