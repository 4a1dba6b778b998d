"""The backbones, each from RGB values 0..255 to a probability per label."""

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import keras
import tensorflow as tf

from igarape.config.hyperparameters import NetworkValues
from igarape.errors import InputError
from igarape.labels import Targets

MOMENTUM = 0.9
FILTERS = (16, 32, 64, 128, 192)
IMAGENET_MEAN, IMAGENET_DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)  # of R, G and B in 0..255
HEAD, BODY = "head", "body"

Tensor: TypeAlias = keras.KerasTensor


def build_network(backbone: str, weights: str, *, targets: Targets, hyperparameters: NetworkValues) -> keras.Model:
    """Build a network from float32 (n, side, side, 3), RGB 0..255, of any side, to probabilities (n, labels).

    weights: none, imagenet, or a path. hyperparameters: dropout, width, frozen and loss are read here; with the loss
    softmax, the exclusive labels of the targets share one; every other label has a sigmoid of its own.
    Raises InputError when the weights can't be had.
    """
    images = keras.Input((None, None, 3), name="pictures")
    features = _body(backbone, weights, width=hyperparameters.width, frozen=hyperparameters.frozen)(images)
    dropped = keras.layers.Dropout(hyperparameters.dropout)(features)
    grouped = targets.grouped if hyperparameters.loss == "softmax" else 0
    return keras.Model(images, _head(len(targets.labels), grouped, features.shape[-1])(dropped), name=backbone)


def _head(labels: int, grouped: int, width: int) -> keras.Model:
    """Return the part from features (n, width) to probabilities (n, labels), in float32 whatever comes before.

    grouped: how many of the first labels share a softmax.
    """
    features = keras.Input((width,))
    scores = keras.layers.Dense(labels, dtype="float32")(features)
    p = keras.layers.Activation("sigmoid", dtype="float32")(scores[:, grouped:])
    if grouped:
        shares = keras.layers.Softmax(dtype="float32")(scores[:, :grouped])
        p = keras.layers.Concatenate(dtype="float32")([shares, p])
    return keras.Model(features, p, name=HEAD)


def _body(backbone: str, weights: str, *, width: float, frozen: float) -> keras.Model:
    """Return the part from pictures, RGB 0..255, to features (n, channels): what the backbone expects, and itself.

    frozen: the share of its first layers that don't learn; normalisation among them keeps its statistics, too.
    """
    images = keras.Input((None, None, 3))
    if backbone == "plain":
        return keras.Model(images, _plain(images, width), name=BODY)
    application = APPLICATIONS[backbone]
    alpha = {} if width == 1.0 else {"alpha": width}
    published = application.make(input_shape=(None, None, 3), include_top=False, weights=None, pooling="avg", **alpha)
    body = keras.models.clone_model(published, clone_function=_quickened)
    _load_weights(body, backbone, weights)
    for layer in body.layers[: round(frozen * len(body.layers))]:
        layer.trainable = False
    return keras.Model(images, body(application.prepare(images)), name=BODY)


class BatchNormalization(keras.layers.BatchNormalization):
    """Keras's layer, trained by TensorFlow's fused operation: the same in one pass over the memory instead of seven.

    As everywhere in TensorFlow 1 and 2, the moving variance then follows the batch's variance without bias, (n - 1).
    The name is that of its parent because weights files know layers by the names of their classes.
    """

    def call(self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None) -> Tensor:  # noqa: FBT001
        """Normalise inputs (n, rows, columns, channels)."""
        if not (training and self.trainable):
            return super().call(inputs, training=training, mask=mask)
        scale = keras.ops.ones_like(self.beta) if self.gamma is None else self.gamma
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, keras.ops.cast(scale, "float32"), keras.ops.cast(self.beta, "float32"), epsilon=self.epsilon
        )
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + batch * (1 - self.momentum))
        return outputs


def normalisations(model: keras.Model) -> list[BatchNormalization]:
    """Return a model's batch normalisations, those of the models within it too."""
    found = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            found += normalisations(layer)
        elif isinstance(layer, BatchNormalization):
            found.append(layer)
    return found


def activation_bytes(model: keras.Model, chips: int, size: int) -> int:
    """Return how many bytes a training step on so many chips holds at least: float32, on a CPU.

    What a layer that learns gives, or the activation of that, is kept until the step comes back to take gradients.
    """
    kept = [layer.output for layer in model.layers if layer.trainable_weights and not isinstance(layer, keras.Model)]
    shapes = keras.Model(model.inputs, kept).compute_output_shape((chips, size, size, 3)) if kept else []
    within = sum(activation_bytes(layer, chips, size) for layer in model.layers if isinstance(layer, keras.Model))
    return within + 4 * sum(map(math.prod, shapes))


def _quickened(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Copy a layer; what normalises, with a lower momentum: at 0.99 or 0.999 averages lag behind."""
    if isinstance(layer, keras.layers.BatchNormalization):
        return BatchNormalization.from_config(layer.get_config() | {"momentum": MOMENTUM})
    return type(layer).from_config(layer.get_config())


def _plain(images: Tensor, width: float) -> Tensor:
    """Five blocks of convolution, normalisation and pooling, then the mean and the maximum over the picture."""
    x = _to_signed(images)
    for filters in FILTERS:
        x = keras.layers.Conv2D(max(8, round(filters * width)), 3, padding="same", use_bias=False)(x)
        x = BatchNormalization(momentum=MOMENTUM)(x)
        x = keras.layers.ReLU()(x)
        x = keras.layers.MaxPooling2D()(x)
    mean = keras.layers.GlobalAveragePooling2D()(x)
    peak = keras.layers.GlobalMaxPooling2D()(x)
    return keras.layers.Concatenate()([mean, peak])


def _to_signed(images: Tensor) -> Tensor:
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


@dataclass(frozen=True)
class Application:
    """A network of keras.applications, and how it wants RGB values 0..255 prepared."""

    make: Callable[..., keras.Model]
    prepare: Callable[[Tensor], Tensor]


APPLICATIONS: Mapping[str, Application] = {
    "vgg16": Application(keras.applications.VGG16, _to_centred_bgr),
    "resnet50": Application(keras.applications.ResNet50, _to_centred_bgr),
    "mobilenet": Application(keras.applications.MobileNet, _to_signed),
    "mobilenet_v2": Application(keras.applications.MobileNetV2, _to_signed),
    "densenet121": Application(keras.applications.DenseNet121, _to_standard),
    "inception_v3": Application(keras.applications.InceptionV3, _to_signed),
    "efficientnet_v2b0": Application(keras.applications.EfficientNetV2B0, _as_they_are),
    "convnext_tiny": Application(keras.applications.ConvNeXtTiny, _as_they_are),
}


def _load_weights(body: keras.Model, name: str, weights: str) -> None:
    """Fill a backbone from a weights file, or leave it as it was drawn when weights is "none"."""
    if weights == "none":
        return
    path = find_imagenet(name) if weights == "imagenet" else Path(weights)
    if path is None:
        path = _download(name)
    try:
        body.load_weights(path)
    except (ValueError, OSError) as error:
        raise InputError(f"weights: {path}: these are not weights of {name} without top: {error}") from error


def keras_cache() -> Path:
    """Return the folder in which Keras keeps downloaded weights."""
    return Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "models"


def find_imagenet(name: str) -> Path | None:
    """Return <name>_imagenet_notop.weights.h5 in IGARAPE_WEIGHTS or in Keras's cache; None when it is in neither."""
    places = [keras_cache()]
    if os.environ.get("IGARAPE_WEIGHTS"):
        places.insert(0, Path(os.environ["IGARAPE_WEIGHTS"]))
    files = [place / f"{name}_imagenet_notop.weights.h5" for place in places]
    return next((file for file in files if file.is_file()), None)


def _download(name: str) -> Path:
    """Let Keras download the published weights, keep them in its cache under our name, and return that path."""
    target = keras_cache() / f"{name}_imagenet_notop.weights.h5"
    try:
        published = APPLICATIONS[name].make(include_top=False, weights="imagenet", pooling="avg")
    except Exception as error:  # Keras raises a bare Exception when a download fails
        raise InputError(
            f"weights: imagenet: {target.name} is neither in IGARAPE_WEIGHTS nor in {target.parent}, and the download "
            f"failed ({error}). Place the file there, or set the experiment's weights to none"
        ) from error
    target.parent.mkdir(parents=True, exist_ok=True)
    published.save_weights(target)
    return target
