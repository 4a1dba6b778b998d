"""Networks of one learner as one: what its fold models have in common is computed once.

A frozen backbone, or the frozen beginning of one, is the same in each fold model, to the last bit. So is then what it
makes of a picture. Equal operations on equal values are found from the pictures on, and kept once (value numbering:
Cocke and Schwartz, Programming Languages and Their Compilers, 1970).
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx
from onnx import helper

from igarape.errors import InputError
from igarape.files import atomic_path

PICTURES, MEAN = "pictures", "p"


def merge(paths: Sequence[Path], target: Path) -> None:
    """Write networks of the same pictures as one: float32 (n, size, size, 3) -> (n, labels), the mean of their answers.

    Equal networks give equal files; one alone stays as it is. Raises InputError for networks that no one training made.
    """
    if len(paths) == 1:
        with atomic_path(target) as unfinished:
            shutil.copyfile(paths[0], unfinished)
        return
    models = [onnx.load(path) for path in paths]
    first = models[0]
    for path, model in zip(paths, models, strict=True):
        if _outside(model) != _outside(first):
            raise InputError(f"{path}: of another shape or version of ONNX than {paths[0]}. Run: dvc repro train")
    parts = _Parts()
    answers = [parts.add(model.graph) for model in models]
    (seen,), (given,) = first.graph.input, first.graph.output
    seen.name, given.name = PICTURES, MEAN
    graph = helper.make_graph(
        [*parts.nodes, helper.make_node("Mean", answers, [MEAN])],
        "folds",
        [seen],
        [given],
        initializer=parts.constants,
    )
    merged = helper.make_model(graph, opset_imports=first.opset_import, ir_version=first.ir_version)
    with atomic_path(target) as unfinished:
        onnx.save(merged, unfinished)


def _outside(model: onnx.ModelProto) -> tuple[object, ...]:
    """Return what networks have to agree in: the types of what goes in and comes out, and the version of ONNX."""
    ends = [end.type.SerializeToString() for end in (*model.graph.input, *model.graph.output)]
    return model.ir_version, [(one.domain, one.version) for one in model.opset_import], ends


class _Parts:
    """The nodes and constants of networks, those that are equal once, under new names."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._known: dict[bytes, list[str]] = {}

    def add(self, graph: onnx.GraphProto) -> str:
        """Take a network's parts in, and return the name of its answers."""
        (seen,), (given,) = graph.input, graph.output
        names = {"": "", seen.name: PICTURES}  # "" is an argument that is left out
        for constant in graph.initializer:
            old, constant.name = constant.name, ""
            (names[old],), new = self._named(constant, 1)
            if new:
                constant.name = names[old]
                self.constants.append(constant)
        for node in graph.node:
            outputs = list(node.output)
            _rename(node, names)
            node.ClearField("output")
            found, new = self._named(node, len(outputs))
            if new:
                node.output.extend(found)
                self.nodes.append(node)
            names |= dict(zip(outputs, found, strict=True))
        return names[given.name]

    def _named(self, part: onnx.NodeProto | onnx.TensorProto, count: int) -> tuple[list[str], bool]:
        """Return the names of the values of a part, which itself has none, and whether it is the first of its kind."""
        key = part.SerializeToString(deterministic=True)
        new = key not in self._known
        if new:
            self._known[key] = [f"value_{len(self._known)}_{place}" for place in range(count)]
        return self._known[key], new


def _rename(node: onnx.NodeProto, names: Mapping[str, str]) -> None:
    """Rename what a node, and the graphs inside it, take from the graph around it."""
    node.ClearField("name")
    node.ClearField("doc_string")
    node.input[:] = [names.get(name, name) for name in node.input]
    for attribute in node.attribute:
        for inner in attribute.g.node if attribute.type == onnx.AttributeProto.GRAPH else ():
            _rename(inner, names)
