"""The search: keras-tuner proposes, each trial is recorded, the best values are named, and a kill loses no trial.

The trainings are replaced by a formula, so that the best hyperparameters are known; tests/stages trains real networks.
"""

import json
import os
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tiny

from igarape.config.network_kinds import Network
from igarape.config.spaces import Choice, Range
from igarape.errors import InputError
from igarape.executors import Here
from igarape.learners import search as module
from igarape.learners.learning import Training
from igarape.learners.oracles import Budget
from igarape.learners.search import Found, search
from igarape.learners.trials import finished_trials

CHOICE = Choice(choice=(0.0, 0.2, 0.4))
RANGE = Range(low=0.001, high=0.1, scale="log")
COUNT = 60
PICTURES = np.zeros((COUNT, 1, 1, 3), dtype=np.uint8)
TRUTH = np.random.default_rng(1).random((COUNT, 3)) < 0.4
NOISE = np.random.default_rng(2).random((COUNT, 3))
TRAIN, WATCH = np.arange(40, COUNT), np.arange(40)
TARGETS = tiny.targets(3, exclusive=2)


class Killed(BaseException):
    """Stands in for the end of the process: nobody catches it."""


def experiment(**hyperparameters: Any) -> Network:
    """Make an experiment that varies the given hyperparameters, and dropout."""
    return tiny.tiny({"dropout": CHOICE} | hyperparameters, epochs=10, objective="map")


def answers(dropout: float, *, tta: bool) -> npt.NDArray[np.float32]:
    """Answer right at a dropout of 0.2, the more at random the farther from it; test-time augmentation helps a bit."""
    knowledge = 0.6 - 2 * abs(dropout - 0.2) + 0.1 * tta
    return (knowledge * TRUTH + (1 - knowledge) * NOISE).astype(np.float32)


@dataclass(frozen=True)
class Trained:
    """What a training leaves."""

    dropout: float

    def predict(self, images: Any, rows: Any, *, tta: bool) -> npt.NDArray[np.float32]:
        """Answer for rows."""
        assert images is PICTURES
        seen: npt.NDArray[np.float32] = answers(self.dropout, tta=tta)[rows]
        return seen


class Trainings:
    """Stands in for learning.fit: logs epochs, and keeps what it was asked.

    errors: by the number of the training, what goes wrong in its second epoch.
    """

    def __init__(self) -> None:
        self.asked: list[Training] = []
        self.errors: dict[int, BaseException] = {}
        self.losses: dict[int, float] = {}

    def __call__(self, asked: Training, *, hyperparameters: Any, **_: Any) -> Trained:
        """Log falling losses, and a score that only the last epoch's weights do not have."""
        number = len(self.asked)
        self.asked.append(asked)
        for epoch in range(asked.epochs):
            if number in self.errors and epoch == min(1, asked.epochs - 1):
                raise self.errors[number]
            asked.log(epoch, {"loss": self.losses.get(number, 1 / (epoch + 1)), "val_map": 9.0})
        return Trained(hyperparameters.dropout)


class Record:
    """Keeps what was logged to a trial's run."""

    def __init__(self, key: str, params: Mapping[str, Any]) -> None:
        self.key, self.params = key, dict(params)
        self.epochs: list[tuple[int, dict[str, float]]] = []
        self.figures: dict[str, float] = {}
        self.status = "RUNNING"

    def log(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Keep an epoch."""
        self.epochs.append((epoch, dict(metrics)))

    def metrics(self, values: Mapping[str, float]) -> None:
        """Keep figures."""
        self.figures |= values


class Records:
    """Keeps the records of all trials, by their names."""

    def __init__(self) -> None:
        self.trials: dict[str, Record] = {}

    @contextmanager
    def trial(self, name: str, params: Mapping[str, Any]) -> Iterator[Record]:
        """Open a record."""
        assert name not in self.trials
        record = self.trials[name] = Record(f"key of {name}", params)
        try:
            yield record
        except Exception:
            record.status = "FAILED"
            raise
        record.status = "FINISHED"

    def statuses(self) -> list[str]:
        """Return how the trials ended, in their order."""
        return [record.status for record in self.trials.values()]


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> Trainings:
    """Replace the trainings."""
    trainings = Trainings()
    monkeypatch.setattr(module, "fit", trainings)
    return trainings


@pytest.fixture
def records() -> Records:
    """Keep records."""
    return Records()


def run(
    folder: Path, records: Records, wanted: Network, *, trials: int = 3, tuner: str = "random", **more: Any
) -> Found:
    """Search with three epochs a trial."""
    return search(
        PICTURES,
        more.pop("y", TRUTH),
        experiment=wanted,
        targets=TARGETS,
        train=TRAIN,
        validation=WATCH,
        budget=Budget(
            tuner=tuner,
            trials=trials,
            epochs=more.pop("epochs", 3),
            seed=more.pop("seed", 1),
            parallel=more.pop("parallel", 1),
        ),
        executor=more.pop("executor", None),
        folder=folder,
        trial_run=records.trial,
        report=more.pop("report", lambda *_words: None),
    )


@pytest.mark.parametrize("tuner", ["random", "bayesian", "hyperband"])
def test_the_trial_with_the_best_score_is_named(
    tmp_path: Path, trainings: Trainings, records: Records, tuner: str
) -> None:
    """All three choices are tried, the best is returned with every hyperparameter, its score and its trial's name."""
    found = run(tmp_path, records, experiment(), tuner=tuner)
    assert sorted(record.params["dropout"] for record in records.trials.values()) == [0.0, 0.2, 0.4]
    assert found.hyperparameters == tiny.values(dropout=0.2)
    assert found.score == found.trials["score"].max() == 1.0
    assert records.trials[found.trial].params == {**dict(found.hyperparameters), "epochs": 3}


def test_a_score_is_that_of_the_last_epochs_weights(tmp_path: Path, trainings: Trainings, records: Records) -> None:
    """The best of all epochs would be a score picked on the rows that it is told for; so no trial stops early."""
    assert run(tmp_path, records, experiment()).trials["score"].max() == 1.0
    assert [asked.patience for asked in trainings.asked] == [None] * 3


def test_a_score_is_by_test_time_augmentation_where_the_knob_says_so(
    tmp_path: Path, trainings: Trainings, records: Records
) -> None:
    """The served answer will be so too."""
    wanted = tiny.tiny({"dropout": 0.34, "tta": Choice(choice=(False, True))}, objective="map")
    table = run(tmp_path, records, wanted).trials
    without, by = (table.loc[table["tta"] == tta, "score"].item() for tta in (False, True))
    assert without < by


def test_every_trial_is_recorded_with_knobs_epochs_duration_memory_and_status(
    tmp_path: Path, trainings: Trainings, records: Records
) -> None:
    """What the tracker gets to see of each trial."""
    found = run(tmp_path, records, experiment())
    assert list(found.trials["trial"]) == list(records.trials)
    for record in records.trials.values():
        assert record.status == "FINISHED"
        assert set(record.params) == {*tiny.HYPERPARAMETERS, "epochs"}
        assert [(epoch, metrics["loss"]) for epoch, metrics in record.epochs] == [(0, 1), (1, 1 / 2), (2, 1 / 3)]
        assert record.figures["duration_s"] > 0
        assert 50 < record.figures["peak_memory_mb"] < 50_000
        assert record.figures["score"] <= 1.0


def test_the_table_has_a_row_for_each_trial(tmp_path: Path, trainings: Trainings, records: Records) -> None:
    """What became of it, what it cost, its hyperparameters, and the last epoch's metrics."""
    table = run(tmp_path, records, experiment()).trials
    told = {"trial", "status", "score", "seconds", "memory_mb", "epochs", "error", "last_loss", "last_val_map"}
    assert told | set(tiny.HYPERPARAMETERS) == set(table.columns)
    assert set(table["loss"]) == {"bce"}  # the hyperparameter
    assert table.loc[table["dropout"] == 0.2, "score"].item() > table.loc[table["dropout"] == 0.0, "score"].item()


def test_trials_train_on_their_rows_with_the_budgets_epochs(
    tmp_path: Path, trainings: Trainings, records: Records
) -> None:
    """The rows, the seed and the labels are handed on as they are."""
    run(tmp_path, records, experiment())
    for asked in trainings.asked:
        assert asked.train is TRAIN
        assert asked.validation is WATCH
        assert (asked.epochs, asked.seed, asked.targets) == (3, 1, TARGETS)


def test_progress_counts_the_epochs_of_all_trials(tmp_path: Path, trainings: Trainings, records: Records) -> None:
    """Each epoch is a step of one bar, with words for people."""
    heard: list[tuple[int, int, str]] = []
    run(tmp_path, records, experiment(), report=lambda *words: heard.append(words))
    assert [(done, total) for done, total, _ in heard] == [(done, 9) for done in range(1, 10)]
    assert heard[3][2] == "trial 2/3, epoch 1/3"


@pytest.mark.parametrize("tuner", ["random", "bayesian"])
def test_a_space_of_few_choices_ends_before_the_budget(
    tmp_path: Path, trainings: Trainings, records: Records, tuner: str
) -> None:
    """Three choices are three trials, however many are allowed."""
    assert len(run(tmp_path, records, experiment(), trials=50, tuner=tuner).trials) == 3


@pytest.mark.parametrize("budget", [{"tuner": "random", "epochs": 1}, {"tuner": "hyperband", "epochs": 27}])
@pytest.mark.parametrize("seed", range(3))
def test_every_combination_is_found(
    tmp_path: Path, trainings: Trainings, records: Records, budget: dict[str, Any], seed: int
) -> None:
    """Thirty are thirty trials, though the last ones are drawn seldom; Hyperband would draw 49 of 27 epochs at most."""
    wanted = experiment(width=Choice(choice=tuple(1.0 + step / 10 for step in range(10))))
    table = run(tmp_path, records, wanted, trials=30, seed=seed, **budget).trials
    assert len(table[["dropout", "width"]].drop_duplicates()) == len(table) == 30


@pytest.mark.parametrize("tuner", ["random", "bayesian", "hyperband"])
def test_an_experiment_without_a_search_is_one_trial(
    tmp_path: Path, trainings: Trainings, records: Records, tuner: str
) -> None:
    """Fixed hyperparameters are tried once, so that every learner has a best.json."""
    found = run(tmp_path, records, experiment(dropout=0.1), trials=5, tuner=tuner)
    assert len(found.trials) == 1
    assert found.hyperparameters == tiny.values(dropout=0.1)


@pytest.mark.parametrize("seed", [0, 7])
def test_the_same_seed_proposes_the_same_hyperparameters(
    tmp_path: Path, trainings: Trainings, seed: int, records: Records
) -> None:
    """Seed 0 too, which keras-tuner takes for none."""
    wanted = experiment(learning_rate=RANGE)
    one, two = (
        run(tmp_path / name, Records(), wanted, trials=4, seed=seed).trials["learning_rate"].tolist() for name in "ab"
    )
    assert one == two
    assert len(set(one)) == 4


@pytest.mark.parametrize("epochs", [1, 4, 9])
def test_hyperband_takes_as_many_trials_and_epochs_as_its_rule_gives(
    tmp_path: Path, trainings: Trainings, records: Records, epochs: int
) -> None:
    """Known for max_epochs of 1, 4 and 9. The bar knew it before, and those that go on are trained from their start."""
    heard: list[tuple[int, int, str]] = []
    wanted = experiment(learning_rate=RANGE)
    found = run(tmp_path, records, wanted, tuner="hyperband", epochs=epochs, report=lambda *words: heard.append(words))
    lengths = {1: [1], 4: [2] * 5 + [4] * 2 + [4] * 3, 9: [1] * 9 + [3] * 3 + [9] + [3] * 5 + [9] * 2 + [9] * 3}[epochs]
    assert found.trials["epochs"].tolist() == lengths
    assert [asked.epochs for asked in trainings.asked] == lengths
    assert heard[-1][:2] == (sum(lengths), sum(lengths))


def test_hyperband_lets_the_best_of_a_round_go_on(tmp_path: Path, trainings: Trainings, records: Records) -> None:
    """The second round of the first bracket, of four epochs, has the values that scored best in the first, of two."""
    wanted = experiment(dropout=Range(low=0.0, high=0.4, scale="linear"))
    table = run(tmp_path, records, wanted, tuner="hyperband", epochs=4).trials
    first, second = table[:5].sort_values("score", ascending=False), table[5:7]
    assert second["dropout"].tolist() == first["dropout"].tolist()[:2]


def test_a_trial_that_fails_is_marked_and_the_search_goes_on(
    tmp_path: Path, trainings: Trainings, records: Records
) -> None:
    """It has its row, with what it cost and the error in a line, and no score."""
    trainings.errors = {1: MemoryError("too large\nby far")}
    found = run(tmp_path, records, experiment())
    assert records.statuses() == ["FINISHED", "FAILED", "FINISHED"]
    row = found.trials.iloc[1]
    assert (row["status"], row["error"], np.isnan(row["score"])) == ("FAILED", "MemoryError: too large", True)
    assert row["seconds"] > 0
    assert len(records.trials["trial-1"].epochs) == 1
    assert found.trials["error"].tolist()[::2] == ["", ""]


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_trial_that_diverges_has_failed(tmp_path: Path, trainings: Trainings, records: Records, loss: float) -> None:
    """At its first epoch that is no number, which is not waited out."""
    trainings.losses = {0: loss}
    found = run(tmp_path, records, experiment())
    assert records.statuses() == ["FAILED", "FINISHED", "FINISHED"]
    assert found.trials["error"][0] == f"FloatingPointError: loss is {loss} in epoch 1: the training has diverged"
    assert found.trial != "trial-0"


def test_three_failures_in_a_row_end_the_search_with_one_clear_error(
    tmp_path: Path, trainings: Trainings, records: Records
) -> None:
    """What they have in common, where more is told; the same cause again is said once."""
    trainings.errors = {number: OSError("no space") for number in (0, 2, 3, 4)}
    with pytest.raises(InputError) as caught:
        run(tmp_path, records, experiment(learning_rate=RANGE), trials=9)
    assert len(trainings.asked) == 5
    text = str(caught.value)
    assert "trial-2, trial-3, trial-4 failed" in text
    assert text.count("OSError: no space") == 1
    assert "igarape/search" in text
    assert "traceback.txt" in text


def test_what_made_the_search_stop_is_tried_again_when_it_goes_on(
    tmp_path: Path, trainings: Trainings, records: Records
) -> None:
    """By then it may be mended; what had finished before, and a failure in between, stand."""
    trainings.errors = {number: OSError("no space") for number in (0, 2, 3, 4)}
    wanted = experiment(learning_rate=RANGE)
    with pytest.raises(InputError):
        run(tmp_path, records, wanted, trials=6)
    assert [row["status"] for row in finished_trials(tmp_path)] == ["FAILED", "FINISHED"]
    trainings.errors = {}
    found = run(tmp_path, Records(), wanted, trials=6)
    assert found.trials["status"].tolist() == ["FAILED", *["FINISHED"] * 5]
    assert len(trainings.asked) == 5 + 4


def test_a_search_of_failures_only_says_so(tmp_path: Path, trainings: Trainings, records: Records) -> None:
    """Two trials are too few for three in a row; they are tried again, as the cause may be mended."""
    trainings.errors = dict.fromkeys(range(2), OSError("no space"))
    with pytest.raises(InputError, match=r"trial-0, trial-1 failed, so no trial has a score: OSError: no space\."):
        run(tmp_path, records, experiment(), trials=2)
    assert finished_trials(tmp_path) == []
    assert run(tmp_path, Records(), experiment(), trials=2).trials["status"].tolist() == ["FINISHED"] * 2


def test_an_input_error_ends_the_search_at_once(tmp_path: Path, trainings: Trainings, records: Records) -> None:
    """Missing weights, or a batch that does not fit the memory, would be missing or too large for all trials."""
    trainings.errors = {1: InputError("weights: gone.h5: no such file")}
    with pytest.raises(InputError) as caught:
        run(tmp_path, records, experiment())
    assert caught.value is trainings.errors[1]
    assert records.statuses() == ["FINISHED", "FAILED"]
    assert len(finished_trials(tmp_path)) == 1


def test_a_record_that_cannot_be_opened_ends_the_search(tmp_path: Path, trainings: Trainings) -> None:
    """That is no trial's fault."""

    def trial(name: str, params: Any) -> Any:
        raise ConnectionError("no MLflow")

    records = Records()
    records.trial = trial  # type: ignore[method-assign]
    with pytest.raises(ConnectionError, match="no MLflow"):
        run(tmp_path, records, experiment())
    assert trainings.asked == []


def test_a_search_needs_a_positive_among_its_validation_rows(
    tmp_path: Path, trainings: Trainings, records: Records
) -> None:
    """Without one no trial has a score; that is said before any training."""
    with pytest.raises(InputError, match="none of the 40 validation chips holds any of the experiment's labels"):
        run(tmp_path, records, experiment(), y=np.zeros_like(TRUTH))
    assert trainings.asked == []


KILLS = [("random", 0), ("random", 3), ("bayesian", 4), ("hyperband", 6), ("hyperband", 8)]


@pytest.mark.parametrize(("tuner", "killed"), KILLS)
def test_a_killed_search_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, trainings: Trainings, tuner: str, killed: int
) -> None:
    """No finished trial is trained again, none is missing, and the same hyperparameters are proposed and found."""
    wanted = experiment(dropout=Range(low=0.0, high=0.4, scale="linear"))
    options: dict[str, Any] = {"trials": 5, "tuner": tuner, "epochs": 4}
    trainings.errors = {0: OSError("this fails")}
    whole = run(tmp_path / "a", Records(), wanted, **options).trials
    trainings.asked.clear()
    trainings.errors[killed] = Killed()
    with pytest.raises(Killed):
        run(tmp_path / "b", Records(), wanted, **options)
    assert [row["key"] for row in finished_trials(tmp_path / "b")] == [
        f"key of trial-{number}" for number in range(killed)
    ]
    trainings.asked.clear()
    trainings.errors = {} if killed else {0: OSError("this fails")}
    again = Records()
    resumed = run(tmp_path / "b", again, wanted, **options).trials
    assert list(again.trials) == [f"trial-{number}" for number in range(killed, len(whole))]
    told = ["trial", "status", "score", "epochs", "error", "dropout"]
    assert resumed[told].equals(whole[told])


TUNERS = ["random", "bayesian", "hyperband"]
MANY: dict[str, Any] = {"trials": 6, "epochs": 9, "parallel": 3}  # three of a Bayesian search are drawn at random


class Sooner(Here):
    """Does tasks in an order of its own: of those that wait, one drawn at random."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._random = np.random.default_rng(seed)

    def wait(self, futures: Collection[Future[Any]]) -> set[Future[Any]]:
        """Put another task first."""
        tasks = list(self._tasks.items())
        self._tasks = dict(tasks[number] for number in self._random.permutation(len(tasks)))
        return super().wait(futures)


@pytest.mark.parametrize("tuner", TUNERS)
def test_who_trains_and_how_fast_changes_nothing_that_is_found(
    tmp_path: Path, trainings: Trainings, tuner: str
) -> None:
    """With three trials open: whichever of them ends first, the oracle proposes the same, and is told the same."""
    wanted = experiment(dropout=Range(low=0.0, high=0.4, scale="linear"))
    tables = [
        run(tmp_path / str(seed), Records(), wanted, tuner=tuner, executor=Sooner(seed), **MANY).trials
        for seed in range(2)
    ]
    logs = {(tmp_path / str(seed) / "events.jsonl").read_text(encoding="utf-8") for seed in range(2)}
    assert len(logs) == 1
    told = ["trial", "status", "score", "epochs", "dropout"]
    assert all(table[told].equals(tables[0][told]) for table in tables)


@pytest.mark.parametrize(("tuner", "killed"), [("random", 4), ("bayesian", 5), ("hyperband", 13)])
def test_a_search_that_is_killed_with_trials_open_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, trainings: Trainings, tuner: str, killed: int
) -> None:
    """Three are open at once, two of them at the kill; those that had ended out of turn are not trained again."""
    wanted = experiment(dropout=Range(low=0.0, high=0.4, scale="linear"))
    whole = run(tmp_path / "a", Records(), wanted, tuner=tuner, **MANY).trials
    trainings.asked.clear()
    trainings.errors[killed] = Killed()
    with pytest.raises(Killed):
        run(tmp_path / "b", Records(), wanted, tuner=tuner, executor=Sooner(killed), **MANY)
    finished = {row["trial"] for row in finished_trials(tmp_path / "b")}
    assert len(finished) == killed
    trainings.errors.clear()
    again = Records()
    resumed = run(tmp_path / "b", again, wanted, tuner=tuner, **MANY).trials
    assert set(again.trials) == set(whole["trial"]) - finished
    told = ["trial", "status", "score", "epochs", "error", "dropout"]
    assert resumed[told].equals(whole[told])
    logs = [(tmp_path / name / "events.jsonl").read_text(encoding="utf-8") for name in "ab"]
    assert logs[0] == logs[1]


def test_failures_in_a_row_are_those_of_trials_that_were_asked_for_in_a_row(
    tmp_path: Path, trainings: Trainings
) -> None:
    """By their numbers, in whatever order they ended; they and what was asked for after them is tried again."""
    trainings.errors = {number: OSError("no space") for number in (1, 2, 3)}
    wanted = experiment(learning_rate=RANGE)
    with pytest.raises(InputError, match="trial-1, trial-2, trial-3 failed"):
        run(tmp_path, Records(), wanted, trials=6, parallel=3)
    assert [row["trial"] for row in finished_trials(tmp_path)] == ["trial-0"]
    trainings.errors = {}
    found = run(tmp_path, Records(), wanted, trials=6, parallel=3)
    assert found.trials["trial"].tolist() == [f"trial-{number}" for number in range(6)]
    assert set(found.trials["status"]) == {"FINISHED"}


def test_the_number_of_open_trials_is_what_results_depend_on(tmp_path: Path, trainings: Trainings) -> None:
    """An oracle that learns from scores knows fewer of them the more trials are open; random draws the same."""
    wanted = experiment(dropout=Range(low=0.0, high=0.4, scale="linear"))
    drawn = {
        (tuner, parallel): run(
            tmp_path / f"{tuner}{parallel}", Records(), wanted, tuner=tuner, trials=4, parallel=parallel
        )
        .trials["dropout"]
        .tolist()
        for tuner in ("random", "bayesian")
        for parallel in (1, 3)
    }
    assert drawn["random", 1] == drawn["random", 3]
    assert drawn["bayesian", 1] != drawn["bayesian", 3]


def test_the_bar_of_a_search_that_goes_on_ends_full(tmp_path: Path, trainings: Trainings, records: Records) -> None:
    """It begins behind what was done."""
    trainings.errors = {1: Killed()}
    with pytest.raises(Killed):
        run(tmp_path, records, experiment())
    heard: list[tuple[int, int, str]] = []
    run(tmp_path, Records(), experiment(), report=lambda *words: heard.append(words))
    assert [done for done, _, _ in heard] == [4, 5, 6, 7, 8, 9]


def test_the_oracle_learns_what_was_tried_should_it_propose_something_else(
    tmp_path: Path, trainings: Trainings, records: Records
) -> None:
    """A processor with another last digit, say: the finished trial stands as it was."""
    wanted = experiment(learning_rate=RANGE)
    trainings.errors = {2: Killed()}
    with pytest.raises(Killed):
        run(tmp_path, records, wanted)
    path, events = tmp_path / "trial-0.json", tmp_path / "events.jsonl"
    row = json.loads(path.read_text(encoding="utf-8"))
    (drawn,) = row["proposed"].keys() & {"learning_rate"}
    text = events.read_text(encoding="utf-8")
    assert str(row["proposed"][drawn]) in text
    events.write_text(text.replace(str(row["proposed"][drawn]), "0.0123"), encoding="utf-8")
    row["proposed"][drawn] = row["hyperparameters"][drawn] = 0.0123
    path.write_text(json.dumps(row), encoding="utf-8")
    assert run(tmp_path, Records(), wanted).trials["learning_rate"][0] == 0.0123
    (oracle,) = tmp_path.glob("oracle/trial_0/trial.json")
    assert json.loads(oracle.read_text(encoding="utf-8"))["hyperparameters"]["values"]["learning_rate"] == 0.0123


def test_no_model_is_kept(tmp_path: Path, trainings: Trainings, records: Records) -> None:
    """Of keras-tuner there is JSON only, in the folder that ends with the search."""
    run(tmp_path, records, experiment(), tuner="hyperband", epochs=9)
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} == {".json", ".jsonl"}


MEMORY = """
import gc, sys
from contextlib import contextmanager
from pathlib import Path
import numpy as np, psutil, tiny
from igarape.config.spaces import Range
from igarape.learners.oracles import Budget
from igarape.learners.search import search

class Record:
    key = "key"
    def log(self, epoch, metrics): pass
    def metrics(self, values): pass

@contextmanager
def trial(name, params):
    yield Record()
    print(psutil.Process().memory_info().rss, flush=True)

rng = np.random.default_rng(0)
search(
    rng.integers(0, 256, (200, 64, 64, 3), dtype=np.uint8), rng.random((200, 5)) < 0.4,
    experiment=tiny.tiny(
        {"dropout": Range(low=0.0, high=0.5, scale="linear"), "width": 0.5, "tta": True, "ema": 0.9}, size=64
    ),
    targets=tiny.targets(5), train=np.arange(150), validation=np.arange(150, 200), budget=Budget("random", 20, 1, 1),
    folder=Path(sys.argv[1]), trial_run=trial, report=lambda *words: None,
)
"""


@pytest.mark.thorough
@pytest.mark.timeout(600)
def test_memory_does_not_grow_over_trials(tmp_path: Path) -> None:
    """After twenty small trials the process holds at most 1.2 times what it held after three."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, tmp_path],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    held = [int(line) for line in done.stdout.split()]
    assert len(held) == 20
    assert held[-1] <= 1.2 * held[2], held
