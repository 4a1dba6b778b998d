"""Batches of chips for training: drawn by row, augmented in the graph."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

Pictures = npt.NDArray[np.uint8]
Targets = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


class Side:
    """The side of each epoch's chips in pixels: a variable of the graph, so that another side is no other graph."""

    def __init__(self, sides: Sequence[int]) -> None:
        """Take the sides of all epochs."""
        self._sides = sides
        self.fixed = sides[0] if len(set(sides)) == 1 else None
        self.variable = tf.Variable(sides[0], trainable=False, dtype=tf.int32)

    def set(self, epoch: int, _logs: Mapping[str, Any] | None = None) -> None:
        """Begin an epoch."""
        self.variable.assign(self._sides[epoch])


def training_batches(
    pictures: Pictures,
    y: Targets,
    *,
    rows: Rows,
    batch: int,
    side: Side,
    seed: int,
    jitter: float,
    dihedral: bool,
    balance: float,
) -> tf.data.Dataset:
    """Return epoch after epoch of augmented batches: float32 (b, side, side, 3) RGB 0..255, and targets (b, labels).

    Chips are gathered batch by batch from the pictures, which may be memory-mapped. side: of each epoch's chips.
    balance: how far the chips of rare labels are drawn more often, 0..1; see row_weights.
    """
    order = _Order(rows, row_weights(y[rows], balance) if balance else None, batch=batch, seed=seed)

    def gather(drawn: Rows) -> tuple[Pictures, Targets]:
        return pictures[drawn], y[drawn]

    def load(drawn: tf.Tensor, draw: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        chips, targets = tf.numpy_function(gather, [drawn], (tf.uint8, tf.float32))
        chips = tf.cast(tf.ensure_shape(chips, (None, *pictures.shape[1:])), tf.float32)
        if side.fixed != pictures.shape[1]:
            chips = tf.image.resize(chips, (side.variable, side.variable), method="area")
        chips = tf.ensure_shape(chips, (None, side.fixed, side.fixed, 3))
        return augment(chips, draw, jitter=jitter, dihedral=dihedral), tf.ensure_shape(targets, (None, y.shape[1]))

    drawn = tf.data.Dataset.from_generator(order, output_signature=tf.TensorSpec((None,), tf.int64))
    draws = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).batch(2)
    batches = tf.data.Dataset.zip((drawn, draws)).map(load, num_parallel_calls=2, deterministic=True)
    return batches.apply(tf.data.experimental.assert_cardinality(len(order))).prefetch(2)


class _Order:
    """The rows of one epoch's batches after another's, each epoch in another order."""

    def __init__(self, rows: Rows, weights: npt.NDArray[np.float64] | None, *, batch: int, seed: int) -> None:
        self._rows, self._batch, self._rng = rows, batch, np.random.default_rng(seed)
        self._weights = None if weights is None else weights / weights.sum()

    def __len__(self) -> int:
        return -(-len(self._rows) // self._batch)

    def __call__(self) -> Iterator[Rows]:
        """Draw an epoch: each row once or, with weights, as many rows as there are, with replacement."""
        again = self._weights is not None
        drawn = self._rng.choice(self._rows, len(self._rows), replace=again, p=self._weights)
        for start in range(0, len(drawn), self._batch):
            yield drawn[start : start + self._batch]


def row_weights(y: Targets, balance: float) -> npt.NDArray[np.float64]:
    """Return how often to draw each row of y (n, labels), relative to a row without labels.

    A row has the weight of its rarest label: (count of the most frequent label / its own count) ** balance.
    """
    counts = np.maximum(y.sum(axis=0), 1)
    weights = (counts.max() / counts) ** balance
    return np.asarray(np.maximum(1.0, (y * weights).max(axis=1)), dtype=np.float64)


def augment(chips: tf.Tensor, draw: tf.Tensor, *, jitter: float, dihedral: bool) -> tf.Tensor:
    """Give each chip one of the 8 symmetries of the square, if dihedral, and a brightness within 1 +- jitter.

    chips: float32 (b, side, side, 3). draw: int64 (2,), the generator's state, so that equal draws give equal chips.
    """
    count = tf.shape(chips)[0]
    if dihedral:
        coins = tf.random.stateless_uniform((3, count, 1, 1, 1), seed=draw) < 0.5
        chips = tf.where(coins[0], tf.reverse(chips, [1]), chips)
        chips = tf.where(coins[1], tf.reverse(chips, [2]), chips)
        chips = tf.where(coins[2], tf.transpose(chips, (0, 2, 1, 3)), chips)
    gain = tf.random.stateless_uniform((count, 1, 1, 1), seed=draw + 1, minval=1 - jitter, maxval=1 + jitter)
    return tf.clip_by_value(chips * gain, 0.0, 255.0)
