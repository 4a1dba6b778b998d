"""The networks of a learner as one: the mean of their answers, and what they have in common once."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from igarape.errors import InputError
from igarape.learners.networks.merging import merge
from igarape.learners.networks.sessions import open_models
from igarape.learners.probes.extractor import over_views, write_probe
from igarape.learners.probes.heads import Head, Scoring
from igarape.learners.probes.kernel_head import fit_kernel_head
from igarape.tables import Probabilities

WriteModel = Callable[[Path, int, int, int], Probabilities]
PICTURES = np.random.default_rng(3).integers(0, 256, (7, 8, 8, 3), dtype=np.uint8)


def body() -> onnx.ModelProto:
    """Return a backbone by hand: the mean of each colour, and of its square."""
    graph = helper.make_graph(
        [
            helper.make_node("Mul", ["seen", "scale"], ["small"]),
            helper.make_node("Mul", ["small", "small"], ["square"]),
            helper.make_node("Concat", ["small", "square"], ["both"], axis=3),
            helper.make_node("ReduceMean", ["both"], ["features"], axes=[1, 2], keepdims=0),
        ],
        "body",
        [helper.make_tensor_value_info("seen", TensorProto.FLOAT, [None, 8, 8, 3])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, 6])],
        [numpy_helper.from_array(np.array(1 / 255, dtype=np.float32), "scale")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)


def probes(folder: Path, count: int = 3, *, kind: str = "logistic") -> Sequence[Path]:
    """Write fold models of a probe, which differ in their heads, of one kind."""
    rng, features = np.random.default_rng(0), over_views(body())
    paths = [folder / f"fold-{fold}.onnx" for fold in range(count)]
    for path in paths:
        weights, bias = rng.normal(0, 3, (6, 4)).astype(np.float32), rng.normal(0, 1, 4).astype(np.float32)
        head: Scoring = Head(weights, bias, rng.random(6).astype(np.float32) if kind == "prototype" else None)
        if kind == "kernel":
            table = rng.random((9, 6)).astype(np.float32)
            head = fit_kernel_head(table, rng.random((9, 4)) < 0.5, gamma=0.5, l2=0.1, balance=0.0, seed=0)
        write_probe(features, path, head=head)
    return paths


def operations(path: Path) -> list[str]:
    """Return the operations of a network, in order."""
    return [node.op_type for node in onnx.load(path).graph.node]


@pytest.mark.parametrize("tta", [False, True])
def test_it_answers_the_mean(tmp_path: Path, write_model: WriteModel, tta: bool) -> None:
    """Of networks that have nothing in common but their operations; it is a valid network of the same shape."""
    paths = [tmp_path / f"fold-{fold}.onnx" for fold in range(3)]
    for seed, path in enumerate(paths):
        write_model(path, 8, 4, seed)
    merge(paths, tmp_path / "folds.onnx")
    onnx.checker.check_model(onnx.load(tmp_path / "folds.onnx"), full_check=True)
    merged, apart = open_models([tmp_path / "folds.onnx"], threads=1), open_models(paths, threads=1)
    assert merged.shapes == apart.shapes[:1]
    np.testing.assert_allclose(merged.mean(PICTURES, tta=tta), apart.mean(PICTURES, tta=tta), atol=1e-6)
    assert operations(tmp_path / "folds.onnx").count("MatMul") == 3


@pytest.mark.parametrize(("kind", "products"), [("logistic", 1), ("prototype", 1), ("kernel", 3)])
def test_a_frozen_backbone_stands_once(tmp_path: Path, kind: str, products: int) -> None:
    """Its loop over the views too, with what the loop takes from around it; the heads stay apart."""
    paths = probes(tmp_path, kind=kind)
    merge(paths, tmp_path / "folds.onnx")
    onnx.checker.check_model(onnx.load(tmp_path / "folds.onnx"), full_check=True)
    found = operations(tmp_path / "folds.onnx")
    assert (found.count("Loop"), found.count("MatMul"), found[-1]) == (1, 3 * products, "Mean")
    apart = open_models(paths, threads=1).mean(PICTURES, tta=False)
    np.testing.assert_allclose(
        open_models([tmp_path / "folds.onnx"], threads=1).mean(PICTURES, tta=False), apart, atol=1e-6
    )
    assert np.ptp(apart, axis=0).min() > 0


def test_equal_names_are_not_taken_for_equal_values(tmp_path: Path, write_model: WriteModel) -> None:
    """All fold models call their weights the same; only those that are equal to the last bit are one."""
    paths = [tmp_path / f"fold-{fold}.onnx" for fold in range(3)]
    for seed, path in zip((0, 0, 1), paths, strict=True):
        write_model(path, 8, 4, seed)
    merge(paths, tmp_path / "folds.onnx")
    graph = onnx.load(tmp_path / "folds.onnx").graph
    assert operations(tmp_path / "folds.onnx").count("MatMul") == len(graph.initializer) == 2
    expected = open_models(paths, threads=1).mean(PICTURES, tta=False)
    np.testing.assert_allclose(
        open_models([tmp_path / "folds.onnx"], threads=1).mean(PICTURES, tta=False), expected, atol=1e-6
    )


def test_equal_networks_are_equal_files_and_one_alone_stays(tmp_path: Path) -> None:
    """So that nothing that is made of them is made anew."""
    paths = probes(tmp_path)
    for name in ("one.onnx", "two.onnx"):
        merge(paths, tmp_path / name)
    assert (tmp_path / "one.onnx").read_bytes() == (tmp_path / "two.onnx").read_bytes()
    merge(paths[:1], tmp_path / "alone.onnx")
    assert (tmp_path / "alone.onnx").read_bytes() == paths[0].read_bytes()


def test_networks_of_several_trainings_are_refused(tmp_path: Path, write_model: WriteModel) -> None:
    """Other labels or another size: the mean would mean nothing; nothing is written."""
    paths = [tmp_path / "fold-0.onnx", tmp_path / "fold-1.onnx"]
    write_model(paths[0], 8, 4, 0)
    write_model(paths[1], 8, 5, 1)
    with pytest.raises(InputError, match=r"fold-1\.onnx: of another shape .*fold-0\.onnx\. Run: dvc repro train"):
        merge(paths, tmp_path / "folds.onnx")
    assert not (tmp_path / "folds.onnx").exists()
