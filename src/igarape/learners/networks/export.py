"""A network as ONNX, which is opened without TensorFlow."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from igarape.files import whole


def write_onnx(network: keras.Model, path: Path, *, size: int) -> None:
    """Write a network of pictures of any side as ONNX: float32 (n, size, size, 3) -> (n, labels)."""
    network(np.zeros((1, size, size, 3), dtype=np.float32))  # Keras exports only what was called once
    seen = keras.InputSpec(shape=(None, size, size, 3), dtype="float32")
    with _of_known_operations(), whole(path) as unfinished:
        network.export(unfinished, format="onnx", verbose=False, input_signature=[seen])


@contextmanager
def _of_known_operations() -> Iterator[None]:
    """Let what is traced inside be made of operations that tf2onnx knows: TensorFlow's GELU is by erfc, ours by erf."""
    before = tf.nn.gelu
    tf.nn.gelu = _gelu
    try:
        yield
    finally:
        tf.nn.gelu = before


def _gelu(
    features: tf.Tensor,
    approximate: bool = False,  # noqa: FBT001, FBT002 - as TensorFlow's
    name: str | None = None,  # noqa: ARG001 - as TensorFlow's
) -> tf.Tensor:
    """Return x times the share of a normal distribution below x (Hendrycks and Gimpel, 2016), or near that by tanh."""
    x = tf.convert_to_tensor(features)
    if approximate:
        return 0.5 * x * (1.0 + tf.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1.0 + tf.math.erf(x / math.sqrt(2)))
