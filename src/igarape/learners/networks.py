"""The backbones, each from RGB values 0..255 to a probability per label."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import keras

from igarape.errors import InputError

MOMENTUM = 0.9
FILTERS = (16, 32, 64, 128, 192)


def build_network(backbone: str, weights: str, *, size: int, labels: int, knobs: Mapping[str, float]) -> keras.Model:
    """Build a network from float32 (n, size, size, 3), RGB 0..255, to probabilities (n, labels).

    weights: none, imagenet, or a path. knobs: dropout and width are read here.
    Raises InputError when the weights can't be had.
    """
    pictures = keras.Input((size, size, 3), name="pictures")
    features = BACKBONES[backbone](pictures, weights, knobs["width"])
    features = keras.layers.Dropout(knobs["dropout"])(features)
    p = keras.layers.Dense(labels, activation="sigmoid", dtype="float32", name="p")(features)
    network = keras.Model(pictures, p, name=backbone)
    _quicken_statistics(network)
    return network


def _plain(pictures: keras.KerasTensor, _weights: str, width: float) -> keras.KerasTensor:
    """Five blocks of convolution, normalisation and pooling, then the mean and the maximum over the picture."""
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(pictures)
    for filters in FILTERS:
        x = keras.layers.Conv2D(max(8, round(filters * width)), 3, padding="same", use_bias=False)(x)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.ReLU()(x)
        x = keras.layers.MaxPooling2D()(x)
    mean = keras.layers.GlobalAveragePooling2D()(x)
    peak = keras.layers.GlobalMaxPooling2D()(x)
    return keras.layers.Concatenate()([mean, peak])


def _pretrained(name: str) -> Callable[..., keras.KerasTensor]:
    """Return a backbone made of one of keras.applications that expects values in -1..1."""

    def backbone(pictures: keras.KerasTensor, weights: str, width: float) -> keras.KerasTensor:
        x = keras.layers.Rescaling(1 / 127.5, offset=-1)(pictures)
        shape = pictures.shape[1:]
        body = APPLICATIONS[name](input_shape=shape, alpha=width, include_top=False, weights=None, pooling="avg")
        _load_weights(body, name, weights)
        return body(x)

    return backbone


APPLICATIONS: Mapping[str, Callable[..., keras.Model]] = {
    "mobilenet": keras.applications.MobileNet,
    "mobilenet_v2": keras.applications.MobileNetV2,
}

BACKBONES: Mapping[str, Callable[..., keras.KerasTensor]] = {
    "plain": _plain,
    **{name: _pretrained(name) for name in APPLICATIONS},
}


def _load_weights(body: keras.Model, name: str, weights: str) -> None:
    """Fill a backbone from a weights file, or leave it as it was drawn when weights is "none"."""
    if weights == "none":
        return
    path = find_imagenet(name) if weights == "imagenet" else Path(weights)
    if path is None:
        path = _download(name)
    if not path.is_file():
        raise InputError(f"weights: {path}: no such file; set the experiment's weights to none, imagenet or a path")
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
        published = APPLICATIONS[name](include_top=False, weights="imagenet", pooling="avg")
    except Exception as error:  # Keras raises a bare Exception when a download fails
        raise InputError(
            f"weights: imagenet: {target.name} is neither in IGARAPE_WEIGHTS nor in {target.parent}, and the download "
            f"failed ({error}). Place the file there, or set the experiment's weights to none"
        ) from error
    target.parent.mkdir(parents=True, exist_ok=True)
    published.save_weights(target)
    return target


def _quicken_statistics(network: keras.Model) -> None:
    """Lower the momentum of all batch normalisation: at 0.99 or 0.999 its averages lag behind a few hundred steps."""
    for layer in network._flatten_layers():  # noqa: SLF001 - Keras has no public walk into nested models
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = MOMENTUM
