"""Batches of chips for training: shuffled and augmented in the graph."""

import numpy as np
import numpy.typing as npt
import tensorflow as tf

Pictures = npt.NDArray[np.uint8]
Targets = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


def training_batches(pictures: Pictures, y: Targets, *, batch: int, seed: int, jitter: float) -> tf.data.Dataset:
    """Return epoch after epoch of augmented batches: float32 (b, size, size, 3) RGB 0..255, and targets (b, labels).

    Chips are drawn by index, so that the pictures (which may be memory-mapped) never become a constant of the graph.
    """
    size = pictures.shape[1]

    def gather(rows: npt.NDArray[np.int64]) -> tuple[Pictures, Targets]:
        return pictures[rows], y[rows]

    def load(rows: tf.Tensor, draw: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        chips, targets = tf.numpy_function(gather, [rows], (tf.uint8, tf.float32))
        chips = tf.cast(tf.ensure_shape(chips, (None, size, size, 3)), tf.float32)
        return augment(chips, draw, jitter=jitter), tf.ensure_shape(targets, (None, y.shape[1]))

    order = tf.data.Dataset.range(len(pictures)).shuffle(len(pictures), seed=seed, reshuffle_each_iteration=True)
    draws = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).batch(2)
    batches = tf.data.Dataset.zip((order.batch(batch), draws)).map(load, num_parallel_calls=2, deterministic=True)
    return batches.prefetch(2)


def augment(chips: tf.Tensor, draw: tf.Tensor, *, jitter: float) -> tf.Tensor:
    """Give each chip one of the 8 symmetries of the square, and a brightness within 1 +- jitter.

    chips: float32 (b, size, size, 3). draw: int64 (2,), the generator's state, so that equal draws give equal chips.
    """
    count = tf.shape(chips)[0]
    coins = tf.random.stateless_uniform((3, count, 1, 1, 1), seed=draw) < 0.5
    chips = tf.where(coins[0], tf.reverse(chips, [1]), chips)
    chips = tf.where(coins[1], tf.reverse(chips, [2]), chips)
    chips = tf.where(coins[2], tf.transpose(chips, (0, 2, 1, 3)), chips)
    gain = tf.random.stateless_uniform((count, 1, 1, 1), seed=draw + 1, minval=1 - jitter, maxval=1 + jitter)
    return tf.clip_by_value(chips * gain, 0.0, 255.0)
