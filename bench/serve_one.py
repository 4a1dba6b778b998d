"""serve_one: one JPEG to tags in process: a bundle against the same fold models by Keras, or fold by fold.

In a project of ucmerced whose evaluate has run, its bundle is measured. Keras's models are not kept, so that the peer
is what its fold models answer one after the other, by ONNX Runtime. Elsewhere an ensemble is made: five MobileNets at
128 px whose first layers are frozen, with weights at random, which cost what others do. Their peer is Keras's
`predict`. They take turns, chip by chip; processor time is compared, as other jobs may run beside.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import numpy as np
from real import chips

from igarape.chips.pictures import Pixels, encode_jpeg, resize, symmetries
from igarape.config.hyperparameters import NetworkValues
from igarape.ensemble.decision import Rule
from igarape.ensemble.linear import mean_of
from igarape.ensemble.stacker import Stacker
from igarape.labels import Vocabulary
from igarape.learners.networks.backbones import build_network
from igarape.learners.networks.export import write_onnx
from igarape.learners.networks.merging import merge
from igarape.learners.predictor import Predictor
from igarape.serving.assembly import build_bundle
from igarape.serving.bundle import BATCH, Bundle
from igarape.serving.manifest import Learner, read_manifest
from igarape.tables import Probabilities
from igarape.workspace import Workspace

SET, SAMPLE, ROUNDS = "ucmerced", 8, 3
NAME, BACKBONE, SIZE, FROZEN, FOLDS = "five", "mobilenet", 128, 0.43, 5
CLOSE = 1e-4

Answer = Callable[[bytes], Probabilities]


def run() -> dict[str, object]:
    """Return milliseconds a chip of both sides, the median over some chips."""
    found = chips(SET)
    if not found:
        raise SystemExit(f"serve_one: no chips of {SET}; set IGARAPE_DATA to the folder that holds it")
    pictures = [encode_jpeg(rgb, 95) for _, rgb in list(found.values())[:SAMPLE]]
    here = Workspace(Path())
    if here.bundle.is_dir() and read_manifest(here.bundle).dataset == SET:
        return _compared(here.bundle, _fold_by_fold(here), pictures) | {"peer_is": "fold by fold"}
    with TemporaryDirectory() as folder:
        labels = tuple(sorted(set().union(*(tags for tags, _ in found.values()))))
        networks = _networks(labels)
        bundle = _bundle(Path(folder), networks, labels)
        return _compared(bundle, _by_keras(networks, bundle), pictures) | {"peer_is": "keras predict"}


def _compared(folder: Path, peer: Answer, pictures: list[bytes]) -> dict[str, object]:
    """Time both sides in turns."""
    bundle = Bundle.load(folder)
    seconds: dict[str, list[tuple[float, float]]] = {"ours": [], "peer": []}

    def timed(side: str, answer: Answer, data: bytes) -> Probabilities:
        spent, start = time.process_time(), time.perf_counter()
        p = answer(data)
        seconds[side].append((time.process_time() - spent, time.perf_counter() - start))
        return p

    def ours(data: bytes) -> Probabilities:
        return bundle.answer([data]).filter(like="p_").to_numpy(dtype=np.float32)

    for answer in (ours, peer):
        answer(pictures[0])
    for data in pictures * ROUNDS:
        if np.abs(timed("ours", ours, data) - timed("peer", peer, data)).max() > CLOSE:
            raise SystemExit("serve_one: the two sides answer otherwise")
    medians = {side: np.median(times, axis=0) * 1000 for side, times in seconds.items()}
    row = {side: float(spent) for side, (spent, _) in medians.items()}
    walls = {f"{side}_wall": float(wall) for side, (_, wall) in medians.items()}
    return row | {"ratio": row["peer"] / row["ours"], "unit": "ms/chip", "n": len(pictures)} | walls


def _fold_by_fold(here: Workspace) -> Answer:
    """Answer by each fold model of the stack's learners, one after the other."""
    bundle, stacker = Bundle.load(here.bundle), Stacker.load(here.folder("stack") / "stacker")
    predictors = {
        learner.name: Predictor(sorted(here.folder("train", learner.name).glob("fold-*.*")))
        for learner in bundle.manifest.learners
    }
    without = stacker.without(bundle.manifest.left_out)

    def answer(data: bytes) -> Probabilities:
        image = bundle.read(data, "chip")
        each = {
            learner.name: predictors[learner.name].predict(
                resize(image, learner.size)[None], tta=learner.tta, batch=BATCH
            )
            for learner in bundle.manifest.learners
        }
        return without.predict(each)

    return answer


def _networks(labels: tuple[str, ...]) -> list[keras.Model]:
    """Make networks that differ in what is not frozen."""
    targets = Vocabulary((), (), labels, ()).targets("all")
    networks: list[keras.Model] = []
    for fold in range(FOLDS):
        keras.utils.set_random_seed(0)
        network = build_network(BACKBONE, "none", targets=targets, hyperparameters=NetworkValues(frozen=FROZEN))
        rng = np.random.default_rng(fold)
        for weights in network.trainable_weights:
            weights.assign(weights + rng.normal(0, 0.01, weights.shape))
        networks.append(network)
    return networks


def _bundle(folder: Path, networks: list[keras.Model], labels: tuple[str, ...]) -> Path:
    """Pack the networks as one learner, whose answers are stacked by their mean."""
    files = [folder / f"fold-{fold}.onnx" for fold in range(len(networks))]
    for network, path in zip(networks, files, strict=True):
        write_onnx(network, path, size=SIZE)
    learners: Mapping[str, tuple[str, ...]] = {NAME: labels}
    Stacker("mean", labels, dict(learners), mean_of(learners, labels)).save(folder / "stacker")
    build_bundle(
        folder / "bundle",
        dataset=SET,
        size=256,
        reading={"resize": "fit", "bands": (), "white": None},
        dehaze={},
        nir=None,
        learners=[Learner(name=NAME, chips="raw", size=SIZE, labels=labels, tta=True, files=tuple(map(str, files)))],
        stacker=folder / "stacker",
        rule=Rule("threshold", Vocabulary((), (), labels, ()), 2.0, threshold=0.2),
        alerts={},
        views=8,
        novelty=None,
        merge=merge,
    )
    return folder / "bundle"


def _by_keras(networks: list[keras.Model], folder: Path) -> Answer:
    """Answer by the networks themselves, the eight views of a chip at once."""
    bundle = Bundle.load(folder)

    def answer(data: bytes) -> Probabilities:
        image: Pixels = resize(bundle.read(data, "chip"), SIZE)
        views = np.concatenate(symmetries(image[None])).astype(np.float32)
        mean: Probabilities = np.mean([network.predict(views, verbose=0) for network in networks], axis=(0, 1))
        return mean[None]

    return answer


if __name__ == "__main__":
    print(run())
