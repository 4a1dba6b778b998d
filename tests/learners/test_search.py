"""The search: keras-tuner proposes, each trial is recorded, the best knobs are named.

The trainings are replaced by a formula, so that the best knobs are known; tests/stages trains real networks.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from igarape.errors import InputError
from igarape.learners import search as module
from igarape.learners.experiment import Choice, Experiment, Knobs, Range
from igarape.learners.search import Budget, Found, search, space

CHOICE = Choice(choice=(0.0, 0.2, 0.4))
FIXED = {"learning_rate": 0.01, "width": 1.0, "smoothing": 0.0, "decay": 0.001, "jitter": 0.05}
PICTURES = np.zeros((6, 32, 32, 3), dtype=np.uint8)
TRUTH = np.eye(6, 3, dtype=np.bool_)
TRAIN, WATCH = np.arange(3, 6), np.arange(3)


def experiment(**knobs: Any) -> Experiment:
    """Make an experiment that varies the given knobs."""
    return Experiment(
        backbone="plain",
        weights="none",
        chips="ingest",
        labels="all",
        size=32,
        loss="bce",
        objective="f2",
        epochs=10,
        batch=8,
        knobs=Knobs(**({"dropout": CHOICE} | FIXED | knobs)),
    )


def formula(dropout: float) -> float:
    """Score a dropout: 0.2 is best."""
    return 1 - (dropout - 0.2) ** 2


class Trainings:
    """Stands in for training.fit: logs epochs whose score follows the formula, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.error: Exception | None = None

    def __call__(self, pictures: Any, y: Any, **asked: Any) -> None:
        """Log falling losses, and the score that the formula gives in the last epoch."""
        self.asked.append(asked)
        if self.error:
            raise self.error
        for epoch in range(asked["epochs"]):
            last = epoch + 1 == asked["epochs"]
            value = formula(asked["knobs"]["dropout"]) if last else 9.0
            asked["log"](epoch, {"loss": 1 / (epoch + 1), "val_f2": value, "val_map": 0.5})


class Records:
    """Keeps what was logged to each trial's run."""

    def __init__(self) -> None:
        self.trials: dict[str, dict[str, Any]] = {}

    @contextmanager
    def trial(self, name: str, knobs: Mapping[str, float]) -> Iterator[Any]:
        """Open a trial."""
        trial: dict[str, Any] = {"knobs": dict(knobs), "log": [], "status": "RUNNING"}
        assert name not in self.trials
        self.trials[name] = trial
        try:
            yield lambda epoch, metrics: trial["log"].append((epoch, dict(metrics)))
        except BaseException:
            trial["status"] = "FAILED"
            raise
        trial["status"] = "FINISHED"


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
    folder: Path, records: Records, wanted: Experiment, *, trials: int = 3, tuner: str = "random", **more: Any
) -> Found:
    """Search with three epochs a trial."""
    return search(
        PICTURES,
        more.pop("y", TRUTH),
        experiment=wanted,
        train=TRAIN,
        watch=WATCH,
        budget=Budget(tuner=tuner, trials=trials, epochs=3, seed=1),
        folder=folder,
        trial_run=records.trial,
        report=more.pop("report", lambda *_words: None),
    )


@pytest.mark.parametrize("tuner", ["random", "bayesian"])
def test_the_trial_with_the_best_score_is_named(
    tmp_path: Path, trainings: Trainings, records: Records, tuner: str
) -> None:
    """All three choices are tried, the best is returned with every knob, its score and its trial's name."""
    found = run(tmp_path, records, experiment(), tuner=tuner)
    assert sorted(trial["knobs"]["dropout"] for trial in records.trials.values()) == [0.0, 0.2, 0.4]
    assert found.knobs == FIXED | {"dropout": 0.2}
    assert found.score == 1.0
    assert records.trials[found.trial]["knobs"] == found.knobs


def test_a_score_is_that_of_the_last_epoch(tmp_path: Path, trainings: Trainings, records: Records) -> None:
    """The best of all epochs would be a score picked on the rows that it is told for."""
    assert run(tmp_path, records, experiment()).trials["score"].max() == 1.0


def test_every_trial_is_recorded_with_knobs_epochs_duration_and_status(
    tmp_path: Path, trainings: Trainings, records: Records
) -> None:
    """What the tracker gets to see of each trial."""
    found = run(tmp_path, records, experiment())
    for name, trial in records.trials.items():
        assert trial["status"] == "FINISHED"
        assert set(trial["knobs"]) == set(Knobs.model_fields)
        *epochs, (last, duration) = trial["log"]
        assert [epoch for epoch, _ in epochs] == [0, 1, 2]
        assert [metrics["loss"] for _, metrics in epochs] == [1, 1 / 2, 1 / 3]
        assert last == 3
        assert duration["duration_s"] > 0
        assert name in set(found.trials["trial"])


def test_the_table_has_a_row_for_each_trial(tmp_path: Path, trainings: Trainings, records: Records) -> None:
    """Knobs, score, seconds and the last epoch's metrics."""
    table = run(tmp_path, records, experiment()).trials
    assert {"trial", "score", "seconds", "loss", "val_f2", "val_map", *Knobs.model_fields} == set(table.columns)
    assert np.allclose(table["score"], [formula(dropout) for dropout in table["dropout"]])


def test_trials_train_on_their_rows_with_the_budgets_epochs(
    tmp_path: Path, trainings: Trainings, records: Records
) -> None:
    """The rows are handed on as they are, and no trial stops early: they are compared at equal length."""
    run(tmp_path, records, experiment())
    for asked in trainings.asked:
        assert asked["train"] is TRAIN
        assert asked["watch"] is WATCH
        assert asked["epochs"] == asked["patience"] == 3


def test_progress_counts_the_epochs_of_all_trials(tmp_path: Path, trainings: Trainings, records: Records) -> None:
    """Each epoch is a step of one bar, with words for people."""
    heard: list[tuple[int, int, str]] = []
    run(tmp_path, records, experiment(), report=lambda *words: heard.append(words))
    assert [(done, total) for done, total, _ in heard] == [(done, 9) for done in range(1, 10)]
    assert heard[3][2] == "trial 2/3, epoch 1/3"


def test_a_space_of_few_choices_ends_before_the_budget(tmp_path: Path, trainings: Trainings, records: Records) -> None:
    """Three choices are three trials, however many are allowed."""
    assert len(run(tmp_path, records, experiment(), trials=50).trials) == 3


def test_an_experiment_without_a_search_is_one_trial(tmp_path: Path, trainings: Trainings, records: Records) -> None:
    """Fixed knobs are tried once, so that every learner has a best.json."""
    found = run(tmp_path, records, experiment(dropout=0.1), trials=5)
    assert len(found.trials) == 1
    assert found.knobs == FIXED | {"dropout": 0.1}


def test_the_same_seed_proposes_the_same_knobs(tmp_path: Path, trainings: Trainings) -> None:
    """Nothing of an earlier search is left in the way, not even in the same folder."""
    wanted = experiment(learning_rate=Range(low=0.001, high=0.1, scale="log"))
    one, two = (run(tmp_path, Records(), wanted, trials=4).trials["learning_rate"].tolist() for _ in range(2))
    assert one == two
    assert len(set(one)) == 4


def test_the_space_holds_each_searched_knob_as_it_is_written() -> None:
    """A choice is a choice; a range is drawn between its ends, on its scale."""
    knobs = experiment(learning_rate=Range(low=0.001, high=0.1, scale="log")).knobs
    drawn = [space(knobs).space[0].random_sample(seed) for seed in range(200)]
    assert {hyper.name for hyper in space(knobs).space} == {"learning_rate", "dropout"}
    assert min(drawn) >= 0.001
    assert max(drawn) <= 0.1
    assert 0.3 < np.mean(np.array(drawn) < 0.01) < 0.7


@pytest.mark.parametrize("error", [InputError("weights: gone.h5: no such file"), MemoryError("too large")])
def test_what_goes_wrong_in_a_trial_ends_the_search_as_it_is(
    tmp_path: Path, trainings: Trainings, records: Records, error: Exception
) -> None:
    """Not tried again, not hidden behind keras-tuner's own words; the trial's record says FAILED."""
    trainings.error = error
    with pytest.raises(type(error)) as caught:
        run(tmp_path, records, experiment())
    assert caught.value is error
    assert [trial["status"] for trial in records.trials.values()] == ["FAILED"]


def test_a_search_needs_a_positive_among_its_validation_rows(
    tmp_path: Path, trainings: Trainings, records: Records
) -> None:
    """Without one no trial has a score; that is said before any training."""
    with pytest.raises(InputError, match="none of the 3 validation chips holds any of the experiment's labels"):
        run(tmp_path, records, experiment(), y=np.zeros((6, 3), dtype=np.bool_))
    assert trainings.asked == []
