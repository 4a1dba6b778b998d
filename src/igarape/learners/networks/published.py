"""The networks of keras.applications: how each is built for chips of any side, prepared for, and its weights found."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import keras
import numpy as np
import tensorflow as tf

from igarape.config.networks import NETWORKS, Published
from igarape.errors import InputError
from igarape.learners.networks.weights import FILE, keras_cache

IMAGENET_MEAN, IMAGENET_DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)  # of R, G and B in 0..255
BY_PARITY = ("separable_conv_1_pad", "reduction_pad")  # how Keras names the layers that pad by a picture's parity

Tensor: TypeAlias = keras.KerasTensor


def to_signed(images: Tensor) -> Tensor:
    """Bring 0..255 to -1..1."""
    return keras.layers.Rescaling(1 / 127.5, offset=-1)(images)


def _to_standard(images: Tensor) -> Tensor:
    """Take ImageNet's mean off, and divide by its standard deviation, channel by channel."""
    scale = [1 / deviation for deviation in IMAGENET_DEVIATION]
    offset = [-mean / deviation for mean, deviation in zip(IMAGENET_MEAN, IMAGENET_DEVIATION, strict=True)]
    return keras.layers.Rescaling(scale, offset=offset)(images)


def _to_centred_bgr(images: Tensor) -> Tensor:
    """Turn RGB to BGR, and take the means of the first ImageNet networks off (Simonyan and Zisserman, ICLR 2015)."""
    bgr = keras.ops.take(images, [2, 1, 0], axis=-1)
    return keras.layers.Rescaling(1.0, offset=[-103.939, -116.779, -123.68])(bgr)


def _as_they_are(images: Tensor) -> Tensor:
    """Leave the preparation to the network, which brings its own."""
    return images


PREPARATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "as_they_are": _as_they_are,
    "signed": to_signed,
    "standard": _to_standard,
    "centred_bgr": _to_centred_bgr,
}


@dataclass(frozen=True)
class Application:
    """A network of keras.applications, and how it wants RGB values 0..255 prepared.

    side: of the pictures that Keras has to be told; None for any.
    """

    make: Callable[..., keras.Model]
    prepare: Callable[[Tensor], Tensor]
    side: int | None = None

    def build(self, width: float = 1.0, weights: str | None = None) -> keras.Model:
        """Build it without top, down to the mean over the picture. width: MobileNet's alpha. weights: imagenet."""
        alpha = {} if width == 1.0 else {"alpha": width}
        shape = (self.side, self.side, 3)
        return self.make(input_shape=shape, include_top=False, weights=weights, pooling="avg", **alpha)


def _application(published: Published) -> Application:
    make = getattr(keras.applications, published.maker)
    return Application(make, PREPARATIONS[published.prepared], published.made_at)


APPLICATIONS: Mapping[str, Application] = {name: _application(published) for name, published in NETWORKS.items()}


class _Padding(keras.layers.ZeroPadding2D):
    """NASNet's padding, one less before a picture of even sides: Keras decides that when it builds, for one side."""

    def call(self, inputs: Tensor) -> Tensor:
        """Pad inputs (n, rows, columns, channels)."""
        after = self.padding[0][1]
        before = after - 1 + tf.shape(inputs)[1:3] % 2
        return tf.pad(inputs, [[0, 0], [before[0], after], [before[1], after], [0, 0]])


class Normalization(keras.layers.Normalization):
    """EfficientNet's: what comes of it is divided by the root of ImageNet's deviations, in 0..1, once more.

    Keras adds that as a layer where it loads its weights, and there only (TensorFlow issue 49930). Here it is always
    there, so that a network is the same one before its weights are loaded. Weights files know layers by the names of
    their classes.
    """

    def call(self, inputs: Tensor) -> Tensor:
        """Normalise inputs (n, rows, columns, 3)."""
        return super().call(inputs) * [1 / math.sqrt(deviation / 255) for deviation in IMAGENET_DEVIATION]


class Conv2D(keras.layers.Conv2D):
    """ConvNeXt's, of one filter a channel, as a depthwise convolution: a grouped one is XLA's, which ONNX cannot hold.

    Weights files know layers by the names of their classes.
    """

    def call(self, inputs: Tensor) -> Tensor:
        """Convolve inputs (n, rows, columns, channels)."""
        kernel = keras.ops.transpose(self.kernel, (0, 1, 3, 2))
        return keras.ops.depthwise_conv(inputs, kernel, strides=self.strides, padding=self.padding) + self.bias


def as_called(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Copy a layer so that it does for pictures of any side what Keras's network does."""
    kind = type(layer)
    if isinstance(layer, keras.layers.Normalization) and layer.input_mean is not None:
        # As constants: the tensors that Keras keeps them in would be inputs of a network that is written as ONNX.
        mean, deviation = np.ravel(layer.input_mean), np.sqrt(np.ravel(layer.input_variance))
        return keras.layers.Rescaling((1 / deviation).tolist(), (-mean / deviation).tolist(), name=layer.name)
    if isinstance(layer, keras.layers.ZeroPadding2D) and layer.name.startswith(BY_PARITY):
        kind = _Padding
    elif isinstance(layer, keras.layers.Normalization):  # its statistics are weights
        kind = Normalization
    elif isinstance(layer, keras.layers.Conv2D) and layer.groups == layer.filters > 1:
        kind = Conv2D
    return kind.from_config(layer.get_config())


def download(name: str) -> Path:
    """Let Keras download the published weights, keep them in its cache under our name, and return that path."""
    target = keras_cache() / FILE.format(name)
    try:
        published = APPLICATIONS[name].build(weights="imagenet")
    except Exception as error:  # Keras raises a bare Exception when a download fails
        raise InputError(
            f"weights: imagenet: {target.name} is neither in IGARAPE_WEIGHTS nor in {target.parent}, and the download "
            f"failed ({error}). Place the file there, or set the experiment's weights to none"
        ) from error
    target.parent.mkdir(parents=True, exist_ok=True)
    published.save_weights(target)
    return target
