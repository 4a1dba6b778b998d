"""A predictor is the mean of its fold models, seen from eight sides, and nothing else."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from igarape.errors import InputError
from igarape.learners.predictor import Predictor
from igarape.learners.trees.forest import Trees
from igarape.learners.trees.statistics import statistics
from igarape.tables import Probabilities

WriteModel = Callable[[Path, int, int, int], Probabilities]
WriteTrees = Callable[[Path, int, int, int], Path]
PICTURES = np.random.default_rng(3).integers(0, 256, (7, 8, 8, 3), dtype=np.uint8)
LARGER = np.random.default_rng(4).integers(0, 256, (7, 32, 32, 3), dtype=np.uint8)


def expected(images: np.ndarray, *weights: Probabilities) -> np.ndarray:
    """Compute the mean of the linear models by numpy alone."""
    flat = images.reshape(len(images), -1).astype(np.float64)
    return np.asarray(np.mean([1 / (1 + np.exp(-(flat @ w))) for w in weights], axis=0))


def test_it_averages_the_fold_models(tmp_path: Path, write_model: WriteModel) -> None:
    """Pictures go in as RGB 0..255, unscaled; probabilities come out as float32, a row for each picture."""
    paths = [tmp_path / "fold-0.onnx", tmp_path / "fold-1.onnx"]
    weights = [write_model(path, 8, 4, seed) for seed, path in enumerate(paths)]
    p = Predictor(paths).predict(PICTURES, tta=False, batch=64)
    assert p.dtype == np.float32
    np.testing.assert_allclose(p, expected(PICTURES, *weights), atol=1e-6)
    assert np.abs(p - expected(PICTURES, weights[0])).max() > 0.01


def test_tta_is_the_mean_over_the_eight_symmetries(tmp_path: Path, write_model: WriteModel) -> None:
    """The eight are the four turns, each also mirrored; so a turned picture gets the same answer."""
    weights = write_model(tmp_path / "fold-0.onnx", 8, 4, 0)
    predictor = Predictor([tmp_path / "fold-0.onnx"])
    p = predictor.predict(PICTURES, tta=True, batch=64)
    turns = [np.rot90(PICTURES, k, axes=(1, 2)) for k in range(4)]
    sides = turns + [turn.transpose(0, 2, 1, 3) for turn in turns]
    np.testing.assert_allclose(p, np.mean([expected(side, weights) for side in sides], axis=0), atol=1e-6)
    turned = np.ascontiguousarray(PICTURES[:, ::-1].transpose(0, 2, 1, 3))
    np.testing.assert_allclose(predictor.predict(turned, tta=True, batch=64), p, atol=1e-6)
    assert np.abs(predictor.predict(PICTURES, tta=False, batch=64) - p).max() > 0.01


@pytest.mark.parametrize("tta", [False, True])
@pytest.mark.parametrize("batch", [1, 3, 16])
def test_the_batch_changes_nothing(tmp_path: Path, write_model: WriteModel, tta: bool, batch: int) -> None:
    """Each picture's answer is its own."""
    write_model(tmp_path / "fold-0.onnx", 8, 4, 0)
    predictor = Predictor([tmp_path / "fold-0.onnx"], threads=1)
    p = predictor.predict(PICTURES, tta=tta, batch=batch)
    np.testing.assert_allclose(p, predictor.predict(PICTURES, tta=tta, batch=1000), atol=1e-6)


@pytest.mark.parametrize("tta", [False, True])
def test_rows_pick_pictures_without_a_copy_of_all(tmp_path: Path, write_model: WriteModel, tta: bool) -> None:
    """In their order; the pictures may lie on the disk, and a batch of them is read at a time."""
    write_model(tmp_path / "fold-0.onnx", 8, 4, 0)
    predictor = Predictor([tmp_path / "fold-0.onnx"])
    rows = np.array([5, 0, 3])
    p = predictor.predict(PICTURES, tta=tta, batch=16, rows=rows)
    np.testing.assert_allclose(p, predictor.predict(PICTURES[rows], tta=tta, batch=16), atol=1e-6)


def test_no_picture_gives_no_row(tmp_path: Path, write_model: WriteModel) -> None:
    """An empty fold is no error; the columns are still there."""
    write_model(tmp_path / "fold-0.onnx", 8, 4, 0)
    assert Predictor([tmp_path / "fold-0.onnx"]).predict(PICTURES[:0], tta=True, batch=8).shape == (0, 4)


def test_pictures_of_another_size_are_refused(tmp_path: Path, write_model: WriteModel) -> None:
    """The error says both sizes."""
    write_model(tmp_path / "fold-0.onnx", 16, 4, 0)
    with pytest.raises(InputError, match=r"expected pictures of \(16, 16, 3\), found \(8, 8, 3\)"):
        Predictor([tmp_path / "fold-0.onnx"]).predict(PICTURES, tta=False, batch=8)


def test_models_that_cannot_be_used_are_refused(tmp_path: Path, write_model: WriteModel) -> None:
    """None, a missing one, a damaged one, or ones that differ: each is one clear error that names the file."""
    good, bad, other = (tmp_path / f"fold-{fold}.onnx" for fold in range(3))
    write_model(good, 8, 4, 0)
    write_model(other, 8, 5, 0)
    with pytest.raises(InputError, match="expected at least one fold model"):
        Predictor([])
    with pytest.raises(InputError, match=r"fold-1\.onnx: not found.*dvc repro train"):
        Predictor([good, bad])
    bad.write_bytes(good.read_bytes()[:200])
    with pytest.raises(InputError, match=r"fold-1\.onnx: not a model that ONNX Runtime can open"):
        Predictor([good, bad])
    with pytest.raises(InputError, match=r"fold-2\.onnx: .*\(8, 5\), but \(8, 4\)"):
        Predictor([good, other])


@pytest.fixture
def forests(tmp_path: Path, write_trees: WriteTrees) -> list[Path]:
    """Write two fold models of trees, for 32 pixels and 4 labels."""
    return [write_trees(tmp_path / f"fold-{fold}", 32, 4, fold) for fold in range(2)]


@pytest.mark.parametrize("tta", [False, True])
@pytest.mark.parametrize("batch", [1, 3, 16])
def test_trees_are_averaged_like_networks(forests: list[Path], tta: bool, batch: int) -> None:
    """Whatever the batch, and from however many sides: a picture's statistics are always the same."""
    predictor = Predictor(forests, threads=1)
    assert (predictor.size, predictor.outputs) == (32, 4)
    p = predictor.predict(LARGER, tta=tta, batch=batch)
    assert p.dtype == np.float32
    each = [Trees.load(path, threads=1).answer(statistics(LARGER)) for path in forests]
    np.testing.assert_array_equal(p, np.mean(each, axis=0, dtype=np.float64).astype(np.float32))
    assert np.abs(p - each[0]).max() > 0.01
    assert predictor.predict(LARGER[:0], tta=tta, batch=batch).shape == (0, 4)


def test_fold_models_are_of_one_kind_that_is_known(
    tmp_path: Path, forests: list[Path], write_model: WriteModel, write_trees: WriteTrees
) -> None:
    """Trees beside a network, or a file of another kind, were not made by one training; nor were other shapes."""
    write_model(tmp_path / "fold-2.onnx", 8, 4, 0)
    with pytest.raises(
        InputError, match=r"of one kind, \.onnx or \.ubj or \.npz or \.fisher, found \.onnx, \.ubj.*dvc repro train"
    ):
        Predictor([*forests, tmp_path / "fold-2.onnx"])
    with pytest.raises(InputError, match=r"of one kind, \.onnx or \.ubj or \.npz or \.fisher, found \.h5"):
        Predictor([tmp_path / "fold-0.h5"])
    with pytest.raises(InputError, match=r"fold-3\.ubj: .*\(64, 4\), but \(32, 4\)"):
        Predictor([*forests, write_trees(tmp_path / "fold-3", 64, 4, 0)])
