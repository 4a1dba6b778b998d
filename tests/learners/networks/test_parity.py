"""Parity: a network and its ONNX file answer alike, and one that does not is told by how much."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tiny

from igarape.learners.networks.backbones import build_network
from igarape.learners.networks.parity import gap
from igarape.learners.networks.trained import Trained
from igarape.tables import Probabilities

WriteModel = Callable[[Path, int, int, int], Probabilities]


def build() -> keras.Model:
    """Build a small network of two labels."""
    return build_network("plain", "none", targets=tiny.targets(2), hyperparameters=tiny.values())


def test_the_gap_is_that_of_the_answers(tmp_path: Path, write_model: WriteModel) -> None:
    """Tiny for its own file, and known for another one: the largest difference of a probability."""
    images = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
    network = Trained(build(), 32, 8, build)
    assert gap(network, network.export(tmp_path / "own"), images) < 1e-5
    weights = write_model(tmp_path / "other.onnx", 32, 2, 5)
    other = 1 / (1 + np.exp(-(images.reshape(12, -1).astype(np.float64) @ weights)))
    expected = np.abs(other - network.predict(images, np.arange(12), tta=False)).max()
    assert gap(network, tmp_path / "other.onnx", images) == pytest.approx(expected, abs=1e-4)
