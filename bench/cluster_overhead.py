"""cluster_overhead: a search of small trials on a Ray cluster of one node, against the same search in this process.

Processor time: ours is that of this process and of the node's that do tasks. Ray's daemons are apart, as they take
some by the second, work or none: `daemons` has theirs, of both searches. Ray's start, and that of the node's first
process, are apart too: a search of one trial takes them. Same threads: one.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import clusters
import psutil
from drawn import Taught, experiment, taught
from turns import by_turns

from igarape.cluster.settings import ADDRESS, CPUS, THREADS
from igarape.cluster.spreading import trainers
from igarape.executors import Executor
from igarape.learners.oracles import Budget
from igarape.learners.search import search
from igarape.workspace import Workspace

CHIPS, TRIALS, EPOCHS, SEED = 128, 8, 2, 3
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
    """Return the processor's seconds of both."""
    os.environ |= dict.fromkeys((*THREADS, CPUS), "1")  # before TensorFlow begins
    examples = taught(CHIPS)
    with TemporaryDirectory() as folder, clusters.started(1) as cluster:
        os.chdir(folder)
        os.environ[ADDRESS] = cluster.address
        Path("chips").mkdir()
        with trainers(Workspace(folder), "search", chips=Path(folder, "chips")) as executor:
            for trials in (1, TRIALS):  # the first one begins the node's process, and TensorFlow in both
                ours, peer = (partial(_search, examples, each, trials) for each in (executor, None))
                before = _spent(daemons=True)
                row = by_turns(ours, peer, rounds=1, clock=_spent)
                row["daemons"] = _spent(daemons=True) - before
        os.chdir("/")
    return row | {"n": TRIALS}


def _spent(*, daemons: bool = False) -> float:
    """Return the processor's seconds of this process and of those that do a cluster's tasks; or of Ray's daemons."""
    own = psutil.Process()
    every = [(each, "".join(each.cmdline()[:1])) for each in own.children(recursive=True)]
    others = [each for each, name in every if name.startswith("ray::") is not daemons]
    times = [each.cpu_times() for each in (others if daemons else [own, *others])]
    return sum(each.user + each.system for each in times)


def _search(examples: Taught, executor: Executor | None, trials: int, folder: Path) -> None:
    """Search, here where there is no executor."""
    search(
        examples.images,
        examples.y,
        experiment=experiment(**SPACE),
        targets=examples.targets,
        train=examples.train,
        validation=examples.validation,
        budget=Budget("random", trials, EPOCHS, SEED),
        folder=folder,
        trial_run=_trial,
        report=lambda *_words: None,
        executor=executor,
    )


if __name__ == "__main__":
    print(run())
