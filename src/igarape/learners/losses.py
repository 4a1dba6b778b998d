"""The losses an experiment can name."""

import keras


def make_loss(name: str, *, smoothing: float) -> keras.losses.Loss:
    """Return the loss called name for independent labels.

    bce: binary cross-entropy. focal: binary cross-entropy weighted by (1 - p_true)^2 (Lin et al., ICCV 2017).
    smoothing moves the targets 0 and 1 to smoothing / 2 and 1 - smoothing / 2.
    """
    if name == "focal":
        return keras.losses.BinaryFocalCrossentropy(gamma=2.0, label_smoothing=smoothing)
    return keras.losses.BinaryCrossentropy(label_smoothing=smoothing)
