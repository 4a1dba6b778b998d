"""search_overhead: a tracked search against the same keras-tuner search untracked: same proposals, same trainings."""

import os
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras_tuner
from drawn import Taught, experiment, taught
from turns import by_turns

from igarape.learners.learning import Training
from igarape.learners.networks.training import fit
from igarape.learners.oracles import Budget, space
from igarape.learners.search import search
from igarape.scores.figures import validation_figures
from igarape.tracking.step import step_run
from igarape.workspace import Workspace

CHIPS, TRIALS, EPOCHS, ROUNDS, SEED = 320, 3, 4, 5, 1
SPACE: dict[str, Any] = {
    "learning_rate": {"low": 0.002, "high": 0.006, "scale": "log"},
    "dropout": {"choice": [0.0, 0.2, 0.4]},
}


def run() -> dict[str, object]:
    """Return the seconds of both, the best of a few rounds, by turns."""
    examples = taught(CHIPS)
    with TemporaryDirectory() as folder:
        os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder}/mlflow.db"
        try:
            with step_run("search", workspace=Workspace(Path(folder)), params={}):
                pass  # MLflow makes its database: that takes seconds, once
            return by_turns(partial(_tracked, examples), partial(_untracked, examples), rounds=ROUNDS) | {"n": TRIALS}
        finally:
            del os.environ["MLFLOW_TRACKING_URI"]


def _tracked(examples: Taught, folder: Path) -> None:
    """Search as the step does, from the opening of its run to its end."""
    with step_run("search", workspace=Workspace(folder), params={"seed": SEED}) as opened:
        found = search(
            examples.images,
            examples.y,
            experiment=experiment(**SPACE),
            targets=examples.targets,
            train=examples.train,
            validation=examples.validation,
            budget=Budget("random", TRIALS, EPOCHS, SEED),
            folder=folder,
            trial_run=opened.trial,
            report=lambda *_words: None,
        )
        opened.table(found.trials, "trials.json")


def _untracked(examples: Taught, folder: Path) -> None:
    """Search with keras-tuner and nothing besides."""
    options = {
        "objective": keras_tuner.Objective("val_f2", "max"),
        "hyperparameters": space(experiment(**SPACE).hyperparameters),
    }
    oracle = keras_tuner.oracles.RandomSearchOracle(max_trials=TRIALS, seed=SEED + 1, **options)
    _Plain(oracle=oracle, directory=folder, project_name="search").search(examples, verbose=0)


class _Plain(keras_tuner.Tuner):
    """A tuner as its guide has it: a trial is a training, and its result the metrics."""

    def run_trial(self, trial: Any, examples: Taught, **_settings: Any) -> dict[str, float]:
        wanted = experiment(**SPACE)
        hyperparameters = wanted.hyperparameters.pick(trial.hyperparameters.values)
        training = Training(
            examples.images,
            examples.y,
            examples.targets,
            train=examples.train,
            validation=examples.validation,
            epochs=EPOCHS,
            patience=None,
            seed=SEED,
            log=lambda _epoch, _metrics: None,
        )
        trained = fit(training, experiment=wanted, hyperparameters=hyperparameters)
        answers = trained.predict(examples.images, examples.validation, tta=hyperparameters.tta)
        return validation_figures(examples.y[examples.validation], answers, targets=examples.targets)


if __name__ == "__main__":
    print(run())
