"""A backbone of a few filters, with weights of its own: a probe of it takes next to no time."""

from collections.abc import Callable
from pathlib import Path

import keras
import pytest
import tiny

from igarape.config.network_kinds import BACKBONE, Probe

SOURCE = """
import keras


def small(images, *, width):
    x = keras.layers.Rescaling(1 / 127.5, offset=-1, name="signed")(images)
    x = keras.layers.Conv2D(6, 3, strides=2, padding="same", activation="relu", name="edges")(x)
    return keras.layers.GlobalAveragePooling2D(name="pooled")(x)
"""

WriteWeights = Callable[[int], Path]


@pytest.fixture
def write_weights(plugin_folder: Path) -> WriteWeights:
    """Give what writes the small backbone's weights, drawn by a seed."""
    (plugin_folder / "my_features.py").write_text(SOURCE, encoding="utf-8")
    path = plugin_folder / "small.weights.h5"

    def write(seed: int) -> Path:
        keras.utils.set_random_seed(seed)
        images = keras.Input((None, None, 3))
        keras.Model(images, BACKBONE.load("my_features:small")(images, width=1.0)).save_weights(path)
        return path

    return write


@pytest.fixture
def small_probe(write_weights: WriteWeights) -> Probe:
    """Give the experiment of a probe of that backbone."""
    return tiny.probe(features="my_features:small", weights=str(write_weights(1)))
