"""serve_one: one JPEG to tags in process: a bundle against the same fold models by Keras, or fold by fold.

In a project of ucmerced whose evaluate has run, its bundle is measured. Keras's models are not kept, so that the peer
is what its fold models answer one after the other, by ONNX Runtime. Elsewhere an ensemble is made: five MobileNets at
128 px whose first layers are frozen, with weights at random, which cost what others do. Their peer is Keras's
`predict`. They take turns, chip by chip; processor time is compared, as other jobs may run beside.
"""

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import numpy as np
from mobilenets import SIZE, make_networks, pack
from real import chips

from igarape.chips.pictures import Pixels, encode_jpeg, resize, symmetries
from igarape.ensemble.stacker import Stacker
from igarape.learners.predictor import Predictor
from igarape.serving.bundle import BATCH, Bundle
from igarape.serving.manifest import read_manifest
from igarape.tables import Probabilities
from igarape.workspace import Workspace

SET, SAMPLE, ROUNDS = "ucmerced", 8, 3
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
        networks = make_networks(labels)
        bundle = pack(Path(folder), networks, labels)
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
