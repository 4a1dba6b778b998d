"""A network that answers: each chip by itself, turned chips alike, and the same as ONNX."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tiny

from igarape.chips.pictures import symmetries
from igarape.learners.examples import Images
from igarape.learners.networks.backbones import build_network
from igarape.learners.networks.trained import Trained
from igarape.learners.predictor import Predictor

PICTURES: Images = np.random.default_rng(5).integers(0, 256, (30, 32, 32, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def trained() -> Trained:
    """Build a small network of three labels, with weights by chance."""

    def build() -> keras.Model:
        return build_network("plain", "none", targets=tiny.targets(3, exclusive=2), hyperparameters=tiny.values())

    keras.utils.set_random_seed(3)
    return Trained(build(), 32, 8, build)


def test_each_chip_is_answered_by_itself(trained: Trained) -> None:
    """Predictions are float32, one row a picture, whatever other rows are asked for."""
    p = trained.predict(PICTURES, np.arange(len(PICTURES)), tta=False)
    assert p.shape == (30, 3)
    assert p.dtype == np.float32
    rows = np.array([7, 3, 29])
    assert np.allclose(p[rows], trained.predict(PICTURES, rows, tta=False), atol=1e-6)


def test_tta_is_the_mean_over_the_eight_symmetries(trained: Trained) -> None:
    """So a turned chip has the same answer."""
    rows = np.arange(9)
    views = [trained.predict(view, rows, tta=False) for view in symmetries(PICTURES[:9])]
    p = trained.predict(PICTURES, rows, tta=True)
    np.testing.assert_allclose(p, np.mean(views, axis=0), atol=1e-6)
    turned = np.ascontiguousarray(np.rot90(PICTURES[:9], axes=(1, 2)))
    np.testing.assert_allclose(trained.predict(turned, rows, tta=True), p, atol=1e-6)


@pytest.mark.filterwarnings("ignore:In the future `np.object`")
def test_the_exported_model_answers_as_the_network(trained: Trained, tmp_path: Path) -> None:
    """ONNX Runtime and Keras agree within 1e-4, for one picture and for many; no unfinished file is left."""
    path = trained.export(tmp_path / "new" / "fold-0")
    assert path == tmp_path / "new" / "fold-0.onnx"
    assert [file.name for file in path.parent.iterdir()] == ["fold-0.onnx"]
    exported = Predictor([path], threads=1)
    assert (exported.size, exported.outputs) == (32, 3)
    expected = trained.predict(PICTURES, np.arange(len(PICTURES)), tta=False)
    assert np.abs(exported.predict(PICTURES, tta=False, batch=8) - expected).max() < 1e-4
    assert np.abs(exported.predict(PICTURES[:1], tta=False, batch=8) - expected[:1]).max() < 1e-4
