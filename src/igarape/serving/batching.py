"""Pictures of many requests, answered together: they wait a few milliseconds for one another in a bounded queue."""

import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field

import pandas as pd

from igarape.errors import InputError
from igarape.serving.bundle import BATCH, Bundle, DecodedChip

WAIT = 0.002  # seconds that a batch waits for requests which are on their way
WAITING = 2048  # pictures that may wait
PACE = 0.1  # seconds a picture, until some have been answered


class Full(Exception):  # noqa: N818 - as queue.Full
    """The queue takes no more for now. seconds: after which it may."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"{seconds} s")
        self.seconds = seconds


@dataclass(frozen=True)
class Served:
    """A model that answers: its bundle, name and version in the registry, and what that knows of it.

    figures: what it scored on the hold-out. lineage: the commit and the data that it came from.
    """

    bundle: Bundle
    name: str
    version: str
    figures: Mapping[str, float]
    lineage: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """A row for each picture, with the columns of the bundle that is served."""

    served: Served
    rows: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Job:
    """Pictures of one request, and the TIFs that go with them where there are any; first: the row of the first one."""

    images: Sequence[bytes]
    nir: Sequence[bytes] | None
    first: int = 0
    answer: "Future[Answer]" = field(default_factory=Future)
    came: float = field(default_factory=time.monotonic)


class Batcher:
    """Worker threads that answer what waits, some pictures at once, by the model that is served when they begin."""

    def __init__(
        self, served: Served, *, workers: int, most: int = BATCH, wait: float = WAIT, waiting: int = WAITING
    ) -> None:
        """Start the threads.

        Parameters
        ----------
        served
            What answers; another one may be put in its place at any time.
        workers
            How many batches are computed at a time.
        most
            Pictures in one batch.
        wait
            Seconds that a batch is held for requests that are on their way (see coming).
        waiting
            Pictures that may wait; a request that finds none waiting is always taken.
        """
        self.served = served
        self.most = most
        self._coming = 0
        self._wait, self._limit = wait, waiting
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()
        self._open = True
        self._pace = PACE
        self._threads = [threading.Thread(target=self._work, name=f"batch-{k}", daemon=True) for k in range(workers)]
        for thread in self._threads:
            thread.start()

    @property
    def workers(self) -> int:
        """Return how many batches are computed at a time."""
        return len(self._threads)

    @property
    def waiting(self) -> int:
        """Return how many pictures wait."""
        with self._changed:
            return self._waiting()

    def _waiting(self) -> int:
        return sum(len(job.images) for job in self._jobs)

    @contextmanager
    def coming(self) -> Iterator[None]:
        """Tell that a request is on its way, as long as the block takes: a batch may wait for it."""
        with self._changed:
            self._coming += 1
        try:
            yield
        finally:
            with self._changed:
                self._coming -= 1
                self._changed.notify_all()

    def submit(self, job: Job) -> "Future[Answer]":
        """Queue pictures, at most `most` of them; the future raises InputError where one is at fault.

        Cancelled before its turn, it leaves the queue at once. Raises Full when too many wait.
        """
        with self._changed:
            waiting = self._waiting()
            if waiting and waiting + len(job.images) > self._limit:
                raise Full(max(1, round(waiting * self._pace)))
            self._jobs.append(job)
            self._changed.notify_all()
        job.answer.add_done_callback(self._leave)  # a lambda with the job in it would be a circle of references
        return job.answer

    def _leave(self, answer: "Future[Answer]") -> None:
        """Take a cancelled job out of the queue: it would hold its pictures, and the place of others, for nobody."""
        if answer.cancelled():
            with self._changed:
                self._jobs = deque(job for job in self._jobs if job.answer is not answer)

    def close(self) -> None:
        """Answer what waits, and end the threads."""
        with self._changed:
            self._open = False
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        """Answer batches until there are no more and the batcher is closed."""
        while jobs := self._next():
            start = time.monotonic()
            _answer(self.served, jobs)
            seconds, pictures = time.monotonic() - start, sum(len(job.images) for job in jobs)
            self._pace += (seconds / pictures / len(self._threads) - self._pace) / 8
            del jobs  # else they, and the model that answered them, stay in memory until others come

    def _next(self) -> list[Job]:
        """Wait for jobs, and for those that are about to come; return as many as fit; none at the end."""
        with self._changed:
            while self._jobs or self._open:
                left = self._jobs[0].came + self._wait - time.monotonic() if self._jobs else None
                if left is not None and (left <= 0 or not self._coming or self._waiting() >= self.most):
                    return self._taken()
                self._changed.wait(left)
            return []

    def _taken(self) -> list[Job]:
        """Take the jobs that one batch holds, the first of them in any case.

        A thread takes its share of what waits, so that something is left when the next one is free: guided
        self-scheduling (Polychronopoulos and Kuck, IEEE Transactions on Computers 1987).
        """
        share = min(self.most, -(-self._waiting() // len(self._threads)))
        taken = [self._jobs.popleft()]
        pictures = len(taken[0].images)
        while self._jobs and pictures + len(self._jobs[0].images) <= share:
            taken.append(self._jobs.popleft())
            pictures += len(taken[-1].images)
        return taken


def _answer(served: Served, jobs: Sequence[Job]) -> None:
    """Answer jobs together; a picture that is at fault costs its own job only."""
    bundle, read = served.bundle, list[tuple[Job, list[DecodedChip]]]()
    for job in jobs:
        if not job.answer.set_running_or_notify_cancel():
            continue  # the one who asked has gone
        try:
            read.append((job, bundle.decode_all(job.images, job.nir, first=job.first)))
        except InputError as error:  # the frames of its traceback hold the job, which would hold it in turn
            job.answer.set_exception(error.with_traceback(None))
        except Exception as error:  # noqa: BLE001 - whatever it is, the one who waits for it has to know
            job.answer.set_exception(error)
    try:
        rows = bundle.tag_decoded([one for _, seen in read for one in seen])
    except Exception as error:  # noqa: BLE001 - the same
        for job, _ in read:
            job.answer.set_exception(error)
        return
    start = 0
    for job, seen in read:
        end = start + len(seen)
        job.answer.set_result(Answer(served, rows.iloc[start:end]))
        start = end
