"""feed: augmented batches of 128 px chips, against keras's image_dataset_from_directory and MobileNetV2's training."""

import time
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from real import SETS

from igarape.chips.resized import load_pictures
from igarape.chips.shards import open_shard
from igarape.config.datasets import data_root
from igarape.learners.networks.inputs import Side, training_batches

SET = "ucmerced"
SIZE = 128
BATCH = 32
JITTER = 0.05
ROUNDS = 5
STEPS = 8  # of training, after one that builds the graph


def run() -> dict[str, object]:
    """Return chips a second of both, the best of a few rounds, and how many times what a training takes ours are."""
    keras.utils.set_random_seed(0)
    folder = data_root() / SET
    files = sorted((folder / "train-jpg").glob("*.jpg"))
    if not files:
        raise SystemExit(f"feed: {folder}: no chips there; set IGARAPE_DATA to the folder that holds {SET}")
    y = _targets(folder / SETS[SET], files)
    with TemporaryDirectory() as scratch:
        start = time.perf_counter()
        feeds = {"ours": _ours(Path(scratch) / "store", files, y)}
        once = time.perf_counter() - start
        feeds["peer"] = _peer(folder / "train-jpg", files, y, cached=False)
        feeds["cached"] = _peer(folder / "train-jpg", files, y, cached=True)
        rounds = [{name: _rate(feed, len(files)) for name, feed in feeds.items()} for _ in range(ROUNDS)]
    best = {name: max(one[name] for one in rounds) for name in feeds}
    training = _training(y.shape[1])
    ours, peer = best["ours"], best["peer"]
    row = {"ours": ours, "peer": peer, "ratio": ours / peer, "unit": "chips/s", "n": len(files)}
    more = {"training": training, "times_training": ours / training, "times_cached": ours / best["cached"]}
    return row | more | {"decoded_once_s": once}


def _targets(table: Path, files: list[Path]) -> Any:
    """Return the labels of the files as float32 (n, labels)."""
    tags = pd.read_csv(table, index_col="image_name")["tags"].str.get_dummies(sep=" ")
    return tags.loc[[file.stem for file in files]].to_numpy(dtype=np.float32)


def _ours(store: Path, files: list[Path], y: Any) -> tf.data.Dataset:
    """Pack the chips, decode them once, and feed them."""
    with open_shard(store / "shard-00000.tar") as shard:
        places = [(file.stem, *shard.add(file.stem, file.read_bytes())) for file in files]
    catalog = pd.DataFrame(places, columns=["image_id", "shard", "offset", "length"])
    images = load_pictures(store, catalog, list(catalog["image_id"]), size=SIZE).images
    return training_batches(
        images,
        y,
        rows=np.arange(len(files)),
        batch=BATCH,
        side=Side([SIZE]),
        seed=0,
        jitter=JITTER,
        dihedral=True,
        zoom=0.0,
        mixup=0.0,
        balance=0.0,
        repeat=0.0,
    )


def _peer(folder: Path, files: list[Path], y: Any, *, cached: bool) -> tf.data.Dataset:
    """Feed the same chips as Keras does, augmented by its layers; cached keeps the decoded ones in memory.

    It takes one whole number as a label, so each chip's is its row of y. It has no layer for the quarter turns, which a
    chip's mirror images and their transposes are.
    """
    chips = keras.utils.image_dataset_from_directory(
        folder,
        labels=list(range(len(files))),
        label_mode="int",
        batch_size=BATCH,
        image_size=(SIZE, SIZE),
        shuffle=not cached,
        verbose=False,
    )
    if cached:
        chips = chips.unbatch().cache().shuffle(len(files)).batch(BATCH)
    targets = tf.constant(y)
    augment = keras.Sequential(
        [
            keras.layers.RandomFlip("horizontal_and_vertical"),
            keras.layers.RandomBrightness(JITTER, value_range=(0, 255)),
            keras.layers.RandomContrast(JITTER, value_range=(0, 255)),
        ]
    )

    def prepare(images: tf.Tensor, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        coins = tf.random.uniform((tf.shape(images)[0], 1, 1, 1)) < 0.5
        turned = tf.where(coins, tf.transpose(images, (0, 2, 1, 3)), images)
        return augment(turned, training=True), tf.gather(targets, rows)

    return chips.map(prepare, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def _rate(feed: Iterable[Any], count: int) -> float:
    """Return the chips a second of one epoch that nobody learns from."""
    start = time.perf_counter()
    for _ in feed:
        pass
    return count / (time.perf_counter() - start)


def _training(labels: int) -> float:
    """Return the chips a second that a MobileNetV2 learns from when they lie in memory."""
    body = keras.applications.MobileNetV2(input_shape=(SIZE, SIZE, 3), weights=None, include_top=False, pooling="avg")
    network = keras.Sequential([body, keras.layers.Dense(labels, activation="sigmoid")])
    network.compile(optimizer="adam", loss="binary_crossentropy")
    batch = np.random.default_rng(0).random((BATCH, SIZE, SIZE, 3), dtype=np.float32)
    truth = np.zeros((BATCH, labels), dtype=np.float32)
    network.train_on_batch(batch, truth)
    start = time.perf_counter()
    for _ in range(STEPS):
        network.train_on_batch(batch, truth)
    return BATCH * STEPS / (time.perf_counter() - start)


if __name__ == "__main__":
    print(run())
