"""A frozen backbone as ONNX: from a chip to the mean of the features of its eight views, and on to probabilities.

The views are taken inside the model. So what a head is fitted on, out-of-fold rows and served answers have the same
features, from the same operations; averaging probabilities over the views, as networks do, would be another model.
"""

from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from igarape.code import code_hash
from igarape.config.network_kinds import Probe
from igarape.files import atomic_path, digest
from igarape.learners.networks.backbones import build_body, weights_file
from igarape.learners.networks.export import write_onnx
from igarape.learners.probes.heads import Scoring

VIEWS = 8
FIRST = np.iinfo(np.int64).min  # where a slice that runs backwards ends, in ONNX
# What the last bits of features may depend on besides the code.
LIBRARIES = tuple(f"{name} {version(name)}" for name in ("keras", "onnxruntime", "tensorflow", "tf2onnx"))


def known_by(experiment: Probe) -> str:
    """Return a hash of all that a probe's features depend on besides chips: backbone, weights, code and libraries.

    Raises InputError when the published weights can't be had.
    """
    code = code_hash(__name__, files=experiment.sources())
    weights = weights_file(experiment.features, experiment.weights)
    return digest([code, *LIBRARIES, experiment.features, repr(experiment.layers), weights])


def extractor(experiment: Probe) -> onnx.ModelProto:
    """Return the model of a probe's features: float32 (n, size, size, 3), RGB 0..255 -> (n, channels).

    The last one is kept, as all folds of a training begin with it.

    Raises InputError when the weights can't be had or don't fit, and for layers that are not there.
    """
    return _extractor(experiment.features, experiment.layers, experiment.weights, experiment.size, known_by(experiment))


@lru_cache(maxsize=1)
def _extractor(backbone: str, layers: tuple[str, ...], weights: str, size: int, _known_by: str) -> onnx.ModelProto:
    """Build a backbone, write it as ONNX, and put the loop over the views around it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "backbone.onnx"
        body = build_body(backbone, weights, width=1.0, frozen=1.0, layers=layers)
        write_onnx(body, path, size=size)
        return over_views(onnx.load(path))


def over_views(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model that gives the mean of a model's answers over the eight symmetries of the square.

    A loop goes through them, of which each turn is given two views: it asks the model for one, and gives the next turn
    the other, and the one turned by a quarter. From a chip and its mirror image that comes by all eight, takes the
    memory of one, and holds the backbone once.
    """
    (pictures,), (answers,) = model.graph.input, model.graph.output
    shape = [dim.dim_value for dim in pictures.type.tensor_type.shape.dim]
    width = answers.type.tensor_type.shape.dim[-1].dim_value
    constants = {
        "views": np.array(VIEWS),
        "last": np.array([-1]),
        "before_first": np.array([FIRST]),
        "columns": np.array([2]),
        "backwards": np.array([-1]),
        "over_views": np.array([0]),
        "share": np.array(1 / VIEWS, dtype=np.float32),
    }
    seen = [None, *shape[1:]]
    loop = helper.make_graph(
        [
            *model.graph.node,
            helper.make_node("Identity", ["loop_other"], ["loop_next"]),
            helper.make_node("Transpose", [pictures.name], ["loop_transposed"], perm=[0, 2, 1, 3]),
            _mirror("loop_transposed", "loop_turned"),
            helper.make_node("Identity", ["loop_on"], ["loop_still_on"]),
        ],
        "of_a_view",
        [
            helper.make_tensor_value_info("loop_number", TensorProto.INT64, []),
            helper.make_tensor_value_info("loop_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info(pictures.name, TensorProto.FLOAT, seen),
            helper.make_tensor_value_info("loop_other", TensorProto.FLOAT, seen),
        ],
        [
            helper.make_tensor_value_info("loop_still_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("loop_next", TensorProto.FLOAT, seen),
            helper.make_tensor_value_info("loop_turned", TensorProto.FLOAT, seen),
            helper.make_tensor_value_info(answers.name, TensorProto.FLOAT, [None, width]),
        ],
        initializer=model.graph.initializer,
    )
    nodes = [
        _mirror("chips", "mirrored"),
        helper.make_node("Loop", ["views", "", "chips", "mirrored"], ["first", "second", "answers"], body=loop),
        helper.make_node("ReduceSum", ["answers", "over_views"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["sum", "share"], ["features"]),
    ]
    return _model(model, nodes, "features", constants, shape=shape, width=width)


def _mirror(name: str, mirrored: str) -> onnx.NodeProto:
    """Reverse the columns of pictures (n, rows, columns, channels)."""
    return helper.make_node("Slice", [name, "last", "before_first", "columns", "backwards"], [mirrored])


def write_probe(features: onnx.ModelProto, path: Path, *, head: Scoring) -> None:
    """Write the model of features (n, channels) with a head: on to probabilities (n, labels).

    Parameters
    ----------
    features
        What extractor gives.
    path
        Of the ONNX file. Equal models are equal files.
    head
        What is to follow.
    """
    (chips,) = features.graph.input
    scored, constants = head.scored()
    nodes = [
        *features.graph.node,
        *(helper.make_node(kind, inputs, [output], **how) for kind, inputs, output, how in scored),
        helper.make_node("Sigmoid", ["scores"], ["p"]),
    ]
    known = {one.name: numpy_helper.to_array(one) for one in features.graph.initializer}
    shape = [dim.dim_value for dim in chips.type.tensor_type.shape.dim]
    model = _model(features, nodes, "p", known | dict(constants), shape=shape, width=head.outputs)
    with atomic_path(path) as unfinished:
        onnx.save(model, unfinished)


def _model(
    like: onnx.ModelProto, nodes: list[Any], output: str, constants: dict[str, Any], *, shape: list[int], width: int
) -> onnx.ModelProto:
    """Make a model of chips (n, side, side, 3) that gives (n, width), of the same version of ONNX as another."""
    graph = helper.make_graph(
        nodes,
        "probe",
        [helper.make_tensor_value_info("chips", TensorProto.FLOAT, ["n", *shape[1:]])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", width])],
        initializer=[numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=like.opset_import, ir_version=like.ir_version)
