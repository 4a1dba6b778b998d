"""Leaks: a learner that memorises its training chips scores at chance out of fold, and a planted leak shows.

The memoriser is a nearest neighbour that goes through the stream's own cross-fit. On noise with random labels nothing
can be learned, so whatever it scores above chance, it has seen before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import tiny

from igarape.chips.split import make_folds
from igarape.ensemble.boosting import Settings
from igarape.ensemble.stackers import fit_stackers
from igarape.errors import InputError
from igarape.labels import Booleans, Vocabulary
from igarape.learners import folds as fold_models
from igarape.learners.crossfit import cross_fit
from igarape.learners.examples import Images, Rows
from igarape.learners.folds import Recipe
from igarape.learners.learning import Training
from igarape.predictions import prediction_table, read_predictions
from igarape.scores.metrics import mean_average_precision
from igarape.tables import HOLDOUT, Probabilities, write_table

COUNT = 600
LABELS = ("one", "two", "three")
# Mean average precision of answers by chance is the labels' frequency; it varies by some 0.02 with the draw.
CHANCE, LUCK = 0.5, 0.08


class Memoriser:
    """One nearest neighbour: it answers the labels of the learned picture that looks most alike."""

    def __init__(self, paths: Sequence[Path], *, threads: int) -> None:
        """Open models that keep wrote."""
        self.memories = [np.load(path) for path in paths]

    def predict(self, images: Images, *, rows: Rows, tta: bool, batch: int) -> Probabilities:
        """Answer the mean over the models."""
        answers = [memory["y"][nearest(images[rows], memory["images"])] for memory in self.memories]
        p: Probabilities = np.mean(answers, axis=0).astype(np.float32)
        return p


def nearest(images: Images, learned: Images) -> npt.NDArray[np.intp]:
    """Return for each picture the row of the learned one at the least distance."""
    a, b = (some.reshape(len(some), -1).astype(np.float64) for some in (images, learned))
    return np.asarray(((b**2).sum(axis=1) - 2 * a @ b.T).argmin(axis=1))


@dataclass(frozen=True)
class Memory:
    """What was learned."""

    images: Images
    y: Booleans
    from_kept: bool = False

    def export(self, stem: Path) -> Path:
        """Write it."""
        path = stem.with_name(f"{stem.name}.onnx")
        with path.open("wb") as file:
            np.savez(file, images=self.images, y=self.y)
        return path


def memorise(training: Training, **_: Any) -> Memory:
    """Learn the training rows by heart."""
    return Memory(training.images[training.train], training.y[training.train])


def memorise_all(training: Training, **_: Any) -> Memory:
    """Learn every row by heart, the predicted fold's too: the planted leak."""
    return Memory(training.images, training.y)


def score(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    images: Images,
    y: Booleans,
    *,
    folds: Rows,
    groups: Sequence[str],
    learn: Any = memorise,
) -> Probabilities:
    """Cross-fit a memoriser and return its probabilities."""
    monkeypatch.setattr(fold_models, "fit", learn)
    monkeypatch.setattr(fold_models, "Predictor", Memoriser)
    folder.mkdir(exist_ok=True)
    recipe = Recipe(
        tiny.tiny(), tiny.values(), tiny.targets(3), epochs=1, validation=0.1, patience=1, seed=1, threads=1
    )
    return cross_fit(
        images,
        y,
        folds=folds,
        groups=groups,
        recipe=recipe,
        folder=folder,
        notes=folder / "notes",
        log_of=lambda _fold: lambda _epoch, _metrics: None,
        report=lambda *_words: None,
    )


@pytest.fixture(scope="module")
def noise() -> tuple[Images, Booleans, Rows, list[str]]:
    """Give pictures of noise, labels by chance, folds and groups."""
    rng = np.random.default_rng(2)
    images = rng.integers(0, 256, (COUNT, 4, 4, 3), dtype=np.uint8)
    y = rng.random((COUNT, len(LABELS))) < CHANCE
    groups = [f"chip-{row}" for row in range(COUNT)]
    return images, y, make_folds(y, groups, folds=5, holdout=0.2, seed=1), groups


def test_a_memoriser_scores_at_chance_out_of_fold_and_on_the_hold_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, noise: tuple[Images, Booleans, Rows, list[str]]
) -> None:
    """No model predicts a row that it learned from."""
    images, y, folds, groups = noise
    p = score(tmp_path, monkeypatch, images, y, folds=folds, groups=groups)
    for rows in (folds != HOLDOUT, folds == HOLDOUT):
        assert mean_average_precision(y[rows], p[rows]) == pytest.approx(CHANCE, abs=LUCK)


def test_a_fold_model_that_learned_its_own_fold_scores_far_above_chance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, noise: tuple[Images, Booleans, Rows, list[str]]
) -> None:
    """The memoriser would notice the leak: it knows every answer."""
    images, y, folds, groups = noise
    p = score(tmp_path, monkeypatch, images, y, folds=folds, groups=groups, learn=memorise_all)
    assert mean_average_precision(y, p) == 1.0


def test_neighbours_leak_unless_their_scene_stays_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chips of one scene look alike and have its labels: split by chip they are known, split by scene they are new."""
    rng = np.random.default_rng(3)
    scenes = np.arange(COUNT) // 4
    images = rng.integers(20, 230, (COUNT // 4, 4, 4, 3))[scenes] + rng.integers(-9, 9, (COUNT, 4, 4, 3))
    y = (rng.random((COUNT // 4, len(LABELS))) < CHANCE)[scenes]
    by = {"scene": [f"scene-{scene}" for scene in scenes], "chip": [f"chip-{row}" for row in range(COUNT)]}
    scores = {}
    for name, groups in by.items():
        folds = make_folds(y, groups, folds=5, holdout=0.2, seed=1)
        p = score(tmp_path / name, monkeypatch, images.astype(np.uint8), y, folds=folds, groups=groups)
        scores[name] = mean_average_precision(y[folds != HOLDOUT], p[folds != HOLDOUT])
    assert scores["scene"] == pytest.approx(CHANCE, abs=LUCK)
    assert scores["chip"] > 0.85


def test_a_stack_that_learns_by_heart_stays_at_chance(noise: tuple[Images, Booleans, Rows, list[str]]) -> None:
    """Its score is from rows it was not fitted on, whatever the method; such trees know those they were fitted on."""
    _, y, folds, _ = noise
    p = np.random.default_rng(4).random((COUNT, len(LABELS)), dtype=np.float32)
    image_ids = [f"chip-{row}" for row in range(COUNT)]
    fits = fit_stackers(
        {"noise": prediction_table(image_ids, folds, learner="noise", labels=LABELS, p=p)},
        y,
        folds=pd.DataFrame({"image_id": image_ids, "fold": folds}),
        groups=image_ids,
        vocabulary=Vocabulary(exclusive=(), alone=(), common=LABELS, rare=()),
        settings=Settings(rounds=30, depths=(8,), rate=0.5, child_weight=0.0, l2=0.0, seeds=1, seed=1),
        report=lambda *_words: None,
    )
    inside = folds != HOLDOUT
    for fit in fits.values():
        assert mean_average_precision(y[inside], fit.p[inside]) == pytest.approx(CHANCE, abs=LUCK)


def table(folder: Path, folds: Rows) -> tuple[Path, pd.DataFrame]:
    """Write predictions for the folds, and give the path and the folds table."""
    image_ids = [f"chip-{row}" for row in range(COUNT)]
    p = np.full((COUNT, len(LABELS)), 0.5, dtype=np.float32)
    path = folder / "predictions.parquet"
    write_table(prediction_table(image_ids, folds, learner="plain", labels=LABELS, p=p), path)
    return path, pd.DataFrame({"image_id": image_ids, "fold": folds})


def test_predictions_made_for_other_folds_are_caught_on_reading(
    tmp_path: Path, noise: tuple[Images, Booleans, Rows, list[str]]
) -> None:
    """One row in another fold is enough; so is a chip of the hold-out that has become a training chip."""
    folds = noise[2]
    path, frame = table(tmp_path, folds)
    assert len(read_predictions(path, frame)) == COUNT
    for row in (int(np.flatnonzero(folds == 2)[0]), int(np.flatnonzero(folds == HOLDOUT)[0])):
        changed = frame.copy()
        changed.loc[row, "fold"] = 4
        with pytest.raises(InputError, match=f"chip-{row}: predicted as fold {folds[row]}, but its fold is 4"):
            read_predictions(path, changed)
