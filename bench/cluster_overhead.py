"""cluster_overhead: a search of small trials on a Ray cluster of one node, against the same search in this process.

Ray's start, and that of the node's first process, are apart: a first search takes them. Same threads: one.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import clusters
from drawn import Taught, experiment, taught
from turns import by_turns

from igarape.cluster.settings import ADDRESS, CPUS, THREADS
from igarape.cluster.spreading import trainers
from igarape.executors import Executor
from igarape.learners.oracles import Budget
from igarape.learners.search import search
from igarape.workspace import Workspace

CHIPS, TRIALS, EPOCHS, SEED, ROUNDS = 512, 8, 4, 3, 2
SPACE: dict[str, Any] = {"dropout": {"low": 0.0, "high": 0.5, "scale": "linear"}}


class _Record:
    """The record of a trial that nobody keeps."""

    key = "key"

    def log(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Take an epoch."""

    def metrics(self, values: Mapping[str, float]) -> None:
        """Take figures."""


@contextmanager
def _trial(_name: str, _params: Mapping[str, Any]) -> Iterator[_Record]:
    yield _Record()


def run() -> dict[str, object]:
    """Return the seconds of both, the best of a few rounds, by turns."""
    os.environ |= dict.fromkeys((*THREADS, CPUS), "1")  # before TensorFlow begins
    examples = taught(CHIPS)
    with TemporaryDirectory() as folder, clusters.started(1) as cluster:
        os.chdir(folder)
        os.environ[ADDRESS] = cluster.address
        Path("chips").mkdir()
        with trainers(Workspace(folder), "search", chips=Path(folder, "chips")) as executor:
            ours, peer = partial(_search, examples, executor), partial(_search, examples, None)
            by_turns(ours, peer, rounds=1)  # the node's process, and TensorFlow in both
            row = by_turns(ours, peer, rounds=ROUNDS)
        os.chdir("/")
    return row | {"n": TRIALS}


def _search(examples: Taught, executor: Executor | None, folder: Path) -> None:
    """Search, here where there is no executor."""
    search(
        examples.images,
        examples.y,
        experiment=experiment(**SPACE),
        targets=examples.targets,
        train=examples.train,
        validation=examples.validation,
        budget=Budget("random", TRIALS, EPOCHS, SEED),
        folder=folder,
        trial_run=_trial,
        report=lambda *_words: None,
        executor=executor,
    )


if __name__ == "__main__":
    print(run())
