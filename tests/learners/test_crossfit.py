"""Cross-fitting: which rows each fold's model learns from, watches and predicts.

The networks are replaced by recorders; tests/stages trains real ones, and tests/contracts/test_leak.py memorisers.
"""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tiny

from igarape.errors import InputError
from igarape.executors import Executor, Here
from igarape.learners import folds as module
from igarape.learners.crossfit import cross_fit
from igarape.learners.folds import Recipe
from igarape.learners.learning import Training

HYPERPARAMETERS = tiny.values(tta=True)
RECIPE = Recipe(
    experiment=tiny.tiny(epochs=99),
    hyperparameters=HYPERPARAMETERS,
    targets=tiny.targets(2, exclusive=2),
    epochs=2,
    validation=0.25,
    patience=7,
    seed=40,
    threads=1,
)
COUNT = 60
FOLDS = np.random.default_rng(0).integers(-1, 3, COUNT)
GROUPS = [f"scene-{row // 3}" for row in range(COUNT)]
PICTURES = np.arange(COUNT, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), dtype=np.uint8)
TRUTH = np.zeros((COUNT, 2), dtype=np.bool_)


class Killed(BaseException):
    """Stands in for the end of the process: nobody catches it."""


@dataclass(frozen=True)
class Trained:
    """What a training leaves."""

    networks: "Networks"
    number: int
    from_kept: bool = False

    def export(self, stem: Path) -> Path:
        """Write the fold's number."""
        self.networks.happen(f"export {self.number}")
        path = stem.with_name(f"{stem.name}.onnx")
        path.write_text(str(self.number), encoding="utf-8")
        self.networks.happen(f"exported {self.number}")
        return path


class Networks:
    """Stands in for training and prediction: fold k's model answers (k + 1) / 10.

    end: where the process is killed.
    """

    def __init__(self, end: str = "") -> None:
        self.fitted: list[Training] = []
        self.hyperparameters: list[Any] = []
        self.predicted: list[tuple[list[str], list[int], bool, int]] = []
        self.end = end
        self.loss = 1.0
        self.answer = 0.0

    def happen(self, what: str) -> None:
        """Be killed at this moment, or go on."""
        if what == self.end:
            raise Killed

    def fit(self, asked: Training, *, hyperparameters: Any, **_: Any) -> Trained:
        """Keep what was asked, and log two epochs."""
        self.fitted.append(asked)
        self.hyperparameters.append(hyperparameters)
        number = asked.seed - RECIPE.seed
        for epoch in range(asked.epochs):
            asked.log(epoch, {"loss": self.loss + number + epoch / 2})
            self.happen(f"epoch {number} {epoch}")
        return Trained(self, number)

    def predictor(self, paths: Sequence[Path], *, threads: int) -> "Predictor":
        """Open models."""
        return Predictor(self, paths)


class Predictor:
    """The mean of such models."""

    def __init__(self, networks: Networks, paths: Sequence[Path]) -> None:
        self.networks, self.paths = networks, paths

    def predict(
        self, images: npt.NDArray[np.uint8], *, rows: npt.NDArray[np.int64], tta: bool, batch: int
    ) -> npt.NDArray[np.float32]:
        """Answer, and keep which models were asked for which rows: a picture's value is its row."""
        asked = images[rows, 0, 0, 0].tolist()
        self.networks.predicted.append(([path.name for path in self.paths], asked, tta, batch))
        self.networks.happen(f"predict {len(self.networks.predicted) - 1}")
        answers = [(int(path.read_text(encoding="utf-8")) + 1) / 10 + self.networks.answer for path in self.paths]
        return np.full((len(rows), 2), np.mean(answers), dtype=np.float32)


class Run:
    """A cross-fit, and all that was seen of it."""

    def __init__(
        self, folder: Path, networks: Networks, monkeypatch: pytest.MonkeyPatch, executor: Executor | None = None
    ) -> None:
        self.networks = networks
        self.logged: list[tuple[int, int, float]] = []
        self.heard: list[tuple[int, int, str]] = []
        monkeypatch.setattr(module, "fit", networks.fit)
        monkeypatch.setattr(module, "Predictor", networks.predictor)
        for name in ("models", "notes"):
            (folder / name).mkdir(exist_ok=True)
        self.p = cross_fit(
            PICTURES,
            TRUTH,
            folds=FOLDS,
            groups=GROUPS,
            recipe=RECIPE,
            folder=folder / "models",
            notes=folder / "notes",
            executor=executor,
            log_of=self.log_of,
            report=lambda *words: self.heard.append(words),
        )

    def log_of(self, fold: int) -> Any:
        """Keep (fold, epoch, loss)."""

        def log(epoch: int, metrics: Mapping[str, float]) -> None:
            self.logged.append((fold, epoch, metrics["loss"]))

        return log


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Cross-fit three folds and a hold-out."""
    return Run(tmp_path, Networks(), monkeypatch)


def test_a_folds_model_neither_learns_from_nor_watches_its_fold_or_the_hold_out(run: Run) -> None:
    """Early stopping never sees the fold that is predicted; all other rows are used, each once."""
    for fold, asked in enumerate(run.networks.fitted):
        train, validation = asked.train, asked.validation
        assert not np.isin(FOLDS[np.concatenate([train, validation])], [fold, -1]).any()
        assert sorted([*train, *validation]) == np.flatnonzero((fold != FOLDS) & (FOLDS != -1)).tolist()
        assert len(validation) > 0


def test_no_group_is_both_learned_from_and_watched(run: Run) -> None:
    """Neighbours of a watched chip would tell early stopping what it wants to hear."""
    for asked in run.networks.fitted:
        assert not {GROUPS[row] for row in asked.train} & {GROUPS[row] for row in asked.validation}


def test_each_row_is_predicted_once_by_the_model_of_its_fold_and_the_hold_out_by_all(run: Run) -> None:
    """Whoever predicts a row has not seen it."""
    names = [f"fold-{fold}.onnx" for fold in range(3)]
    expected = [([names[fold]], np.flatnonzero(fold == FOLDS).tolist()) for fold in range(3)]
    expected.append((names, np.flatnonzero(FOLDS == -1).tolist()))
    assert [(paths, rows) for paths, rows, _, _ in run.networks.predicted] == expected


def test_probabilities_stand_at_their_rows(run: Run) -> None:
    """The table has the order of the pictures, not that of the folds."""
    assert run.p.dtype == np.float32
    assert np.allclose(run.p, np.where(FOLDS == -1, 0.2, (FOLDS + 1) / 10)[:, None] * np.ones((1, 2)))


def test_every_fold_follows_the_recipe_with_a_seed_of_its_own(run: Run) -> None:
    """The epochs are the recipe's (the experiment's are of a full training), and so are the values and the views."""
    for asked in run.networks.fitted:
        assert (asked.epochs, asked.patience, asked.targets) == (2, 7, RECIPE.targets)
    assert run.networks.hyperparameters == [HYPERPARAMETERS] * 3
    assert len({asked.seed for asked in run.networks.fitted}) == 3
    assert all((tta, batch) == (True, 8) for _, _, tta, batch in run.networks.predicted)


def test_each_fold_has_its_own_log_and_progress_counts_all_epochs(run: Run) -> None:
    """Six epochs in three folds; the bar never goes back and ends full."""
    assert run.logged == [(fold, epoch, 1 + fold + epoch / 2) for fold in range(3) for epoch in range(2)]
    done = [done for done, _, _ in run.heard]
    assert done == sorted(done)
    assert {total for _, total, _ in run.heard} == {6}
    assert done[-1] == 6
    assert run.heard[0][2] == "fold 1/3, epoch 1/2"


def test_who_wants_probabilities_only_says_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    """Nobody hears of the epochs then, and what is kept for a killed process lies beside the models."""
    networks = Networks()
    monkeypatch.setattr(module, "fit", networks.fit)
    monkeypatch.setattr(module, "Predictor", networks.predictor)
    folder = tmp_path / "quiet"
    folder.mkdir()
    p = cross_fit(PICTURES, TRUTH, folds=FOLDS, groups=GROUPS, recipe=RECIPE, folder=folder)
    assert p.tolist() == run.p.tolist()
    assert sorted(path.name for path in folder.iterdir()) == [*(f"fold-{fold}.onnx" for fold in range(3)), "notes"]


MOMENTS = ["epoch 0 0", "epoch 1 1", "export 0", "exported 1", "predict 0", "predict 2", "export 2", "predict 3"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_cross_fit_goes_on_as_if_nothing_had_happened(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """A fold whose model is whole is not trained again, its epochs are logged as they were, and nothing is missing."""
    folder = tmp_path / "killed"
    folder.mkdir()
    first = Networks(moment)
    with pytest.raises(Killed):
        Run(folder, first, monkeypatch)
    finished = len(list((folder / "models").iterdir()))
    again = Run(folder, Networks(), monkeypatch)
    assert [asked.seed - RECIPE.seed for asked in again.networks.fitted] == list(range(finished, 3))
    predicted = len(first.predicted) - moment.startswith("predict")
    assert again.networks.predicted == run.networks.predicted[predicted:]
    assert again.p.tolist() == run.p.tolist()
    assert again.logged == run.logged


@pytest.mark.parametrize("what", ["y", "folds", "groups"])
def test_what_is_not_one_for_each_picture_is_refused(what: str, tmp_path: Path) -> None:
    """Before anything is trained; zeros would come out for the rest."""
    given: dict[str, Any] = {"y": TRUTH, "folds": FOLDS, "groups": GROUPS}
    given[what] = given[what][:-1]
    with pytest.raises(InputError, match=f"^cross_fit: {what}: expected one for each of the 60 pictures, found 59$"):
        cross_fit(PICTURES, **given, recipe=RECIPE, folder=str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_training_that_diverges_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the fold, and the hyperparameter to look at; no model of it is kept."""
    networks = Networks()
    networks.loss = float("nan")
    with pytest.raises(InputError, match=r"fold 0: loss is nan in epoch 1.*diverged.*hyperparameters\.learning_rate"):
        Run(tmp_path, networks, monkeypatch)
    assert list((tmp_path / "models").iterdir()) == []


def test_a_fold_that_ends_late_stands_at_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    """Other machines end folds in any order; what comes of them, and the bar, does not depend on it."""

    class Backwards(Here):
        """Does the last task first."""

        def wait(self, futures: Collection[Future[Any]]) -> set[Future[Any]]:
            """Turn the tasks round."""
            self._tasks = dict(reversed(self._tasks.items()))
            return super().wait(futures)

    (tmp_path / "backwards").mkdir()
    other = Run(tmp_path / "backwards", Networks(), monkeypatch, Backwards())
    assert [asked.seed - RECIPE.seed for asked in other.networks.fitted] == [2, 0, 1]
    assert other.p.tolist() == run.p.tolist()
    done = [done for done, _, _ in other.heard]
    assert done == sorted(done) and done[-1] == 6


def test_what_a_dead_attempt_sent_in_vain_is_sent_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    """A node that dies between a model and its answers takes with it what was on its way; each epoch is logged once."""

    class Retried(Here):
        """Does each task twice, as a cluster whose nodes die late: of the first attempt, one message arrives."""

        def submit(self, task: Any, *words: Any, name: str, on_message: Any = None) -> Future[Any]:
            """Hand on what has not come yet."""

            def twice(send: Any, *words: Any) -> Any:
                first, second = list[Any](), list[Any]()
                task(first.append, *words)
                task(second.append, *words)
                for message in [*first[:1], *second[1:]]:
                    send(message)

            return super().submit(twice, *words, name=name, on_message=on_message)

    (tmp_path / "retried").mkdir()
    other = Run(tmp_path / "retried", Networks(), monkeypatch, Retried())
    assert len(other.networks.fitted) == 3
    assert other.logged == run.logged
