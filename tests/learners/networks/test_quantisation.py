"""Convolutions compute in 8-bit integers, and answer nearly as before; what comes after the last one stays."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from conftest import WriteModel
from convolving import write_convolving
from onnx import numpy_helper

from igarape.chips.pictures import Pixels
from igarape.learners.networks.quantisation import quantise
from igarape.learners.predictor import Predictor

SIZE, LABELS = 16, 5


@pytest.fixture(scope="module")
def chips() -> Pixels:
    """Give pictures, not all of one brightness."""
    rng = np.random.default_rng(1)
    drawn: Pixels = (rng.integers(0, 256, (20, SIZE, SIZE, 3)) * rng.random((20, 1, 1, 1))).astype(np.uint8)
    return drawn


def constants(path: Path) -> list[npt.NDArray[np.generic]]:
    """Read what a network has learned."""
    return [numpy_helper.to_array(constant) for constant in onnx.load(path).graph.initializer]


def test_a_network_answers_nearly_as_before(tmp_path: Path, chips: Pixels) -> None:
    """Other pictures than those of the calibration too; its file is the same each time."""
    source = write_convolving(tmp_path / "source.onnx", SIZE, LABELS)
    assert quantise(source, tmp_path / "target.onnx", chips[:12])
    before, after = (Predictor([path], threads=1) for path in (source, tmp_path / "target.onnx"))
    gap = np.abs(before.predict(chips, tta=True, batch=8) - after.predict(chips, tta=True, batch=8))
    assert 0 < gap.max() < 0.05 * np.ptp(before.predict(chips, tta=False, batch=8))
    alone = np.concatenate([after.predict(chips[[row]], tta=False, batch=8) for row in range(len(chips))])
    np.testing.assert_array_equal(alone, after.predict(chips, tta=False, batch=8))
    quantise(source, tmp_path / "again.onnx", chips[:12])
    assert (tmp_path / "again.onnx").read_bytes() == (tmp_path / "target.onnx").read_bytes()


def test_weights_of_convolutions_have_seven_bits_and_the_last_layer_all(tmp_path: Path, chips: Pixels) -> None:
    """Two products of 7 and 8 bits fit into the 16 that some processors add them up in."""
    source = write_convolving(tmp_path / "source.onnx", SIZE, LABELS)
    quantise(source, tmp_path / "target.onnx", chips)
    found = constants(tmp_path / "target.onnx")
    (kernel,) = [one for one in found if one.shape == (8, 3, 3, 3)]
    assert kernel.dtype == np.int8 and np.abs(kernel.astype(int)).max() <= 64
    (layer,) = [one for one in found if one.shape in {(8, LABELS), (LABELS, 8)}]
    assert layer.dtype == np.float32


def test_what_does_not_convolve_in_sight_stays(tmp_path: Path, chips: Pixels, write_model: WriteModel) -> None:
    """A layer alone, and a convolution inside of a branch; no file is written."""
    write_model(tmp_path / "layer.onnx", SIZE, LABELS, 0)
    write_convolving(tmp_path / "inside.onnx", SIZE, LABELS, inside=True)
    for name in ("layer", "inside"):
        assert not quantise(tmp_path / f"{name}.onnx", tmp_path / "target.onnx", chips)
    assert not (tmp_path / "target.onnx").exists()
