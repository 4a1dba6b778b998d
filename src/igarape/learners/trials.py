"""The trials of a search: each is trained and recorded once, and kept as a file, so that a killed search loses none."""

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psutil

from igarape.config.hyperparameters import Value
from igarape.errors import InputError
from igarape.files import read_json, write_json
from igarape.learners.learning import Log

IN_A_ROW = 3  # trials that fail one after the other end the search
LOOK = 0.1  # seconds between two looks at the memory

Row = dict[str, Any]
Train = Callable[[Mapping[str, Value], int, Log], float]
Report = Callable[[int, int, str], None]


class Record(Protocol):
    """The record of one trial: its key, by which it is found again, and its metrics."""

    @property
    def key(self) -> str:
        """Return what no other record has."""

    def log(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Take the metrics of an epoch."""

    def metrics(self, values: Mapping[str, float]) -> None:
        """Take the final figures."""


@dataclass(frozen=True)
class Planned:
    """How many trials, and epochs of all of them, a search will take at most."""

    trials: int
    epochs: int


TrialRun = Callable[[str, Mapping[str, Value]], AbstractContextManager[Record]]


class Trials:
    """The trials of a search, those of an earlier, interrupted one first; each is at most trained once."""

    def __init__(self, train: Train, trial_run: TrialRun, folder: Path, report: Report, *, planned: Planned) -> None:
        self.rows: list[Row] = []
        self._kept = tried(folder)
        self._train, self._trial_run, self._folder = train, trial_run, folder
        self._report, self._planned = report, planned

    def next(self, proposed: Mapping[str, Any], hyperparameters: Mapping[str, Value], epochs: int) -> Row:
        """Return the row of the next trial; raise InputError when it is one failed trial too many in a row."""
        number = len(self.rows)
        if number < len(self._kept):
            row = self._kept[number]
        else:
            row = self._try(
                {
                    "trial": f"trial-{number}",
                    "proposed": dict(proposed),
                    "hyperparameters": hyperparameters,
                    "epochs": epochs,
                }
            )
        self.rows.append(row)
        last = self.rows[-IN_A_ROW:]
        if len(last) == IN_A_ROW and all(one["status"] == "FAILED" for one in last):
            first = number + 1 - IN_A_ROW
            raise self._failed(first, f"the search has stopped; what was tried before ({first} trials) is kept")
        return row

    def best(self) -> Row:
        """Return the row with the highest score; raise InputError when none has one."""
        finished = [row for row in self.rows if row["status"] == "FINISHED"]
        if not finished:
            raise self._failed(0, "so no trial has a score")
        return max(finished, key=lambda row: row["score"])

    def _failed(self, first: int, outcome: str) -> InputError:
        """Say why the trials from a number on failed; they will be tried again, when the cause is removed."""
        for number in range(first, len(self.rows)):
            _file(self._folder, number).unlink(missing_ok=True)
        return failed(self.rows[first:], outcome)

    def _try(self, row: Row) -> Row:
        """Train for a row, and keep it. What all trials share ends the search at once: an InputError, or no record."""
        try:
            with self._trial_run(row["trial"], row["hyperparameters"] | {"epochs": row["epochs"]}) as record:
                row |= {"key": record.key, "metrics": {}}
                with _costs(row, record):
                    row["score"] = self._train(row["hyperparameters"], row["epochs"], self._log(row, record))
                record.metrics({"score": row["score"]})
                # Before the record ends: a search that is killed in between has finished this trial all the same.
                return self._keep(row | {"status": "FINISHED", "error": ""})
        except Exception as error:
            if isinstance(error, InputError) or "key" not in row:
                raise
            return self._keep(row | {"status": "FAILED", "score": None, "error": _in_a_line(error)})

    def _keep(self, row: Row) -> Row:
        """Write a row."""
        write_json(row, _file(self._folder, len(self.rows)))
        return row

    def _log(self, row: Row, record: Record) -> Log:
        """Return the log of a trial's epochs, which ends the trial when it has diverged."""
        before = sum(one["epochs"] for one in self.rows)
        name = f"trial {len(self.rows) + 1}/{self._planned.trials}"

        def log(epoch: int, metrics: Mapping[str, float]) -> None:
            for metric, value in metrics.items():
                if not math.isfinite(value):
                    raise FloatingPointError(f"{metric} is {value} in epoch {epoch + 1}: the training has diverged")
            row["metrics"] = dict(metrics)
            record.log(epoch, metrics)
            self._report(before + epoch + 1, self._planned.epochs, f"{name}, epoch {epoch + 1}/{row['epochs']}")

        return log


def tried(folder: Path) -> list[Row]:
    """Return the rows of the trials that a search has finished in a folder, in their order."""
    rows: list[Row] = []
    while (path := _file(folder, len(rows))).exists():
        rows.append(read_json(path))
    return rows


def _file(folder: Path, number: int) -> Path:
    return folder / f"trial-{number}.json"


def failed(rows: Sequence[Row], outcome: str) -> InputError:
    """Say why trials failed, and where to read more about it."""
    names = ", ".join(row["trial"] for row in rows)
    errors = "; ".join(dict.fromkeys(row["error"] for row in rows))
    return InputError(
        f"search: {names} failed, {outcome}: {errors}. Each one's run, in MLflow's experiment igarape/search, has its "
        "traceback (traceback.txt). Mend the cause, or take what these trials have in common out of the experiment's "
        "hyperparameters; then run the step again"
    )


def _in_a_line(error: Exception) -> str:
    """Write an error as one line that is not too long."""
    first = next(iter(str(error).strip().splitlines()), "")
    return f"{type(error).__name__}: {first[:200]}"


@contextmanager
def _costs(row: Row, record: Record) -> Iterator[None]:
    """Measure what the block costs, for the row and the record: seconds, and the most memory this process had in MB."""
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
        row |= {"seconds": time.perf_counter() - start, "memory_mb": max(peak, process.memory_info().rss) / 2**20}
        record.metrics({"duration_s": row["seconds"], "peak_memory_mb": row["memory_mb"]})
