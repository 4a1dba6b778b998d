"""Networks as ONNX answer as they did."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

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
