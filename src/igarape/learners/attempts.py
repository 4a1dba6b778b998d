"""Run one trial where it is trained, in this process or another: report its epochs, its seconds and its memory."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import psutil

from igarape.config.hyperparameters import Value
from igarape.executors import Callback
from igarape.learners.learning import Epoch, Log, finite

LOOK = 0.1  # seconds between two looks at the memory

Train = Callable[[Mapping[str, Value], int, Log], float]


class Costs(NamedTuple):
    """What a training took: seconds, and the most memory that its process had, in MB."""

    seconds: float
    memory_mb: float


def run_trial(send: Callback, train: Train, hyperparameters: Mapping[str, Value], epochs: int) -> float:
    """Train, and return the score; a training that diverges ends there.

    Parameters
    ----------
    send
        Called with each Epoch and, at the end, with the Costs.
    train, hyperparameters, epochs
        Trains with hyperparameters for so many epochs, and logs each.
    """

    def log(epoch: int, metrics: Mapping[str, float]) -> None:
        send(Epoch(epoch, dict(metrics)))

    with _costs(send):
        return train(hyperparameters, epochs, finite(log))


@contextmanager
def _costs(send: Callback) -> Iterator[None]:
    """Send what the block has cost: seconds, and the most memory that this process had."""
    process, over, start = psutil.Process(), threading.Event(), time.perf_counter()
    peak = process.memory_info().rss

    def look() -> None:
        nonlocal peak
        while not over.wait(LOOK):
            peak = max(peak, process.memory_info().rss)

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        yield
    finally:
        over.set()
        looking.join()
        peak = max(peak, process.memory_info().rss)
        send(Costs(seconds=time.perf_counter() - start, memory_mb=peak / 2**20))
