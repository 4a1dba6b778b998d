"""tracking_remote: a training tracked in MLflow on PostgreSQL and S3, with a password, against the same one untracked.

Processor time of the process that trains, which the outbox's sender is a thread of; what the services take is theirs.
"""

import os
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from drawn import Taught, experiment, taught
from team import Team
from turns import by_turns

from igarape.learners.learning import Training
from igarape.learners.networks.training import fit
from igarape.tracking.run import Log
from igarape.tracking.step import step_run
from igarape.workspace import Workspace

CHIPS, EPOCHS, ROUNDS, SEED = 480, 15, 4, 1
HYPERPARAMETERS: dict[str, Any] = {"learning_rate": 0.004, "dropout": 0.2}


def run() -> dict[str, object]:
    """Return the seconds of both, the best of a few rounds, by turns."""
    examples = taught(CHIPS)
    before = dict(os.environ)
    with TemporaryDirectory() as folder:
        team = Team(Path(folder))
        try:
            os.environ |= team.join("bench")
            _untracked(examples, Path(folder))  # TensorFlow starts
            with step_run("train", workspace=Workspace(folder), params={}):
                pass  # the experiment is made, once
            ours, peer = partial(_tracked, examples), partial(_untracked, examples)
            row = by_turns(ours, peer, rounds=ROUNDS, clock=time.process_time)
        finally:
            team.stop()
            os.environ.clear()
            os.environ |= before
    return row | {"n": CHIPS * EPOCHS}


def _tracked(examples: Taught, folder: Path) -> None:
    """Train as the step does, from the opening of its run to its end: each epoch's figures, and a table."""
    with step_run("train", workspace=Workspace(folder), params={"seed": SEED, **HYPERPARAMETERS}) as opened:
        _train(examples, opened.log)
        opened.text("a table", "epochs.txt")


def _untracked(examples: Taught, _folder: Path) -> None:
    """Train, and tell nobody."""
    _train(examples, lambda _epoch, _metrics: None)


def _train(examples: Taught, log: Log) -> None:
    wanted = experiment(**HYPERPARAMETERS)
    training = Training(
        examples.images,
        examples.y,
        examples.targets,
        train=examples.train,
        validation=examples.validation,
        epochs=EPOCHS,
        patience=None,
        seed=SEED,
        log=log,
    )
    fit(training, experiment=wanted, hyperparameters=wanted.hyperparameters.pick({}))


if __name__ == "__main__":
    print(run())
