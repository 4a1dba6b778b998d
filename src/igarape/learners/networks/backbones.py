"""The backbones, each from RGB values 0..255 to a probability per label."""

import math
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TypeAlias
from weakref import WeakSet

import keras
import tensorflow as tf

from igarape.config.hyperparameters import NetworkValues
from igarape.config.network_kinds import BACKBONE
from igarape.errors import InputError
from igarape.labels import Targets
from igarape.learners.networks.published import APPLICATIONS, Application, as_called, download, to_signed
from igarape.learners.networks.weights import find_imagenet

MOMENTUM = 0.9
FILTERS = (16, 32, 64, 128, 192)
HEAD, BODY = "head", "body"

Tensor: TypeAlias = keras.KerasTensor

# Layers of the users' backbones that a model was made of. One that comes again has learned from another fold's chips.
_GIVEN: WeakSet[keras.layers.Layer] = WeakSet()


def build_network(backbone: str, weights: str, *, targets: Targets, hyperparameters: NetworkValues) -> keras.Model:
    """Build a network from float32 (n, side, side, 3), RGB 0..255, of any side, to probabilities (n, labels).

    Parameters
    ----------
    backbone
        plain, a network of keras.applications, or a plugin.
    weights
        none, imagenet, or a path.
    targets
        The labels, in their order.
    hyperparameters
        dropout, width, frozen and loss are read here. With the loss softmax, the exclusive labels of the targets share
        one; every other label has a sigmoid of its own.

    Raises
    ------
    InputError
        When the weights can't be had, and for a plugin that does not give features (n, channels).
    """
    images = keras.Input((None, None, 3), name="pictures")
    features = build_body(backbone, weights, width=hyperparameters.width, frozen=hyperparameters.frozen)(images)
    dropped = keras.layers.Dropout(hyperparameters.dropout)(features)
    grouped = targets.grouped if hyperparameters.loss == "softmax" else 0
    name = backbone.rpartition(":")[2]  # a graph's scopes have no colons
    return keras.Model(images, _head(len(targets.labels), grouped, features.shape[-1])(dropped), name=name)


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


def build_body(backbone: str, weights: str, *, width: float, frozen: float, layers: Sequence[str] = ()) -> keras.Model:
    """Return the part from pictures, RGB 0..255, to features (n, channels): what the backbone expects, and itself.

    Parameters
    ----------
    backbone, weights
        As of build_network.
    width
        Multiplies the filters.
    frozen
        The share of its first layers that don't learn; normalisation among them keeps its statistics, too.
    layers
        Whose means and maxima over the picture are the features; none: what the backbone gives.

    Raises
    ------
    InputError
        When the weights can't be had, for a plugin that gives no features or a layer of an earlier model, and for
        layers that are not there.
    """
    images = keras.Input((None, None, 3))
    if backbone == "plain":
        return keras.Model(images, _plain(images, width), name=BODY)
    application = APPLICATIONS.get(backbone)
    if application is None:
        body, prepared = _from_plugin(backbone, width), images
    else:
        body, prepared = _published(application, width), application.prepare(images)
    _load_weights(body, backbone, weights)
    body = _pooled(body, backbone, layers) if layers else body
    for layer in body.layers[: round(frozen * len(body.layers))]:
        layer.trainable = False
    return keras.Model(images, body(prepared), name=BODY)


def _pooled(body: keras.Model, backbone: str, layers: Sequence[str]) -> keras.Model:
    """Return the model of the means and maxima of some layers over the picture; raise InputError for other layers."""
    there = {layer.name: layer.output for layer in body.layers if len(getattr(layer.output, "shape", ())) == 4}
    if unknown := [name for name in layers if name not in there]:
        near = get_close_matches(unknown[0], there, n=3, cutoff=0.0)
        raise InputError(
            f"layers: {unknown[0]}: not a layer of {backbone} that has rows and columns; some that are: "
            f"{', '.join(near)}"
        )
    kinds = (keras.layers.GlobalAveragePooling2D, keras.layers.GlobalMaxPooling2D)
    pooled = [kind()(there[name]) for name in layers for kind in kinds]
    return keras.Model(body.inputs, keras.layers.Concatenate()(pooled))


def _from_plugin(backbone: str, width: float) -> keras.Model:
    """Return what a backbone of the user's makes of pictures; raise InputError when that is no features."""
    make = BACKBONE.load(backbone)
    images = keras.Input((None, None, 3))
    try:
        features = make(images, width=width)
    except Exception as error:
        raise InputError(BACKBONE.failure(backbone, error)) from error
    shape = getattr(features, "shape", None)
    if not isinstance(features, keras.KerasTensor) or len(features.shape) != 2 or features.shape[1] is None:
        raise InputError(BACKBONE.fault(backbone, f"gave {type(features).__name__} of shape {shape}"))
    body = keras.Model(images, features)
    layers = list(body._flatten_layers())  # noqa: SLF001 - no public name reaches the layers within layers
    if kept := next((layer for layer in layers if layer in _GIVEN and layer.weights), None):
        raise InputError(
            BACKBONE.fault(
                backbone, f"the layer {kept.name} was in an earlier model too. Make all layers within the function"
            )
        )
    _GIVEN.update(layers)
    for layer in layers:
        if type(layer) is keras.layers.BatchNormalization:
            # In place: people's layers often lack what a copy is made by.
            layer.__class__, layer.momentum = BatchNormalization, MOMENTUM
    return body


class BatchNormalization(keras.layers.BatchNormalization):
    """Keras's layer, trained by TensorFlow's fused operation: the same in one pass over the memory instead of seven.

    As everywhere in TensorFlow 1 and 2, the moving variance then follows the batch's variance without bias, (n - 1).
    The operation takes pictures with the channels last, and wants a shift; all else is trained by Keras's own.
    The name is that of its parent because weights files know layers by the names of their classes.
    """

    def call(self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None) -> Tensor:  # noqa: FBT001
        """Normalise inputs (n, rows, columns, channels), or others as Keras does."""
        fused = self.center and len(inputs.shape) == 4 and self.axis in {-1, 3}
        if not (training and self.trainable and fused):
            return super().call(inputs, training=training, mask=mask)
        scale = keras.ops.ones_like(self.beta) if self.gamma is None else self.gamma
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, keras.ops.cast(scale, "float32"), keras.ops.cast(self.beta, "float32"), epsilon=self.epsilon
        )
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + batch * (1 - self.momentum))
        return outputs


def normalisations(model: keras.Model) -> list[BatchNormalization]:
    """Return a model's batch normalisations, those within its models and layers too."""
    layers = model._flatten_layers()  # noqa: SLF001 - no public name reaches the layers within layers
    return [layer for layer in layers if isinstance(layer, BatchNormalization)]


def activation_bytes(model: keras.Model, chips: int, size: int) -> int:
    """Return how many bytes a training step on so many chips holds at least: float32, on a CPU.

    What a layer that learns gives, or the activation of that, is kept until the step comes back to take gradients.
    """
    return _kept_bytes(model, (chips, size, size, 3))


def _kept_bytes(model: keras.Model, fed: tuple[int, ...]) -> int:
    """Return what a model, and those within it, keep of pictures or features of a shape."""
    within = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    kept = [layer.output for layer in model.layers if layer.trainable_weights and layer not in within]
    # No public name leads to what a model within is fed.
    entries = [layer._inbound_nodes[0].input_tensors[0] for layer in within]  # noqa: SLF001
    if not kept and not entries:
        return 0
    shapes = keras.Model(model.inputs, [*kept, *entries]).compute_output_shape(fed)
    inside = sum(_kept_bytes(layer, shape) for layer, shape in zip(within, shapes[len(kept) :], strict=True))
    return inside + 4 * sum(map(math.prod, shapes[: len(kept)]))


def _copied(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Copy a layer; what normalises, with a lower momentum: at 0.99 or 0.999 averages lag behind."""
    if isinstance(layer, keras.layers.BatchNormalization):
        return BatchNormalization.from_config(layer.get_config() | {"momentum": MOMENTUM})
    return as_called(layer)


def _published(application: Application, width: float) -> keras.Model:
    """Return a published network for pictures of any side."""
    images = keras.Input((None, None, 3))
    return keras.models.clone_model(application.build(width), input_tensors=images, clone_function=_copied)


def _plain(images: Tensor, width: float) -> Tensor:
    """Five blocks of convolution, normalisation and pooling, then the mean and the maximum over the picture."""
    x = to_signed(images)
    for filters in FILTERS:
        x = keras.layers.Conv2D(max(8, round(filters * width)), 3, padding="same", use_bias=False)(x)
        x = BatchNormalization(momentum=MOMENTUM)(x)
        x = keras.layers.ReLU()(x)
        x = keras.layers.MaxPooling2D()(x)
    mean = keras.layers.GlobalAveragePooling2D()(x)
    peak = keras.layers.GlobalMaxPooling2D()(x)
    return keras.layers.Concatenate()([mean, peak])


def weights_file(backbone: str, weights: str) -> Path:
    """Return the file of weights: imagenet, which is downloaded where it is not there, or a path.

    Raises InputError when the published weights can't be had.
    """
    return Path(weights) if weights != "imagenet" else find_imagenet(backbone) or download(backbone)


def _load_weights(body: keras.Model, name: str, weights: str) -> None:
    """Fill a backbone from a weights file, or leave it as it was drawn when weights is "none"."""
    if weights == "none":
        return
    path = weights_file(name, weights)
    try:
        body.load_weights(path)
    except (ValueError, OSError) as error:
        raise InputError(f"weights: {path}: these are not weights of {name} without top: {error}") from error
