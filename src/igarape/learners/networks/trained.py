"""A trained network: it answers, and is written as ONNX."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from igarape.chips.pictures import symmetries
from igarape.learners.examples import Images, Rows
from igarape.learners.networks.export import write_onnx
from igarape.tables import Probabilities

# What a prediction, which keeps no gradients, looks at at once: some batches, but no more pixels than this.
ROOM, PIXELS = 4, 2**21


@dataclass(frozen=True)
class Trained:
    """A trained network. size: side of its chips in pixels. batch: chips that it looks at at once."""

    from_kept: ClassVar[bool] = False

    network: keras.Model
    size: int
    batch: int
    rebuild: Callable[[], keras.Model]

    @cached_property
    def _forward(self) -> Callable[..., tf.Tensor]:
        return as_graph(lambda chips: self.network(chips, training=False), self.size)

    def predict(self, images: Images, rows: Rows, *, tta: bool) -> Probabilities:
        """Return probabilities (rows, labels) for those rows of pictures; tta: the mean over the eight symmetries."""
        seen = min(ROOM * self.batch, PIXELS // self.size**2)
        step = max(1, seen // 8) if tta else seen
        parts = [self._mean(images[rows[start : start + step]], tta=tta) for start in range(0, len(rows), step)]
        return np.concatenate(parts)

    def _mean(self, chips: Images, *, tta: bool) -> Probabilities:
        """Average over the views of a few chips."""
        views = symmetries(chips) if tta else [chips]
        p = np.asarray(self._forward(np.concatenate(views, dtype=np.float32)))
        mean: Probabilities = p.reshape(len(views), len(chips), -1).mean(axis=0)
        return mean

    def export(self, stem: Path) -> Path:
        """Write the network as stem.onnx: float32 (n, size, size, 3), RGB 0..255 -> (n, labels); return that path."""
        path = stem.with_name(f"{stem.name}.onnx")
        write_onnx(self.in_float32(), path, size=self.size)
        return path

    def in_float32(self) -> keras.Model:
        """Return the network as its file has it, in float32, whatever it was trained in."""
        network = self.rebuild()
        network.set_weights(self.network.get_weights())
        return network


def as_graph(call: Callable[..., Any], size: int, *scalars: tf.TensorSpec) -> Callable[..., Any]:
    """Trace a function of chips float32 (n, size, size, 3), and of scalars: it then takes half the time on a CPU."""
    chips = tf.TensorSpec((None, size, size, 3), tf.float32)
    return tf.function(call, input_signature=[chips, *scalars], autograph=False)  # type: ignore[no-any-return]
