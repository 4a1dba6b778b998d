"""Networks as ONNX answer as they did."""

from pathlib import Path

import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf
import tiny

from igarape.learners.networks.backbones import build_network
from igarape.learners.networks.export import _of_known_operations, write_onnx
from igarape.learners.networks.sessions import open_models


@pytest.mark.parametrize("approximate", [False, True])
def test_gelu_is_that_of_tensorflow(approximate: bool) -> None:
    """Only while a network is written."""
    x = np.linspace(-6, 6, 101).astype(np.float32)
    theirs, kept = tf.nn.gelu(x, approximate=approximate), tf.nn.gelu
    with _of_known_operations():
        np.testing.assert_allclose(tf.nn.gelu(x, approximate=approximate), theirs, atol=1e-6)
        assert tf.nn.gelu is not kept
    assert tf.nn.gelu is kept


def test_a_network_with_gelu_is_written(tmp_path: Path) -> None:
    """ConvNeXt and transformers are made of it; tf2onnx does not know how TensorFlow computes it."""
    images = keras.Input((None, None, 3))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3, activation="gelu")(images / 255.0))
    network = keras.Model(images, keras.layers.Dense(2, activation="sigmoid")(x))
    write_onnx(network, tmp_path / "gelu.onnx", size=32)
    chips = np.random.default_rng(1).integers(0, 256, (3, 32, 32, 3)).astype(np.uint8)
    answers = open_models([tmp_path / "gelu.onnx"], threads=1).mean(chips, tta=False)
    np.testing.assert_allclose(answers, network(chips.astype(np.float32)), atol=1e-5)


@pytest.mark.parametrize("backbone", ["plain", "mobilenet"])
def test_equal_networks_are_equal_files(tmp_path: Path, backbone: str) -> None:
    """However many the process has made before; the batch is of any size."""
    for name in ("first", "second"):
        keras.utils.set_random_seed(3)
        values = tiny.values(dropout=0.1, width=0.25, frozen=0.0, loss="bce")
        network = build_network(backbone, "none", targets=tiny.targets(5, 0), hyperparameters=values)
        write_onnx(network, tmp_path / name, size=32)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
    onnx.checker.check_model(onnx.load(tmp_path / "first"), full_check=True)


def test_a_loop_sees_what_stands_around_it(tmp_path: Path) -> None:
    """A graph inside the graph: layers that go on until something holds are written as one."""

    def doubled(x: tf.Tensor) -> tf.Tensor:
        limit = tf.reduce_max(x) * 4
        return tf.while_loop(lambda y: tf.reduce_max(y) < limit, lambda y: [y * 2 + x * 0], [x])[0]

    images = keras.Input((None, None, 3))
    network = keras.Model(images, keras.layers.Lambda(doubled)(keras.layers.GlobalAveragePooling2D()(images)))
    write_onnx(network, tmp_path / "loop.onnx", size=32)
    assert "Loop" in {node.op_type for node in onnx.load(tmp_path / "loop.onnx").graph.node}
    chips = np.random.default_rng(1).integers(1, 256, (3, 32, 32, 3)).astype(np.uint8)
    answers = open_models([tmp_path / "loop.onnx"], threads=1).mean(chips, tta=False)
    np.testing.assert_allclose(answers, network(chips.astype(np.float32)), rtol=1e-5)
