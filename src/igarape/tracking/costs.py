"""What a step costs: seconds by the clock, and those of processors, its own and those of processes that it starts."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import NamedTuple

import psutil
from mlflow import MlflowClient

from igarape.config.documents import RunFacts
from igarape.tracking.address import connected
from igarape.tracking.exporter import known_run
from igarape.tracking.run import Run
from igarape.workspace import Workspace

SECONDS, PROCESSOR = "seconds", "processor_seconds"  # the metrics of a step's run


class Costs(NamedTuple):
    """Seconds by the clock, and seconds of processors, which several of them make more."""

    seconds: float
    processor: float


@contextmanager
def measured(run: Run) -> Iterator[None]:
    """Log what a block costs, as metrics of a run, once it has come to its end.

    A step that goes on after a crash counts what it does itself. What nodes of a cluster do is not seen from here.
    """
    before = _so_far()
    yield
    now = _so_far()
    run.metrics({SECONDS: now.seconds - before.seconds, PROCESSOR: now.processor - before.processor})


@dataclass(frozen=True)
class Made:
    """How a step has made a learner: by which settings of params.yaml, by dotted names, and at what cost, if known."""

    settings: Mapping[str, str]
    costs: Costs | None


def read_made(workspace: Workspace, step: str, experiment: str) -> Made | None:
    """Return how the latest run of an experiment's step made it; None where this MLflow has no such run."""
    path = workspace.run(step, experiment)
    if not path.exists():
        return None
    with connected(workspace.root):
        known = known_run(MlflowClient(), RunFacts.read(path).run_id)
    if known is None:
        return None
    metrics = known.data.metrics
    beside = ("experiment.", f"{experiment}.")
    own = {name: value for name, value in known.data.params.items() if not f"{name}.".startswith(beside)}
    costs = Costs(metrics[SECONDS], metrics[PROCESSOR]) if {SECONDS, PROCESSOR} <= set(metrics) else None
    return Made(own, costs)


def _so_far() -> Costs:
    """Return the time by the clock, and what this process and its children have used of processors so far."""
    own = psutil.Process()
    used = _used(own)
    for child in own.children(recursive=True):
        with suppress(psutil.Error):  # it has ended meanwhile
            used += _used(child)
    return Costs(time.perf_counter(), used)


def _used(process: psutil.Process) -> float:
    """Return the processor seconds of a process, and of its children that have ended: user and system of both."""
    return sum(process.cpu_times()[:4])
