"""serve_one: one JPEG to tags in process: a bundle against the same fold models by Keras, or fold by fold.

In a project of ucmerced whose evaluate has run, its bundle is measured. Keras's models are not kept, so that the peer
is what its fold models answer one after the other, by ONNX Runtime. Elsewhere an ensemble is made: five MobileNets at
128 px whose first layers are frozen, with weights at random, which cost what others do. Their peer is Keras's
`predict`. What is quicker and answers otherwise takes its turns too: four views, 8-bit integers, and both. They take
turns, chip by chip; processor time is compared, as other jobs may run beside. The floor is what the graph's products
alone would take, were they one large product of matrices, which a processor computes fastest.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import numpy as np
import onnx
from mobilenets import NAME, SIZE, make_networks, pack
from real import chips, labels_of
from threadpoolctl import threadpool_limits

from igarape.chips.pictures import Pixels, decode, encode_jpeg, resize, symmetries
from igarape.ensemble.stacker import Stacker
from igarape.learners.networks.merging import merge
from igarape.learners.networks.quantisation import quantise
from igarape.learners.predictor import Predictor
from igarape.learners.views import ALL
from igarape.serving.assembly import Merge
from igarape.serving.bundle import BATCH, Bundle
from igarape.serving.manifest import read_manifest
from igarape.tables import Probabilities
from igarape.workspace import Workspace

SET, SAMPLE, ROUNDS = "ucmerced", 8, 3
CLOSE = 1e-4
WIDE, PRODUCTS = 1024, 50  # of the large product: its side, and how often it is computed

Answer = Callable[[bytes], Probabilities]


def run() -> dict[str, object]:
    """Return milliseconds a chip of both sides, the median over some chips."""
    found = chips(SET)
    pictures = [encode_jpeg(rgb, 95) for _, rgb in list(found.values())[:SAMPLE]]
    here = Workspace(Path())
    if here.bundle.is_dir() and read_manifest(here.bundle).dataset == SET:
        ours = Bundle.load(here.bundle)
        return _compared({"ours": _by(ours), "peer": _fold_by_fold(here)}, pictures) | {"peer_is": "fold by fold"}
    with TemporaryDirectory() as folder:
        labels = labels_of(SET)
        networks = make_networks(labels)
        bundles = {}
        for name, join in {"ours": merge, "int8": _in_integers(pictures)}.items():
            place = Path(folder, name)
            place.mkdir()
            bundles[name] = Bundle.load(pack(place, networks, labels, join=join))
        ours, int8 = bundles.values()
        others = {"four_views": ours.with_views(4), "int8": int8, "four_views_int8": int8.with_views(4)}
        sides = {"ours": _by(ours), "peer": _by_keras(networks, ours), "graph": _graph(ours, pictures)}
        sides |= {name: _by(bundle) for name, bundle in others.items()}
        return _compared(sides, pictures) | {"peer_is": "keras predict"} | _floor(ours)


def _compared(sides: Mapping[str, Answer], pictures: Sequence[bytes]) -> dict[str, object]:
    """Time all sides in turns; two of them, ours and peer, have to answer alike."""
    seconds: dict[str, list[tuple[float, float]]] = {side: [] for side in sides}
    for answer in sides.values():
        answer(pictures[0])
    for data in [*pictures] * ROUNDS:
        p = {}
        for side, answer in sides.items():
            spent, start = time.process_time(), time.perf_counter()
            p[side] = answer(data)
            seconds[side].append((time.process_time() - spent, time.perf_counter() - start))
        if np.abs(p["ours"] - p["peer"]).max() > CLOSE:
            raise SystemExit("serve_one: the two sides answer otherwise")
    medians = {side: np.median(times, axis=0) * 1000 for side, times in seconds.items()}
    row = {side: float(spent) for side, (spent, _) in medians.items()}
    walls = {f"{side}_wall": float(wall) for side, (_, wall) in medians.items()}
    return row | {"ratio": row["peer"] / row["ours"], "unit": "ms/chip", "n": len(pictures)} | walls


def _by(bundle: Bundle) -> Answer:
    """Answer by a bundle, tags and all."""

    def answer(data: bytes) -> Probabilities:
        return bundle.answer([data]).filter(like="p_").to_numpy(dtype=np.float32)

    return answer


def _in_integers(pictures: Sequence[bytes]) -> Merge:
    """Return what makes one file of networks, which computes in 8-bit integers; their ranges are those on pictures."""
    images = np.stack([resize(decode(data, "chip"), SIZE) for data in pictures])

    def join(paths: Sequence[Path], target: Path) -> None:
        with TemporaryDirectory() as made:
            floats = Path(made, "floats.onnx")
            merge(paths, floats)
            quantise(floats, target, images)

    return join


def _graph(bundle: Bundle, pictures: Sequence[bytes]) -> Answer:
    """Answer by the graph alone, by chips that lie in memory, ready to be fed."""
    (learner,) = bundle.manifest.learners
    predictor = Predictor([bundle.folder / file for file in learner.files])
    ready = {data: resize(bundle.decode(data, NAME).image, SIZE)[None] for data in pictures}
    return lambda data: predictor.predict(ready[data], tta=True, batch=BATCH)


def _floor(bundle: Bundle) -> dict[str, float]:
    """Return a chip's products in GFLOP, GFLOP/s of processor time in one large product, and so many milliseconds."""
    (learner,) = bundle.manifest.learners
    flop = 2 * ALL * sum(_products(bundle.folder / file) for file in learner.files)
    a, b = np.random.default_rng(0).normal(size=(2, WIDE, WIDE)).astype(np.float32)
    seconds = []
    with threadpool_limits(1):
        for _ in range(PRODUCTS):
            start = time.process_time()
            a @ b
            seconds.append(time.process_time() - start)
    core = 2 * WIDE**3 / min(seconds)
    return {"gflop": flop / 1e9, "core_gflops": core / 1e9, "floor": flop / core * 1000}


def _products(path: Path) -> int:
    """Return how many numbers a network multiplies and adds for one view in its convolutions and its last layers."""
    model = onnx.load(path)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    model = onnx.shape_inference.infer_shapes(model)
    sides = {
        value.name: [side.dim_value for side in value.type.tensor_type.shape.dim] for value in model.graph.value_info
    }
    weights = {constant.name: list(constant.dims) for constant in model.graph.initializer}
    found = 0
    for node in model.graph.node:
        if node.op_type == "Conv":  # each of its outputs is made by one filter
            found += math.prod(sides[node.output[0]]) * math.prod(weights[node.input[1]][1:])
        elif node.op_type == "MatMul":
            found += math.prod(weights[node.input[1]])
    return found


def _fold_by_fold(here: Workspace) -> Answer:
    """Answer by each fold model of the stack's learners, one after the other."""
    bundle, stacker = Bundle.load(here.bundle), Stacker.load(here.folder("stack") / "stacker")
    predictors = {
        learner.name: Predictor(sorted(here.folder("train", learner.name).glob("fold-*.*")))
        for learner in bundle.manifest.learners
    }
    without = stacker.without(bundle.manifest.left_out)

    def answer(data: bytes) -> Probabilities:
        image = bundle.decode(data, "chip").image
        each = {
            learner.name: predictors[learner.name].predict(
                resize(image, learner.size)[None], tta=learner.tta, batch=BATCH
            )
            for learner in bundle.manifest.learners
        }
        return without.predict(each)

    return answer


def _by_keras(networks: list[keras.Model], bundle: Bundle) -> Answer:
    """Answer by the networks themselves, the eight views of a chip at once."""

    def answer(data: bytes) -> Probabilities:
        image: Pixels = resize(bundle.decode(data, "chip").image, SIZE)
        views = np.concatenate(symmetries(image[None])).astype(np.float32)
        mean: Probabilities = np.mean([network.predict(views, verbose=0) for network in networks], axis=(0, 1))
        return mean[None]

    return answer


if __name__ == "__main__":
    print(run())
