"""What the machine offers to a training: its graphics cards, their precision, and the end of their memory."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import psutil
import tensorflow as tf

from igarape.errors import InputError

OOM = "OOM when allocating"  # as TensorFlow begins to say how much it wanted, and where


def graphics_cards() -> int:
    """Return how many graphics cards TensorFlow sees."""
    return len(tf.config.list_physical_devices("GPU"))


def strategy() -> tf.distribute.Strategy:
    """Return how a training is spread: over all graphics cards where there are several, else not at all."""
    return tf.distribute.MirroredStrategy() if graphics_cards() > 1 else tf.distribute.get_strategy()


def precision() -> str:
    """Return Keras's policy of this machine: half precision, with float32 weights, pays on graphics cards alone."""
    return "mixed_float16" if graphics_cards() else "float32"


@contextmanager
def in_precision(policy: str) -> Iterator[None]:
    """Let what is built inside compute by a policy of Keras."""
    before = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy(policy)
    try:
        yield
    finally:
        keras.mixed_precision.set_global_policy(before)


def require_memory(required: int, batch: int, size: int) -> None:
    """Raise InputError when a training step holds more bytes than this machine has free, whose system would kill it.

    A graphics card's end of memory is an error of TensorFlow's: see within_memory.
    """
    free = psutil.virtual_memory().available
    if not graphics_cards() and required > free:
        message = f"a step holds {required / 2**30:.1f} GB at least, and {free / 2**30:.1f} are free"
        raise _too_large(batch, size, message)


@contextmanager
def within_memory(batch: int, size: int) -> Iterator[None]:
    """Turn the end of the memory into an error that names the hyperparameters to lower."""
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        lines = str(error).splitlines()  # of which the first may say no more than that a graph has failed
        message = next((line[line.index(OOM) :] for line in lines if OOM in line), lines[0])
        raise _too_large(batch, size, message) from error


def _too_large(batch: int, size: int, message: str) -> InputError:
    return InputError(
        f"batch: {batch} chips of {size} pixels do not fit the memory: {message}. "
        "Lower the experiment's batch (half of it first), or its size"
    )
