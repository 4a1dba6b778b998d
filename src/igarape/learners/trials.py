"""The trials of a search: each is trained and recorded once, and kept as a file, so that a killed search loses none.

Several may be at work at once, here or elsewhere (igarape.executors); they are ended by their numbers.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from igarape.config.hyperparameters import Value
from igarape.errors import InputError, counted
from igarape.executors import Executor, Here
from igarape.files import read_json, write_json
from igarape.learners.attempts import Costs, Train, run_trial
from igarape.learners.learning import Epoch
from igarape.progress import DetailedReport

IN_A_ROW = 3  # trials that fail one after the other end the search

Row = dict[str, Any]


class Record(Protocol):
    """The record of one trial: its key, by which it is found again, and its metrics."""

    key: str

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


@dataclass(frozen=True)
class _Begun:
    """A trial that is at work: its row so far, its record, what closes that, and the future of its score."""

    row: Row
    record: Record
    open: ExitStack
    score: Future[float]


class Trials:
    """The trials of a search by their numbers, those of an earlier, interrupted one too; each is at most trained once.

    rows: those that have been ended, in that order. executor: what trains; None: this process.
    """

    def __init__(
        self,
        train: Train,
        trial_run: TrialRun,
        folder: Path,
        report: DetailedReport,
        *,
        planned: Planned,
        executor: Executor | None = None,
    ) -> None:
        self.rows: list[Row] = []
        self._kept = {_number(row): row for row in finished_trials(folder)}
        self._train, self._trial_run, self._folder = train, trial_run, folder
        self._report, self._planned, self._executor = report, planned, executor or Here()
        self._begun: dict[int, _Begun] = {}
        self._epochs = {number: row["epochs"] for number, row in self._kept.items()}

    @property
    def kept(self) -> Collection[int]:
        """Return the numbers of the trials that were tried."""
        return self._kept

    def begin(
        self, number: int, proposed: Mapping[str, Any], hyperparameters: Mapping[str, Value], epochs: int
    ) -> None:
        """Begin a trial, unless the same was tried before; a record that cannot be opened ends the search.

        Parameters
        ----------
        number
            Of the trial, from 0.
        proposed
            What the oracle has proposed, and notes of its own.
        hyperparameters, epochs
            What is trained, and how long.
        """
        if number in self._kept and self._kept[number]["proposed"] == dict(proposed):
            return
        # Where an earlier score was lost, other values may be proposed than those that were tried under this number.
        self._kept.pop(number, None)
        name = f"trial-{number}"
        with ExitStack() as closing:
            record = closing.enter_context(self._trial_run(name, {**hyperparameters, "epochs": epochs}))
            row: Row = {"trial": name, "proposed": dict(proposed), "hyperparameters": hyperparameters, "epochs": epochs}
            row |= {"key": record.key, "metrics": {}}
            on_message = partial(self._on_message, number, row, record)
            score = self._executor.submit(
                run_trial, self._train, hyperparameters, epochs, name=f"trial {number}", on_message=on_message
            )
            self._begun[number] = _Begun(row, record, closing.pop_all(), score)

    def end(self, number: int) -> Row:
        """Wait for a trial and return its row; raise InputError when it is one failed trial too many in a row."""
        while number not in self._kept:
            futures = {begun.score: each for each, begun in self._begun.items()}
            for future in self._executor.wait(futures):
                self._settle(futures[future])
        self.rows.append(self._kept[number])
        last = self.rows[-IN_A_ROW:]
        if len(last) == IN_A_ROW and all(one["status"] == "FAILED" for one in last):
            before = len(self.rows) - IN_A_ROW
            raise self._failed(
                last, f"the search has stopped; what was tried before ({counted(before, 'trial')}) is kept"
            )
        return self.rows[-1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the records of trials that are still at work: what ends the search has ended them."""
        while self._begun:
            self._begun.popitem()[1].open.__exit__(kind, error, trace)

    def best(self) -> Row:
        """Return the row with the highest score; raise InputError when none has one."""
        finished = [row for row in self.rows if row["status"] == "FINISHED"]
        if not finished:
            raise self._failed(self.rows, "so no trial has a score")
        return max(finished, key=lambda row: row["score"])

    def _failed(self, rows: Sequence[Row], outcome: str) -> InputError:
        """Say why trials failed; they, and those after them, will be tried again, when the cause is removed."""
        for number in sorted(self._kept, reverse=True):  # so that at any moment those before the last one are there
            if number >= _number(rows[0]):
                _file(self._folder, number).unlink(missing_ok=True)
        return failed(rows, outcome)

    def _settle(self, number: int) -> None:
        """Keep what came of a trial. What all trials share, an InputError, ends the search at once."""
        begun = self._begun.pop(number)
        row, record = begun.row, begun.record
        try:
            with begun.open:
                row["score"] = begun.score.result()
                record.metrics({"score": row["score"]})
                # Before the record ends: a search that is killed in between has finished this trial all the same.
                self._keep(number, row | {"status": "FINISHED", "error": ""})
        except InputError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it stands in the trial's row
            self._keep(number, row | {"status": "FAILED", "score": None, "error": _in_a_line(error)})

    def _keep(self, number: int, row: Row) -> None:
        """Write a row."""
        write_json(row, _file(self._folder, number))
        self._kept[number] = row

    def _on_message(self, number: int, row: Row, record: Record, message: Epoch | Costs) -> None:
        """Take what a training sends: the metrics of an epoch, or what it all cost."""
        if isinstance(message, Costs):
            row |= {"seconds": message.seconds, "memory_mb": message.memory_mb}
            record.metrics({"duration_s": message.seconds, "peak_memory_mb": message.memory_mb})
            return
        row["metrics"] = dict(message.metrics)
        record.log(message.epoch, message.metrics)
        self._epochs[number] = message.epoch + 1
        told = f"trial {number + 1}/{self._planned.trials}, epoch {message.epoch + 1}/{row['epochs']}"
        self._report(sum(self._epochs.values()), self._planned.epochs, told)


def finished_trials(folder: Path) -> list[Row]:
    """Return the rows of the trials that a search has finished in a folder, by their numbers, which may have gaps."""
    return sorted((read_json(path) for path in folder.glob("trial-*.json")), key=_number)


def _file(folder: Path, number: int) -> Path:
    return folder / f"trial-{number}.json"


def _number(row: Row) -> int:
    return int(row["trial"].removeprefix("trial-"))


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
