"""A network as ONNX, which is opened without TensorFlow."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
import onnx
import tensorflow as tf

from igarape.files import atomic_path


def write_onnx(network: keras.Model, path: Path, *, size: int) -> None:
    """Write a network of pictures of any side as ONNX: float32 (n, size, size, 3) -> (n, labels).

    Equal networks are equal files, so that nothing that is made of them is made anew.
    """
    network(np.zeros((1, size, size, 3), dtype=np.float32))  # Keras exports only what was called once
    seen = keras.InputSpec(shape=(None, size, size, 3), dtype="float32")
    with _of_known_operations(), atomic_path(path) as unfinished:
        network.export(unfinished, format="onnx", verbose=False, input_signature=[seen])
        model = onnx.load(unfinished)
        _name_by_place(model.graph)
        onnx.save(model, unfinished)


def _name_by_place(graph: onnx.GraphProto) -> None:
    """Name what a graph computes by its place, where Keras and tf2onnx count all that the process has made so far."""
    ends = [*graph.input, *graph.output]
    for end in ends:
        end.type.tensor_type.shape.dim[0].dim_param = "n"
    _rename(graph, {"": ""} | {end.name: end.name for end in ends})  # "" is an argument that is left out


def _rename(graph: onnx.GraphProto, names: dict[str, str]) -> None:
    """Rename the values of a graph, and of those inside it, which see its values; names grows by theirs."""

    def new(name: str) -> str:
        return names.setdefault(name, f"value_{len(names)}")

    graph.ClearField("doc_string")
    graph.ClearField("value_info")
    for value in (*graph.input, *graph.output):
        value.name = new(value.name)
    for node in graph.node:
        node.ClearField("name")
        for values in (node.input, node.output):
            values[:] = [new(name) for name in values]
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                _rename(attribute.g, names)
    for constant in graph.initializer:
        constant.name = new(constant.name)
    graph.initializer.sort(key=lambda constant: constant.name)


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
