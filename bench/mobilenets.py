"""A bundle of five MobileNets at 128 px whose first layers are frozen; weights at random cost what others do."""

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from igarape.config.hyperparameters import NetworkValues
from igarape.ensemble.decision import Rule
from igarape.ensemble.linear import mean_weights
from igarape.ensemble.stacker import Stacker
from igarape.labels import Vocabulary
from igarape.learners.networks.backbones import build_network
from igarape.learners.networks.export import write_onnx
from igarape.learners.networks.merging import merge
from igarape.serving.assembly import BundleSpec, Merge, build_bundle
from igarape.serving.manifest import Learner

NAME, BACKBONE, SIZE, FROZEN, FOLDS = "five", "mobilenet", 128, 0.43, 5


def make_networks(labels: tuple[str, ...]) -> list[keras.Model]:
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


def pack(
    folder: Path,
    networks: list[keras.Model],
    labels: tuple[str, ...],
    *,
    size: int = SIZE,
    tta: bool = True,
    join: Merge = merge,
) -> Path:
    """Pack the networks as one learner, whose answers are stacked by their mean.

    Parameters
    ----------
    folder, networks, labels
        Where to, and what of which labels.
    size
        Of the chips that they see, in pixels.
    tta
        Whether by eight views of a chip.
    join
        Makes one file of their files.
    """
    files = [folder / f"fold-{fold}.onnx" for fold in range(len(networks))]
    for network, path in zip(networks, files, strict=True):
        write_onnx(network, path, size=size)
    learners: Mapping[str, tuple[str, ...]] = {NAME: labels}
    Stacker("mean", labels, dict(learners), mean_weights(learners, labels)).save(folder / "stacker")
    shared = BundleSpec(
        dataset=NAME,
        size=256,
        reading={"resize": "fit", "bands": (), "white": None},
        dehaze={},
        nir=None,
        rule=Rule("threshold", Vocabulary((), (), labels, ()), 2.0, threshold=0.2),
        alerts={},
        views=8,
        novelty=None,
        merge=join,
    )
    learner = Learner(name=NAME, chips="raw", size=size, labels=labels, tta=tta, files=tuple(map(str, files)))
    build_bundle(folder / "bundle", shared, learners=[learner], stacker=folder / "stacker")
    return folder / "bundle"
