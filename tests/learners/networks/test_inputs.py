"""Training batches: every chip once an epoch, turned and lit at random, the same for a seed, in little memory."""

import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf

from igarape.chips.pictures import resize, symmetries
from igarape.learners.networks.inputs import (
    Side,
    Weights,
    _Epochs,
    augment,
    cut,
    mix,
    row_weights,
    shrink,
    training_batches,
)

SIZE = 8
MB = 2**20
Floats = npt.NDArray[np.float32]
Batch = tuple[Floats, Floats]


def chips(count: int, *, low: int = 0, high: int = 256, size: int = SIZE) -> npt.NDArray[np.uint8]:
    """Draw pictures of noise, none of which equals another or its own mirror image."""
    return np.random.default_rng(1).integers(low, high, (count, size, size, 3), dtype=np.uint8)


def augmented(
    images: npt.NDArray[np.uint8], *, draw: tuple[int, int] = (1, 2), jitter: float = 0.0, dihedral: bool = True
) -> Floats:
    """Augment pictures with a state of the generator."""
    state = tf.constant(draw, tf.int64)
    result: Floats = augment(tf.constant(images), state, jitter=jitter, dihedral=dihedral).numpy()
    return result


def feed(images: npt.NDArray[np.uint8], y: Floats, **changes: Any) -> tf.data.Dataset:
    """Give batches of 4 of all rows, turned and mirrored only."""
    settings: dict[str, Any] = {
        "rows": np.arange(len(images)),
        "batch": 4,
        "side": Side([images.shape[1]]),
        "seed": 3,
        "jitter": 0.0,
        "dihedral": True,
        "zoom": 0.0,
        "mixup": 0.0,
        "balance": 0.0,
        "repeat": 0.0,
    }
    return training_batches(images, y, **(settings | changes))


def epochs(count: int = 2, **changes: Any) -> list[list[Batch]]:
    """Iterate over training batches of 10 chips some epochs long; a chip's target is its row."""
    batches = feed(chips(10), np.arange(10, dtype=np.float32)[:, None], **changes)
    return [[(a.numpy(), b.numpy()) for a, b in batches] for _ in range(count)]


def drawn(y: npt.NDArray[Any], *, batch: int, count: int, weights: Weights | None = None) -> Iterator[list[Any]]:
    """Draw epochs without the graph, which is slow to begin each: pictures, targets and states of the batches."""
    targets = y.reshape(len(y), -1).astype(np.float32)
    images = np.zeros((len(y), 1, 1, 3), np.uint8)
    epochs = _Epochs(images, targets, rows=np.arange(len(y)), batch=batch, seed=0, weights=weights)
    return (list(epochs()) for _ in range(count))


def whole(epoch: Sequence[Batch]) -> Batch:
    """Join an epoch's batches."""
    return np.concatenate([x for x, _ in epoch]), np.concatenate([y for _, y in epoch])


def order(epoch: Sequence[Batch]) -> list[int]:
    """Return the rows of an epoch, in its order."""
    return [int(row) for row in whole(epoch)[1][:, 0]]


def test_each_chip_becomes_one_of_its_8_symmetries() -> None:
    """Found by comparing with all eight; each of them occurs, and about as often as the others."""
    images = chips(400)
    views = np.stack(symmetries(images)).astype(np.float32)
    same = (views == augmented(images)).all(axis=(2, 3, 4))
    assert (same.sum(axis=0) == 1).all()
    assert same.sum(axis=1).min() > 400 / 8 / 2


def test_without_augmentation_chips_are_as_they_are() -> None:
    """No jitter and no symmetries: the same values, as float32."""
    images = chips(5)
    plain = augmented(images, dihedral=False)
    assert plain.dtype == np.float32 and (plain == images).all()


def test_jitter_changes_brightness_and_contrast_of_a_whole_chip_within_their_bounds() -> None:
    """The mean is multiplied by a number of 1 +- jitter, the distance from it by that times another."""
    images = chips(300, low=80, high=130)
    lit = augmented(images, jitter=0.2, dihedral=False).reshape(300, -1)
    plain = images.reshape(300, -1).astype(np.float32)
    brightness = lit.mean(axis=1) / plain.mean(axis=1)
    contrast = lit.std(axis=1) / plain.std(axis=1) / brightness
    for factor in (brightness, contrast):
        assert 0.7999 < factor.min() < 0.82 and 1.18 < factor.max() < 1.2001
    assert abs(np.corrcoef(brightness, contrast)[0, 1]) < 0.2
    around = (plain - plain.mean(axis=1, keepdims=True)) * (brightness * contrast)[:, None]
    assert np.abs(lit - (plain.mean(axis=1) * brightness)[:, None] - around).max() < 1e-2


def test_values_stay_in_0_to_255() -> None:
    """Bright chips are cut off at white, dark ones at black."""
    white, black = (np.full((50, SIZE, SIZE, 3), grey, dtype=np.uint8) for grey in (250, 2))
    black[:, 0] = 40
    assert augmented(white, jitter=0.5).max() == 255.0
    assert augmented(black, jitter=0.5).min() == 0.0


def test_equal_draws_give_equal_chips_and_others_do_not() -> None:
    """The generator has no state but the draw."""
    images = chips(20)
    assert (augmented(images, jitter=0.1) == augmented(images, jitter=0.1)).all()
    for jitter, dihedral in ((0.1, False), (0.0, True)):
        one, other = (augmented(images, draw=draw, jitter=jitter, dihedral=dihedral) for draw in ((1, 2), (5, 6)))
        assert (one != other).any()


def test_a_zoom_shows_a_square_of_the_chip_whose_side_and_place_vary_within_their_bounds() -> None:
    """On chips whose values are the row and the column, what is left of the range tells side and place."""
    ramp = np.arange(0, 256, 4, dtype=np.uint8)
    chip = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None, :], 0), axis=-1)
    zoomed = cut(tf.constant(np.stack([chip] * 300)), tf.constant([1, 2], tf.int64), 0.4).numpy().astype(float)
    top, bottom = zoomed[:, 0, :, 0], zoomed[:, -1, :, 0]
    left, right = zoomed[:, :, 0, 1], zoomed[:, :, -1, 1]
    for edge in (top, bottom, left, right):
        assert (edge == edge[:, :1]).all()
    height, width = (bottom - top)[:, 0] / ramp[-1], (right - left)[:, 0] / ramp[-1]
    assert np.abs(height - width).max() < 0.01
    assert 0.59 < height.min() < 0.62 and 0.97 < height.max() <= 1.0
    free = height < 0.9
    down, across = top[free, 0] / (1 - height[free]) / ramp[-1], left[free, 0] / (1 - width[free]) / ramp[-1]
    for place in (down, across):
        assert place.min() < 0.1 and place.max() > 0.9
    assert abs(np.corrcoef(down, across)[0, 1]) < 0.2
    assert np.abs(np.diff(zoomed[:, :, 0, 0], axis=1).mean(axis=1) - 4 * height).max() < 0.1


@pytest.mark.parametrize("side", [16, 20, 24])
def test_a_smaller_side_gives_the_chips_that_the_store_would_give_at_that_size(side: int) -> None:
    """The mean over pixels, as when a chip is decoded at that size, up to rounding."""
    images = chips(3, size=32)
    small = shrink(tf.constant(images), tf.constant(side)).numpy().astype(int)
    assert small.shape == (3, side, side, 3)
    assert np.abs(small - np.stack([resize(one, side) for one in images])).max() <= 1


def test_the_side_follows_the_epoch() -> None:
    """One data set serves all of them; each batch has its epoch's side, and targets that are its chips'."""
    side = Side([4, 8, 8])
    batches = feed(chips(10), np.arange(10, dtype=np.float32)[:, None], side=side)
    shapes = []
    for epoch in range(3):
        side.set(epoch)
        shapes.append({batch.shape[1:] for batch, _ in batches})
    assert shapes == [{(4, 4, 3)}, {(8, 8, 3)}, {(8, 8, 3)}]
    assert batches.element_spec[0].shape.as_list() == [None, None, None, 3]
    assert feed(chips(4), np.zeros((4, 1), np.float32), side=Side([4, 4])).element_spec[0].shape[1] == 4


def test_an_epoch_holds_every_row_once_with_its_own_targets() -> None:
    """A picture never goes with another's labels; the last batch may be smaller; its length is known."""
    views = np.stack(symmetries(chips(10))).astype(np.float32)
    for epoch in epochs():
        assert [len(y) for _, y in epoch] == [4, 4, 2]
        images, rows = whole(epoch)[0], order(epoch)
        assert sorted(rows) == list(range(10))
        assert images.dtype == np.float32
        assert (views[:, rows] == images).all(axis=(2, 3, 4)).any(axis=0).all()
    assert len(feed(chips(10), np.zeros((10, 1), np.float32))) == 3


def test_rows_that_are_not_asked_for_never_come() -> None:
    """Those of the predicted fold and of the hold-out."""
    rows = np.array([9, 2, 5, 7, 1])
    for epoch in epochs(5, rows=rows):
        assert sorted(order(epoch)) == [1, 2, 5, 7, 9]


def test_epochs_differ_in_order_and_in_views() -> None:
    """A second epoch is not the first again: neither the chips' order nor the symmetries drawn one after another."""
    views = np.stack(symmetries(chips(10))).astype(np.float32)
    rows = [order(epoch) for epoch in epochs()]
    drawn = [
        (views[:, places] == whole(epoch)[0]).all(axis=(2, 3, 4)).argmax(axis=0)
        for places, epoch in zip(rows, epochs(), strict=True)
    ]
    assert rows[0] != rows[1]
    assert (drawn[0] != drawn[1]).any()


def test_an_epoch_is_shuffled_from_end_to_end() -> None:
    """Any row may come at any place: over many epochs, each row is as often in each quarter of an epoch."""
    seen = np.array([[rows for _, rows, _ in epoch] for epoch in drawn(np.arange(64), batch=16, count=100)])
    counts = np.stack([np.bincount(seen[:, quarter].ravel().astype(int), minlength=64) for quarter in range(4)])
    assert counts.min() > 6 and counts.max() < 46


@pytest.mark.parametrize("changes", [{}, {"jitter": 0.1}, {"zoom": 0.3}, {"mixup": 0.2}])
def test_the_same_seed_gives_the_same_epochs(changes: dict[str, Any]) -> None:
    """Order, views and light, to the last bit: all of it comes from the seed; another seed gives others."""
    one, two, other = (epochs(seed=seed, **changes) for seed in (3, 3, 4))
    for a, b in zip(one, two, strict=True):
        for left, right in zip(whole(a), whole(b), strict=True):
            assert (left == right).all()
    assert order(one[0]) != order(other[0])


def test_a_zoom_is_another_one_each_epoch() -> None:
    """Without symmetries and light, it is all that epochs of one chip differ by."""
    images, y = chips(1), np.zeros((1, 1), np.float32)
    batches = feed(images, y, dihedral=False, zoom=0.5)
    first, second = (next(iter(batches))[0].numpy() for _ in range(2))
    assert (first != second).any() and (first != images).any()


def test_an_epoch_that_is_left_early_does_not_change_the_next() -> None:
    """What was prepared ahead and thrown away took nothing from anybody's chance."""
    y = np.arange(10, dtype=np.float32)[:, None]
    left, ended = feed(chips(10), y), feed(chips(10), y)
    next(iter(left))
    list(ended)
    for (images, rows), (others, same) in zip(left, ended, strict=True):
        assert (images.numpy() == others.numpy()).all() and (rows.numpy() == same.numpy()).all()


def test_rare_labels_are_drawn_more_often_as_far_as_the_balance_says() -> None:
    """At 1 a label of one chip in ten comes as often as the most frequent; chips without labels keep their weight."""
    y = np.zeros((100, 2), dtype=np.float32)
    y[:80, 0], y[80:88, 1] = 1, 1
    weights = row_weights(y, balance=1.0, repeat=0.0)
    assert weights.tolist() == [1.0] * 80 + [10.0] * 8 + [1.0] * 12
    assert row_weights(y, balance=0.5, repeat=0.0)[80] == pytest.approx(10**0.5)
    epochs = drawn(y, batch=100, count=100, weights=weights)
    counts = sum(targets.sum(axis=0) for epoch in epochs for _, targets, _ in epoch)
    assert counts.sum() < 100 * 100
    assert 0.9 < counts[0] / counts[1] < 1.1


def test_repeated_chips_of_a_label_are_as_many_as_the_others() -> None:
    """At 1, as in third place's networks of one label; at 0.5 as often as LVIS's repeat factor, sqrt(1 / share)."""
    y = (np.arange(1000) < 10).astype(np.float32)[:, None]
    weights = row_weights(y, balance=0.0, repeat=1.0)
    assert weights[:10].sum() == pytest.approx(weights[10:].sum())
    assert row_weights(y, balance=0.0, repeat=0.5)[0] == pytest.approx((1000 / 10) ** 0.5, rel=0.01)
    share = np.mean([targets for epoch in drawn(y, batch=1000, count=20, weights=weights) for _, targets, _ in epoch])
    assert 0.47 < share < 0.53


def test_a_label_that_most_chips_hold_is_not_repeated_and_a_chip_is_as_often_as_its_rarest_label() -> None:
    """So nothing is drawn less often than a chip without labels."""
    y = np.zeros((100, 2), dtype=np.float32)
    y[:80, 0], y[75:85, 1] = 1, 1
    assert row_weights(y, balance=0.0, repeat=1.0) == pytest.approx([1.0] * 75 + [9.0] * 10 + [1.0] * 15)


def test_mixup_mixes_a_chip_and_its_targets_with_anothers_by_one_share() -> None:
    """Targets of one row a chip tell the shares; they are spread as Beta(strength, strength), half of it on average."""
    count = 2000
    images, y = np.arange(count, dtype=np.float32).repeat(12).reshape(count, 2, 2, 3), np.eye(count, dtype=np.float32)
    for strength, variance in ((1.0, 1 / 12), (0.2, 0.25 / 1.4)):
        chips, targets = (np.asarray(each) for each in mix(images, y, tf.constant([1, 2], tf.int64), strength))
        np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-5)
        np.testing.assert_allclose(chips[:, 0, 0, 0], targets @ images[:, 0, 0, 0], rtol=1e-3, atol=1e-3)
        shares = targets[np.arange(count), np.arange(count) - 1]
        assert shares.min() >= 0 and shares.max() <= 1
        assert shares.mean() == pytest.approx(0.5, abs=0.03) and shares.var() == pytest.approx(variance, rel=0.1)


def test_mixup_next_to_nothing_leaves_chips_whole() -> None:
    """Where a Beta variate is a ratio of numbers that are too small to be told from zero."""
    images, y = chips(50).astype(np.float32), np.eye(50, dtype=np.float32)
    mixed, targets = mix(tf.constant(images), tf.constant(y), tf.constant([1, 2], tf.int64), 1e-6)
    assert np.isfinite(mixed).all() and (np.asarray(targets).max(axis=1) > 0.999).all()


def test_batches_of_a_set_that_is_larger_than_the_memory_take_only_what_they_hold(tmp_path: Path) -> None:
    """As many chips of 256 px as Planet has, 8 GB: the pictures stay on the disk but for the rows of a few batches."""
    shape = (40_479, 256, 256, 3)
    np.lib.format.open_memmap(
        tmp_path / "chips.npy", mode="w+", dtype=np.uint8, shape=shape
    )  # all zeros, no room taken
    images = np.load(tmp_path / "chips.npy", mmap_mode="r")
    y = np.zeros((len(images), 17), dtype=np.float32)
    before = private_memory()
    tracemalloc.start()
    batches = feed(images, y, rows=np.arange(0, len(images), 2), batch=32, jitter=0.05)
    for batch, _ in batches.take(3):
        assert batch.shape == (32, 256, 256, 3)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 * MB
    assert private_memory() - before < 512 * MB


def private_memory() -> int:
    """Return the bytes that this process alone holds, without files that it has mapped."""
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("needs Linux's /proc to tell memory from mapped files")
    lines = dict(line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines())
    return int(lines["RssAnon"].split()[0]) * 1024
