"""Batches of chips for training: gathered by row, resized and augmented in the graph."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from igarape.learners.examples import Images, Rows
from igarape.learners.memory import keep_memory

Targets = npt.NDArray[np.float32]
Weights = npt.NDArray[np.float64]
Batch = tuple[Images, Targets, npt.NDArray[np.int64]]

AT_ONCE = 2  # batches in preparation, and as many that wait: what is more costs memory and gains nothing


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
    images: Images,
    y: Targets,
    *,
    rows: Rows,
    batch: int,
    side: Side,
    seed: int,
    jitter: float,
    dihedral: bool,
    zoom: float,
    mixup: float,
    balance: float,
    repeat: float,
) -> tf.data.Dataset:
    """Give augmented batches, gathered from pictures that may be mapped from the disk and larger than the memory.

    Parameters
    ----------
    images
        Pictures, uint8 (n, size, size, 3).
    y
        Targets, of shape (n, labels).
    rows
        Those to draw from, in another order each epoch.
    batch
        Chips in each.
    side
        Of each epoch's chips, at most that of the pictures.
    seed
        Of all chance: the same seed gives the same batches, to the last bit.
    jitter, dihedral, zoom, mixup
        As augment, cut and mix take them; mixup 0: chips stay apart.
    balance, repeat
        How far the chips of rare labels are drawn more often, 0..1; see row_weights.

    Returns
    -------
    tf.data.Dataset
        Of float32 (b, side, side, 3), RGB 0..255, and targets (b, labels); an epoch is an iteration.
    """
    keep_memory()  # a data set of a generator would have TensorFlow give back each batch
    weights = row_weights(y[rows], balance=balance, repeat=repeat) if balance or repeat else None
    draw = _Epochs(images, y, rows=rows, batch=batch, seed=seed, weights=weights)
    stored = images.shape[1]

    def prepare(chips: tf.Tensor, targets: tf.Tensor, state: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        if zoom:
            chips = cut(chips, state, zoom)
        if side.fixed != stored:
            chips = shrink(chips, side.variable)
        chips = augment(chips, state, jitter=jitter, dihedral=dihedral)
        if mixup:
            chips, targets = mix(chips, targets, state, mixup)
        return tf.ensure_shape(chips, (None, side.fixed, side.fixed, 3)), targets

    drawn = tf.data.Dataset.from_generator(draw, output_signature=draw.signature())
    batches = drawn.map(prepare, num_parallel_calls=AT_ONCE, deterministic=True)
    return batches.apply(tf.data.experimental.assert_cardinality(len(draw))).prefetch(AT_ONCE)


class _Epochs:
    """The batches of one epoch after another's, not yet augmented, each with the state of its augmentation's chance."""

    def __init__(
        self, images: Images, y: Targets, *, rows: Rows, batch: int, seed: int, weights: Weights | None
    ) -> None:
        self._pictures, self._y, self._rows, self._batch, self._seed = images, y, rows, batch, seed
        self._shares = None if weights is None else weights / weights.sum()
        self._epochs = itertools.count()

    def signature(self) -> tuple[tf.TensorSpec, ...]:
        """Describe a batch: chips, targets, and the state of chance."""
        pictures, targets = self._pictures.shape[1:], self._y.shape[1:]
        return (
            tf.TensorSpec((None, *pictures), tf.uint8),
            tf.TensorSpec((None, *targets), tf.float32),
            tf.TensorSpec((2,), tf.int64),
        )

    def __len__(self) -> int:
        return math.ceil(len(self._rows) / self._batch)

    def __call__(self) -> Iterator[Batch]:
        """Draw an epoch: each row once or, with weights, as many rows as there are, with replacement."""
        # From the epoch's number, not from where the last one ended: how far ahead that was drawn, chance decides.
        rng = np.random.default_rng((self._seed, next(self._epochs)))
        order = rng.choice(self._rows, len(self._rows), replace=self._shares is not None, p=self._shares)
        states = rng.integers(2**62, size=(len(self), 2))
        for start, state in zip(range(0, len(order), self._batch), states, strict=True):
            rows = order[start : start + self._batch]
            yield self._pictures[rows], self._y[rows], state


def row_weights(y: Targets, *, balance: float, repeat: float) -> Weights:
    """Return how often to draw each row of y (n, labels), relative to a row without labels: 1 at least.

    A row has the weight of its rarest label: (count of the most frequent label / its own count) ** balance, times (rows
    without it / rows with it) ** repeat. For one label, repeat 1 draws as many rows with it as without; 0.5 is next to
    the repeat factor of Gupta et al. (LVIS, CVPR 2019, threshold 1).
    """
    counts = np.maximum(y.sum(axis=0), 1)
    weights = (counts.max() / counts) ** balance * ((len(y) - counts) / counts) ** repeat
    return np.asarray(np.maximum(1.0, (y * weights).max(axis=1)), dtype=np.float64)


def shrink(chips: tf.Tensor, side: tf.Tensor) -> tf.Tensor:
    """Return chips, uint8 (b, s, s, 3), at a smaller side: the mean over pixels, as chips.pictures.resize takes it."""
    means = tf.image.resize(chips, (side, side), method="area")
    return tf.cast(tf.round(means), tf.uint8)


def cut(chips: tf.Tensor, draw: tf.Tensor, zoom: float) -> tf.Tensor:
    """Return a square of each chip, uint8 (b, s, s, 3), at a random place and brought to the chip's side again.

    Its side is a random share of the chip's, 1 - zoom at least. draw: as of augment.
    """
    count, side = tf.shape(chips)[0], tf.shape(chips)[1]
    share, down, right = tf.unstack(tf.random.stateless_uniform((3, count), seed=draw + 2))
    share = 1 - zoom * share
    top, left = down * (1 - share), right * (1 - share)
    squares = tf.stack([top, left, top + share, left + share], axis=1)
    pixels = tf.image.crop_and_resize(chips, squares, tf.range(count), (side, side))
    return tf.cast(tf.round(pixels), tf.uint8)


def augment(chips: tf.Tensor, draw: tf.Tensor, *, jitter: float, dihedral: bool) -> tf.Tensor:
    """Return chips turned and mirrored and in another light, as float32 of the same shape, 0..255.

    Parameters
    ----------
    chips
        uint8 (b, side, side, 3).
    draw
        int64 (2,), the state that all chance comes from, so that equal draws give equal chips.
    jitter
        Brightness and contrast are multiplied by 1 +- this; 0: they stay.
    dihedral
        Whether chips are turned and mirrored.
    """
    turned = _turn(chips, draw) if dihedral else chips
    shown = tf.cast(turned, tf.float32)
    return _light(shown, draw, jitter) if jitter else shown


def mix(chips: tf.Tensor, targets: tf.Tensor, draw: tf.Tensor, strength: float) -> tuple[tf.Tensor, tf.Tensor]:
    """Return each chip, and its targets, mixed with the one before it in the batch, whose order is chance.

    Zhang et al., mixup: beyond empirical risk minimization, ICLR 2018; with a share for each chip.

    Parameters
    ----------
    chips, targets
        float32 (b, side, side, 3), and (b, labels).
    draw
        As of augment.
    strength
        The other one's share is drawn from Beta(strength, strength).
    """
    # From logarithms of gamma variates, as a small strength's own are rounded to zero: Gamma(a) is Gamma(a + 1) times a
    # uniform variate to the power of 1 / a (Marsaglia and Tsang, A simple method for generating gamma variables, 2000).
    shape = (2, tf.shape(chips)[0])
    uniform = 1 - tf.random.stateless_uniform(shape, seed=draw + 3)
    logs = tf.math.log(tf.random.stateless_gamma(shape, draw + 4, alpha=strength + 1)) + tf.math.log(uniform) / strength
    share = tf.sigmoid(logs[0] - logs[1])

    def mixed(values: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
        return values + share * (tf.roll(values, 1, axis=0) - values)

    return mixed(chips, share[:, None, None, None]), mixed(targets, share[:, None])


def _turn(chips: tf.Tensor, draw: tf.Tensor) -> tf.Tensor:
    """Give each chip one of the eight symmetries of the square: by three coins, upside down, mirrored, transposed.

    Only the chips that a coin falls for are moved, and while they are bytes: to turn all of them, as floats, and choose
    by tf.where, takes ten times as long.
    """
    coins = tf.random.stateless_uniform((3, tf.shape(chips)[0]), seed=draw, maxval=2, dtype=tf.int32)
    for coin, turned in zip(tf.unstack(coins), (_upside_down, _mirrored, _transposed), strict=True):
        places = tf.dynamic_partition(tf.range(tf.size(coin)), coin, 2)
        kept, chosen = tf.dynamic_partition(chips, coin, 2)
        chips = tf.dynamic_stitch(places, [kept, turned(chosen)])
    return chips


def _upside_down(chips: tf.Tensor) -> tf.Tensor:
    """Reverse the rows, each of which is copied as one piece."""
    count, height, width, channels = tf.unstack(tf.shape(chips))
    rows = tf.reshape(chips, (count, height, width * channels))
    return tf.reshape(tf.reverse(rows, [1]), tf.shape(chips))


def _mirrored(chips: tf.Tensor) -> tf.Tensor:
    """Reverse each row, as TensorFlow does best in three dimensions."""
    count, height, width, channels = tf.unstack(tf.shape(chips))
    rows = tf.reshape(chips, (count * height, width, channels))
    return tf.reshape(tf.reverse(rows, [1]), tf.shape(chips))


def _transposed(chips: tf.Tensor) -> tf.Tensor:
    return tf.transpose(chips, (0, 2, 1, 3))


def _light(chips: tf.Tensor, draw: tf.Tensor, jitter: float) -> tf.Tensor:
    """Multiply each chip's brightness, and its contrast around its mean, by a number of 1 +- jitter each."""
    factors = tf.random.stateless_uniform(
        (2, tf.shape(chips)[0], 1, 1, 1), seed=draw + 1, minval=1 - jitter, maxval=1 + jitter
    )
    brightness, contrast = factors[0], factors[1]
    mean = tf.reduce_mean(chips, axis=(1, 2, 3), keepdims=True)
    lit = chips * (brightness * contrast) + mean * brightness * (1 - contrast)
    return tf.clip_by_value(lit, 0.0, 255.0)
