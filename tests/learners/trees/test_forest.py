"""Trees in a file: self-contained, the same answers, and refused where they would be asked with other statistics."""

from pathlib import Path

import numpy as np
import pytest
import xgboost

from igarape.errors import InputError
from igarape.learners.trees.forest import Trees
from igarape.learners.trees.statistics import names, statistics

PICTURES = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
TRUTH = np.random.default_rng(1).random((12, 3)) < 0.5


def grown(labels: int = 3, known: tuple[str, ...] | None = None) -> Trees:
    """Boost three rounds on noise; known: the names of the statistics, others than ours."""
    table, columns = statistics(PICTURES), known or names()
    matrix = xgboost.DMatrix(table[:, : len(columns)], TRUTH[:, :labels], feature_names=columns)
    settings = {"objective": "binary:logistic", "min_child_weight": 0.1}
    return Trees.of(xgboost.train(settings, matrix, num_boost_round=3), size=32, labels=labels)


def test_what_is_opened_answers_as_what_was_written(tmp_path: Path) -> None:
    """To the last bit; size and labels stand in the file, and no unfinished file is left beside it."""
    trees = grown()
    path = trees.export(tmp_path / "new" / "fold-0")
    assert path == tmp_path / "new" / "fold-0.ubj"
    assert [file.name for file in path.parent.iterdir()] == ["fold-0.ubj"]
    opened = Trees.load(path, threads=1)
    assert (opened.size, opened.outputs) == (32, 3)
    rows = np.array([7, 3, 11])
    p = opened.predict(PICTURES, rows, tta=False)
    assert p.dtype == np.float32
    assert (p == trees.answer(statistics(PICTURES))[rows]).all()
    assert np.ptp(p[:, 0]) > 0.01


def test_the_same_trees_are_the_same_bytes(tmp_path: Path) -> None:
    """DVC sees no change where there is none."""
    one, two = (grown().export(tmp_path / name) for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("labels", [1, 3])
def test_there_is_a_column_for_each_label(labels: int) -> None:
    """For one label too, and for no row."""
    trees = grown(labels)
    assert trees.predict(PICTURES, np.arange(5), tta=False).shape == (5, labels)
    assert trees.predict(PICTURES, np.arange(0), tta=False).shape == (0, labels)


def test_a_missing_or_damaged_file_is_one_clear_error(tmp_path: Path) -> None:
    """It names the file and what to run."""
    with pytest.raises(InputError, match=r"fold-0\.ubj: not found.*dvc repro train"):
        Trees.load(tmp_path / "fold-0.ubj", threads=1)
    whole = grown().export(tmp_path / "fold-0").read_bytes()
    for name, data in (("cut", whole[: len(whole) // 2]), ("empty", b""), ("text", b"hello")):
        (tmp_path / f"{name}.ubj").write_bytes(data)
        with pytest.raises(InputError, match=rf"{name}\.ubj: not a model that XGBoost can open.*dvc repro train"):
            Trees.load(tmp_path / f"{name}.ubj", threads=1)


def test_trees_on_other_statistics_are_refused(tmp_path: Path) -> None:
    """One less, another name, another order, or a booster of something else: it would answer nonsense."""
    ours = names()
    cases = {
        "one-less": (ours[:-1], ours[-1]),
        "renamed": (("hotness", *ours[1:]), "hotness"),
        "reordered": (ours[::-1], "their order"),
    }
    for name, (known, word) in cases.items():
        path = grown(known=known).export(tmp_path / name)
        with pytest.raises(InputError, match=rf"{name}\.ubj: expected trees on the {len(ours)} statistics.*{word}"):
            Trees.load(path, threads=1)
    xgboost.train({}, xgboost.DMatrix(np.eye(3), np.arange(3)), 1).save_model(tmp_path / "other.ubj")
    with pytest.raises(InputError, match=r"other\.ubj: expected trees on the .* found 0"):
        Trees.load(tmp_path / "other.ubj", threads=1)
