"""A trial is trained once, recorded once, and kept as a file. tests/learners/test_search.py tests a search of them."""

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from mmap import mmap
from pathlib import Path
from typing import Any

import pytest

from igarape.config.hyperparameters import Value
from igarape.errors import InputError
from igarape.executors import ignore_message
from igarape.learners.learning import Log
from igarape.learners.trials import Planned, Row, Trials, failed, finished_trials


def no_report(done: int, total: int, text: str) -> None:
    """Report to nobody."""


HYPERPARAMETERS: dict[str, Value] = {"dropout": 0.1, "tta": True}


class Record:
    """The record of a trial."""

    key = "abc"

    def __init__(self) -> None:
        self.figures: dict[str, float] = {}

    def log(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Take an epoch."""

    def metrics(self, values: Mapping[str, float]) -> None:
        """Keep figures."""
        self.figures |= values


@contextmanager
def opened(name: str, params: Mapping[str, Value]) -> Iterator[Record]:
    """Open a record for nobody."""
    yield Record()


def train(hyperparameters: Mapping[str, Value], epochs: int, log: Log) -> float:
    """Train for no time."""
    log(0, {"loss": 0.5})
    return 0.75


def trials(folder: Path, training: Any = train, record: Any = opened) -> Trials:
    """Open the trials of a folder."""
    return Trials(training, record, folder, lambda *_words: None, planned=Planned(9, 27))


def do(
    them: Trials, number: int = 0, proposed: Mapping[str, Any] = HYPERPARAMETERS, values: Any = HYPERPARAMETERS
) -> Row:
    """Begin a trial of three epochs, and end it."""
    them.begin(number, proposed, values, 3)
    return them.end(number)


def test_a_trial_is_a_row_and_a_file(tmp_path: Path) -> None:
    """The file holds the row."""
    row = do(trials(tmp_path), 0, {"dropout": 0.1, "tuner/epochs": 3})
    expected = {
        "trial": "trial-0",
        "proposed": {"dropout": 0.1, "tuner/epochs": 3},
        "hyperparameters": HYPERPARAMETERS,
        "epochs": 3,
        "key": "abc",
        "metrics": {"loss": 0.5},
        "score": 0.75,
        "status": "FINISHED",
        "error": "",
    }
    assert row.items() >= expected.items()
    assert set(row) - set(expected) == {"seconds", "memory_mb"}
    assert json.loads((tmp_path / "trial-0.json").read_text(encoding="utf-8")) == row
    assert finished_trials(tmp_path) == [row]


def test_the_row_is_written_before_the_record_ends(tmp_path: Path) -> None:
    """Killed in between, the trial is finished and not trained again."""
    seen: list[int] = []

    @contextmanager
    def record(name: str, params: Mapping[str, Value]) -> Iterator[Record]:
        yield Record()
        seen.append(len(finished_trials(tmp_path)))

    do(trials(tmp_path, record=record))
    assert seen == [1]


def test_what_was_tried_is_not_tried_again(tmp_path: Path) -> None:
    """It is answered as it was, as long as the oracle proposes the same."""
    first = do(trials(tmp_path))

    def never(*_arguments: Any) -> float:
        raise AssertionError

    assert do(trials(tmp_path, never), values={"dropout": 0.9}) == first


def test_what_was_tried_with_other_values_is_tried_anew(tmp_path: Path) -> None:
    """An oracle that was told another score before proposes others: the old row is not theirs."""
    do(trials(tmp_path), proposed={"dropout": 0.1})
    row = do(trials(tmp_path), proposed={"dropout": 0.9})
    assert row["proposed"] == {"dropout": 0.9} and finished_trials(tmp_path) == [row]


def test_the_most_memory_and_the_duration_of_a_trial_are_measured(tmp_path: Path) -> None:
    """What was freed before the trial's end counts too; what was freed before its beginning does not."""
    records: list[Record] = []

    @contextmanager
    def record(name: str, params: Mapping[str, Value]) -> Iterator[Record]:
        records.append(Record())
        yield records[-1]

    def large(hyperparameters: Mapping[str, Value], epochs: int, log: Log) -> float:
        with mmap(-1, 200 << 20) as held:  # not from the heap, of which a process may have kept some
            held.write(bytes(200 << 20))
            time.sleep(0.3)
        return 1.0

    shared = trials(tmp_path, large, record)
    row = do(shared)
    assert records[0].figures == {
        "duration_s": row["seconds"],
        "peak_memory_mb": row["memory_mb"],
        "score": 1.0,
    }
    after = do(trials(tmp_path / "other", record=record))
    assert row["memory_mb"] - after["memory_mb"] == pytest.approx(200, abs=20)
    assert row["seconds"] > 0.3 > after["seconds"]


def test_a_row_that_was_half_written_is_none(tmp_path: Path) -> None:
    """A file has its name when it is whole."""
    (tmp_path / ".unfinished-1@here-trial-0.json").write_text('{"trial": ', encoding="utf-8")
    assert finished_trials(tmp_path) == []
    assert do(trials(tmp_path))["trial"] == "trial-0"


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        (["OSError: a", "OSError: a"], "trial-0, trial-1 failed, so it ends: OSError: a. Each"),
        (["OSError: a", "OSError: b"], "trial-0, trial-1 failed, so it ends: OSError: a; OSError: b. Each"),
    ],
)
def test_an_error_says_once_what_trials_have_in_common(errors: list[str], expected: str) -> None:
    """And all that they have not."""
    rows: list[Row] = [{"trial": f"trial-{number}", "error": error} for number, error in enumerate(errors)]
    error = failed(rows, "so it ends")
    assert isinstance(error, InputError)
    assert expected in str(error)


class Turns:
    """Does tasks in an order of its own: the latest first."""

    def __init__(self) -> None:
        self._tasks: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, task: Any, *words: Any, name: str, on_message: Any = ignore_message) -> Future[Any]:
        """Take a task."""
        self._tasks.append((Future(), lambda: task(on_message, *words)))
        return self._tasks[-1][0]

    def wait(self, futures: Collection[Future[Any]]) -> set[Future[Any]]:
        """Do the task that came last."""
        future, work = self._tasks.pop()
        future.set_result(work())
        return {future}


def test_trials_that_end_out_of_order_are_kept_by_their_numbers(tmp_path: Path) -> None:
    """Those that have ended before the one that is waited for are not lost to a kill; the rows have the asked order."""
    with Trials(train, opened, tmp_path, no_report, planned=Planned(9, 27), executor=Turns()) as them:
        for number in range(3):
            them.begin(number, {}, HYPERPARAMETERS, 3)
        them.end(1)
        assert [row["trial"] for row in finished_trials(tmp_path)] == ["trial-1", "trial-2"]
        them.end(0)
        assert [row["trial"] for row in them.rows] == ["trial-1", "trial-0"]
        assert [row["trial"] for row in finished_trials(tmp_path)] == ["trial-0", "trial-1", "trial-2"]


def ending() -> tuple[list[str], Any]:
    """Give what opens records, and how each is ended by an error."""
    ends: list[str] = []

    @contextmanager
    def record(name: str, params: Mapping[str, Value]) -> Iterator[Record]:
        try:
            yield Record()
        except BaseException as error:
            ends.append(f"{name}: {type(error).__name__}")
            raise

    return ends, record


def test_the_records_of_trials_that_are_at_work_are_ended_by_what_ends_the_search(tmp_path: Path) -> None:
    """No run stays open in MLflow."""
    ends, record = ending()

    def stop(hyperparameters: Mapping[str, Value], epochs: int, log: Log) -> float:
        raise KeyboardInterrupt

    def run() -> None:
        with Trials(stop, record, tmp_path, no_report, planned=Planned(9, 27)) as them:
            for number in range(2):
                them.begin(number, {}, HYPERPARAMETERS, 3)
            them.end(0)

    with pytest.raises(KeyboardInterrupt):
        run()
    assert sorted(ends) == ["trial-0: KeyboardInterrupt", "trial-1: KeyboardInterrupt"]


def test_the_record_of_a_trial_that_nobody_takes_is_ended(tmp_path: Path) -> None:
    """As where a task cannot be pickled: no run stays open in MLflow."""
    ends, record = ending()

    class Full(Turns):
        def submit(self, task: Any, *words: Any, name: str, on_message: Any = ignore_message) -> Future[Any]:
            raise OSError

    def run() -> None:
        with Trials(train, record, tmp_path, no_report, planned=Planned(9, 27), executor=Full()) as them:
            them.begin(0, {}, HYPERPARAMETERS, 3)

    with pytest.raises(OSError):  # noqa: PT011 - any
        run()
    assert ends == ["trial-0: OSError"]
