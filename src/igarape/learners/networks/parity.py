"""Parity: how far a network's ONNX file answers from Keras."""

from pathlib import Path

import numpy as np

from igarape.learners.examples import Images
from igarape.learners.networks.sessions import open_models
from igarape.learners.networks.trained import Trained


def gap(trained: Trained, path: Path, chips: Images) -> float:
    """Return the largest difference of a probability that a network and its file give chips, uint8 (n, size, size, 3).

    The network answers in float32, as its file does.
    """
    expected = np.asarray(trained.in_float32()(chips.astype(np.float32), training=False))
    return float(np.abs(open_models([path], threads=0).mean(chips, tta=False) - expected).max())
