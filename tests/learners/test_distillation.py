"""Distillation: what a student learns from, what it must not see, and what is refused."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tiny
from keras import ops

from igarape.chips.pictures import Pixels, encode_jpeg, resize
from igarape.chips.shards import open_shard
from igarape.chips.store import Store
from igarape.errors import InputError
from igarape.learners import distillation, learning
from igarape.learners.distillation import (
    FILE,
    Task,
    TrainingSet,
    distil,
    soft_targets,
    student_code,
    student_key,
    with_unlabelled,
)
from igarape.learners.learning import Training
from igarape.learners.networks.losses import make_loss
from igarape.learners.predictor import Predictor

TASK = Task("pupil", tiny.tiny(), tiny.targets(2), epochs=6, truth=0.5, seed=1)


def colours(n: int = 24) -> Pixels:
    """Draw chips of noise that are bright or dark by turns."""
    low = np.where(np.arange(n) % 2, 150, 0)[:, None, None, None]
    return (low + np.random.default_rng(3).integers(0, 100, (n, 32, 32, 3))).astype(np.uint8)


def learn(folder: Path, material: TrainingSet, task: Task = TASK, **asked: Any) -> float:
    """Distil into a folder."""
    (folder / "notes").mkdir(exist_ok=True)
    logged: Mapping[str, Any] = {"log": lambda _epoch, _metrics: None, "report": lambda _done, _total: None} | asked
    return distil(material, task, folder=folder, notes=folder / "notes", **logged)


def test_targets_lie_between_the_truth_and_the_answers() -> None:
    """At 0 they are the answers, at 1 the truth; no row of the hold-out has a number."""
    y, p = np.array([[True, False], [False, True]]), np.array([[0.6, 0.2], [0.3, 0.7]], dtype=np.float32)
    inside = np.array([True, False])
    for truth, expected in ((0.0, [0.6, 0.2]), (0.25, [0.7, 0.15]), (1.0, [1.0, 0.0])):
        mixed = soft_targets(y, p, truth=truth, inside=inside)
        np.testing.assert_allclose(mixed[0], expected, rtol=1e-6)
        assert np.isnan(mixed[1]).all()


def test_a_student_learns_shares_that_are_no_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That bright chips have a label to 0.8 and dark ones to 0.3 is what its file answers.

    A run that was killed after its training goes on from there: it trains nothing.
    """
    images = colours()
    soft = np.where(np.arange(24)[:, None] % 2, [0.8, 0.5], [0.3, 0.5]).astype(np.float32)
    material = TrainingSet(images, soft, np.arange(24))
    task = Task("pupil", tiny.tiny({"learning_rate": 0.03}), tiny.targets(2), epochs=20, truth=0.0, seed=1)
    seen: list[tuple[int, int]] = []
    apart = learn(tmp_path, material, task, report=lambda *done: seen.append(done))
    p = Predictor([tmp_path / FILE]).predict(images, tta=False, batch=8)
    np.testing.assert_allclose(p, soft, atol=0.12)
    assert apart < 1e-4 and seen[-1] == (20, 20)
    monkeypatch.setattr(learning, "fit", None)
    assert learn(tmp_path, material, task) == apart


@pytest.mark.parametrize("loss", ["bce", "focal", "asl", "soft_f2", "softmax"])
def test_a_chip_of_the_hold_out_would_end_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loss: str
) -> None:
    """Its targets are no numbers, and so is each loss over it: nothing is written."""
    targets, soft = tiny.targets(3, exclusive=2), np.full((24, 3), 0.5, dtype=np.float32)
    soft[7] = np.nan

    def fit(training: Training, **_: Any) -> None:
        y = training.y
        of = make_loss(loss, smoothing=0.0, targets=targets, y=y)
        found = of(ops.convert_to_tensor(y), ops.full(y.shape, 0.4))
        training.log(0, {"loss": float(ops.mean(found))})

    monkeypatch.setattr(learning, "fit", fit)
    with pytest.raises(InputError, match=r"distill: loss is nan in epoch 1"):
        learn(tmp_path, TrainingSet(colours(), soft, np.arange(24)))
    assert not (tmp_path / FILE).exists()


def test_a_file_that_answers_otherwise_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not take its name."""

    def fit(*_: Any, **__: Any) -> Any:
        return SimpleNamespace(export=lambda stem: stem)

    def loaded(_: str) -> Any:
        return SimpleNamespace(gap=lambda *_: 0.01)

    monkeypatch.setattr(learning, "fit", fit)
    monkeypatch.setattr(distillation, "import_module", loaded)
    material = TrainingSet(colours(2), np.full((2, 2), 0.5).astype(np.float32), np.arange(2))
    with pytest.raises(InputError, match=r"answers differ by 0\.010000 from Keras's, expected at most 0\.0001"):
        learn(tmp_path, material)
    assert not (tmp_path / FILE).exists()


def test_chips_without_labels_stand_beside_those_of_the_folds(tmp_path: Path) -> None:
    """Each with its own targets: known ones without the hold-out's, then the others, at the student's size."""
    images = colours(6)
    others = np.random.default_rng(1).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    with open_shard(tmp_path / "shard-00000.tar") as shard:
        places = [(f"new-{row}", *shard.add(f"new-{row}", encode_jpeg(each, 95))) for row, each in enumerate(others)]
    store = Store(tmp_path, pd.DataFrame(places, columns=["image_id", "shard", "offset", "length"]))
    soft = (np.arange(12).reshape(6, 2) / 12).astype(np.float32)
    soft[2] = np.nan
    known = TrainingSet(images, soft, np.array([0, 1, 3, 4, 5]))
    p = np.array([[0.1, 0.2], [0.3, 0.4]], dtype=np.float32)
    for _ in range(2):  # the second time from the file
        found = with_unlabelled(known, ["new-1", "new-0"], p, store=store, path=tmp_path / "pictures.npy")
        np.testing.assert_array_equal(found.images[:5], images[known.rows])
        np.testing.assert_array_equal(found.images[5], resize(store.rgb("new-1"), 32))
        np.testing.assert_array_equal(found.targets, np.concatenate([soft[known.rows], p]))
        assert found.rows.tolist() == list(range(7))


def test_the_key_holds_all_that_a_student_depends_on() -> None:
    """The task, and what it learns from; and the code is that of a network's training."""
    keys = {
        student_key(TASK, ["a"]),
        student_key(TASK, ["b"]),
        student_key(Task("pupil", tiny.tiny(), TASK.targets, epochs=6, truth=0.25, seed=1), ["a"]),
        student_key(Task("pupil", tiny.tiny(batch=4), TASK.targets, epochs=6, truth=0.5, seed=1), ["a"]),
    }
    assert len(keys) == 4
    assert student_code(None) != student_code(tiny.tiny())  # networks have no say where there is none


def test_other_libraries_have_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one version of Keras has begun is not gone on with by another."""
    before, installed = student_key(TASK, ["a"]), version
    monkeypatch.setattr("igarape.code.version", lambda name: "0.1" if name == "keras" else installed(name))
    assert student_key(TASK, ["a"]) != before


def test_a_plug_counts_as_the_students_code(plugin_folder: Path) -> None:
    """A loss of one's own that changes makes the student anew."""
    codes = {student_code(None)}
    for place, what in enumerate(("(y - p)[:, 0]", "(p - y)[:, 0]")):
        (plugin_folder / f"losses_{place}.py").write_text(f"def even(y, p):\n    return {what}\n", encoding="utf-8")
        codes.add(student_code(tiny.tiny({"loss": f"losses_{place}:even"})))
    assert len(codes) == 3
