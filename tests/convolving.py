"""A network that convolves, as small as it can be, for tests that need no training."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def write_convolving(path: Path, size: int, outputs: int, *, inside: bool = False) -> Path:
    """Write a convolution, a ReLU, a mean over places, a layer and a sigmoid, and return the path.

    Parameters
    ----------
    path
        Where to.
    size, outputs
        The side of its pictures in pixels, and the number of labels.
    inside
        Whether the convolution lies in a branch, out of the sight of who looks at the graph only.
    """
    rng = np.random.default_rng(0)
    weights = {
        "kernel": rng.normal(0, 0.003, (8, 3, 3, 3)),
        "layer": rng.normal(0, 1, (8, outputs)),
        "bias": rng.normal(0, 1, outputs),
    }
    constants = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()]
    convolution = [helper.make_node("Conv", ["planes", "kernel"], ["convolved"], pads=[1, 1, 1, 1])]
    if inside:  # whether any pixel is bright, so that no optimizer knows the answer
        output = helper.make_tensor_value_info("convolved", TensorProto.FLOAT, [None, 8, size, size])
        branch = helper.make_graph(convolution, "branch", [], [output])
        convolution = [
            helper.make_node("ReduceMax", ["pictures"], ["brightest"], keepdims=0),
            helper.make_node("Cast", ["brightest"], ["bright"], to=TensorProto.BOOL),
            helper.make_node("If", ["bright"], ["convolved"], then_branch=branch, else_branch=branch),
        ]
    nodes = [
        helper.make_node("Transpose", ["pictures"], ["planes"], perm=[0, 3, 1, 2]),
        *convolution,
        helper.make_node("Relu", ["convolved"], ["active"]),
        helper.make_node("GlobalAveragePool", ["active"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "layer", "bias"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["p"]),
    ]
    pictures = helper.make_tensor_value_info("pictures", TensorProto.FLOAT, [None, size, size, 3])
    p = helper.make_tensor_value_info("p", TensorProto.FLOAT, [None, outputs])
    graph = helper.make_graph(nodes, "convolving", [pictures], [p], constants)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10), path)
    return path
