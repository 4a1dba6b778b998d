"""The networks of keras.applications: as their weights want them, and the same for pictures of any side."""

import inspect
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from igarape.config.networks import NETWORKS
from igarape.learners.networks.backbones import _published
from igarape.learners.networks.export import write_onnx
from igarape.learners.networks.published import APPLICATIONS
from igarape.learners.networks.sessions import open_models


def preprocess(name: str) -> Any:
    """Return the function that Keras publishes beside a network."""
    module = inspect.getmodule(inspect.unwrap(getattr(keras.applications, NETWORKS[name].maker)))
    return module.preprocess_input  # type: ignore[union-attr]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_gets_the_values_that_its_weights_were_made_with(name: str) -> None:
    """As Keras's function prepares a pixel R, G, B = 255, 127.5, 0."""
    pixel = np.array([[[[255.0, 127.5, 0.0]]]], dtype=np.float32)
    prepared: Any = np.asarray(APPLICATIONS[name].prepare(keras.ops.convert_to_tensor(pixel)))
    np.testing.assert_allclose(prepared, preprocess(name)(pixel.copy()), atol=2e-2)


@pytest.mark.thorough
@pytest.mark.parametrize("side", [32, 96])
def test_nasnet_is_that_of_keras_at_each_side(side: int) -> None:
    """Keras decides by the side how it pads; built for any side, it would lack layers."""
    images = np.random.default_rng(1).uniform(-1, 1, (2, side, side, 3)).astype(np.float32)
    ours = _published(APPLICATIONS["nasnet_mobile"], 1.0)
    theirs = keras.applications.NASNetMobile((side, side, 3), include_top=False, weights=None, pooling="avg")
    theirs.set_weights(ours.get_weights())
    np.testing.assert_allclose(ours(images, training=False), theirs(images, training=False), atol=1e-5)


@pytest.mark.thorough
def test_convnext_is_that_of_keras_and_can_be_written(tmp_path: Path) -> None:
    """Keras's grouped convolutions, and its exact GELU, are operations that ONNX does not have."""
    theirs = keras.applications.ConvNeXtTiny(input_shape=(64, 64, 3), include_top=False, weights=None, pooling="avg")
    theirs.save_weights(tmp_path / "drawn.weights.h5")
    ours = _published(APPLICATIONS["convnext_tiny"], 1.0)
    ours.load_weights(tmp_path / "drawn.weights.h5")
    images = np.random.default_rng(1).integers(0, 256, (2, 64, 64, 3)).astype(np.uint8)
    expected = theirs(images.astype(np.float32), training=False)
    np.testing.assert_allclose(ours(images.astype(np.float32), training=False), expected, atol=1e-4)
    write_onnx(ours, tmp_path / "convnext.onnx", size=64)
    answers = open_models([tmp_path / "convnext.onnx"], threads=1).mean(images, tta=False)
    np.testing.assert_allclose(answers, expected, atol=1e-4)


@pytest.mark.thorough
def test_efficientnet_is_that_of_keras_with_its_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras adds a layer where it loads ImageNet's weights; ours has it always."""
    options = {"include_top": False, "pooling": "avg", "input_shape": (64, 64, 3)}
    drawn = keras.applications.EfficientNetB0(weights=None, **options)
    drawn.layers[2].set_weights([np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225]), np.array(1)])
    drawn.save_weights(tmp_path / "drawn.weights.h5")
    module = inspect.getmodule(inspect.unwrap(keras.applications.EfficientNetB0))
    monkeypatch.setattr(module.file_utils, "get_file", lambda *_, **__: str(tmp_path / "drawn.weights.h5"))  # type: ignore[union-attr]
    theirs = keras.applications.EfficientNetB0(weights="imagenet", **options)
    ours = _published(APPLICATIONS["efficientnet_b0"], 1.0)
    ours.load_weights(tmp_path / "drawn.weights.h5")
    images = np.random.default_rng(1).uniform(0, 255, (2, 64, 64, 3)).astype(np.float32)
    np.testing.assert_allclose(ours(images, training=False), theirs(images, training=False), rtol=1e-4, atol=1e-5)
