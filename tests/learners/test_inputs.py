"""Training batches: every chip once an epoch, turned and mirrored at random, and the same again for the same seed."""

import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf

from igarape.chips.pictures import symmetries
from igarape.learners.inputs import augment, training_batches

SIZE = 8
Batch = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]


def chips(count: int, *, low: int = 0, high: int = 256) -> npt.NDArray[np.uint8]:
    """Draw pictures of noise, none of which equals another or its own mirror image."""
    return np.random.default_rng(1).integers(low, high, (count, SIZE, SIZE, 3), dtype=np.uint8)


def augmented(
    pictures: npt.NDArray[np.uint8], *, draw: tuple[int, int] = (1, 2), jitter: float = 0.0
) -> npt.NDArray[np.float32]:
    """Augment pictures with a state of the generator."""
    result: npt.NDArray[np.float32] = augment(
        tf.constant(pictures, tf.float32), tf.constant(draw, tf.int64), jitter=jitter
    ).numpy()
    return result


def epochs(*, seed: int, count: int = 2, jitter: float = 0.0) -> list[list[Batch]]:
    """Iterate over training batches of 10 chips, 4 at a time, some epochs long; a chip's target is its row."""
    y = np.arange(10, dtype=np.float32)[:, None]
    batches = training_batches(chips(10), y, batch=4, seed=seed, jitter=jitter)
    return [[(a.numpy(), b.numpy()) for a, b in batches] for _ in range(count)]


def test_each_chip_becomes_one_of_its_8_symmetries() -> None:
    """Found by comparing with all eight; each of them occurs, and about as often as the others."""
    pictures = chips(400)
    views = np.stack(symmetries(pictures)).astype(np.float32)
    same = (views == augmented(pictures)).all(axis=(2, 3, 4))
    assert (same.sum(axis=0) == 1).all()
    assert same.sum(axis=1).min() > 400 / 8 / 2


def test_jitter_changes_the_brightness_of_a_whole_chip_within_its_bounds() -> None:
    """All values of a chip are multiplied by one number of 1 +- jitter, each chip's by its own."""
    pictures = chips(200, low=50, high=150)
    ratio = augmented(pictures, jitter=0.2) / augmented(pictures, jitter=0.0)
    gain = ratio.reshape(200, -1)
    assert np.ptp(gain, axis=1).max() < 1e-5
    assert 0.8 <= gain.min() < 0.83
    assert 1.17 < gain.max() <= 1.2


def test_values_stay_in_0_to_255() -> None:
    """Bright chips are cut off at white."""
    white = np.full((50, SIZE, SIZE, 3), 250, dtype=np.uint8)
    assert augmented(white, jitter=0.5).max() == 255.0


def test_equal_draws_give_equal_chips_and_others_do_not() -> None:
    """The generator has no state but the draw."""
    pictures = chips(20)
    assert (augmented(pictures, jitter=0.1) == augmented(pictures, jitter=0.1)).all()
    assert (augmented(pictures) != augmented(pictures, draw=(5, 6))).any()


def test_an_epoch_holds_every_chip_once_with_its_own_targets() -> None:
    """A picture never goes with another's labels; the last batch may be smaller."""
    views = np.stack(symmetries(chips(10))).astype(np.float32)
    for epoch in epochs(seed=3):
        assert [len(y) for _, y in epoch] == [4, 4, 2]
        rows = np.concatenate([y for _, y in epoch])[:, 0].astype(int)
        assert sorted(rows) == list(range(10))
        pictures = np.concatenate([x for x, _ in epoch])
        assert pictures.dtype == np.float32
        assert (views[:, rows] == pictures).all(axis=(2, 3, 4)).any(axis=0).all()


def test_epochs_differ_in_order_and_in_views() -> None:
    """A second epoch is not the first again: neither the chips' order nor the symmetries drawn one after another."""
    views = np.stack(symmetries(chips(10))).astype(np.float32)
    rows = [whole(epoch)[1][:, 0].astype(int) for epoch in epochs(seed=3)]
    drawn = [
        (views[:, order] == whole(epoch)[0]).all(axis=(2, 3, 4)).argmax(axis=0)
        for order, epoch in zip(rows, epochs(seed=3), strict=True)
    ]
    assert (rows[0] != rows[1]).any()
    assert (drawn[0] != drawn[1]).any()


def whole(epoch: list[Batch]) -> Batch:
    """Join an epoch's batches."""
    return np.concatenate([x for x, _ in epoch]), np.concatenate([y for _, y in epoch])


@pytest.mark.parametrize("jitter", [0.0, 0.1])
def test_the_same_seed_gives_the_same_epochs(jitter: float) -> None:
    """Order, views and brightness: all of it comes from the seed; another seed gives others."""
    one, two, other = (epochs(seed=seed, jitter=jitter) for seed in (3, 3, 4))
    for a, b in zip(one, two, strict=True):
        for left, right in zip(whole(a), whole(b), strict=True):
            assert (left == right).all()
    assert (whole(one[0])[1] != whole(other[0])[1]).any()
