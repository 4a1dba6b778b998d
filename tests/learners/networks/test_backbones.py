"""The backbones: pictures in, a probability per label out, and weights from a file or a clear error."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from igarape.config.networks import NETWORKS
from igarape.errors import InputError
from igarape.learners.networks import backbones as networks
from igarape.learners.networks import published
from igarape.learners.networks.backbones import BODY, HEAD, activation_bytes, build_network
from igarape.learners.networks.published import APPLICATIONS, Application
from igarape.learners.networks.weights import find_imagenet

SIZE = 32
BACKBONES = ["plain", "mobilenet", "mobilenet_v2"]  # those that build in a second; all of them in the slow test
HYPERPARAMETERS = {"dropout": 0.1, "width": 0.25, "frozen": 0.0}
PICTURES = np.random.default_rng(1).integers(0, 256, (3, SIZE, SIZE, 3)).astype(np.float32)


pytestmark = [
    pytest.mark.filterwarnings("ignore:Skipping nested container"),  # Keras, before it refuses weights
    pytest.mark.filterwarnings("ignore:__array__ implementation"),  # Keras reads h5 files so
]


def build(
    backbone: str, weights: str = "none", hyperparameters: Mapping[str, float] = HYPERPARAMETERS, *, exclusive: int = 0
) -> keras.Model:
    """Build a small network of five labels."""
    values = tiny.values(**hyperparameters, loss="softmax" if exclusive else "bce")
    return build_network(backbone, weights, targets=tiny.targets(5, exclusive), hyperparameters=values)


@cache
def usual(backbone: str) -> keras.Model:
    """Build such a network once, for tests that leave its weights as they are."""
    return build(backbone)


def body(name: str) -> keras.Model:
    """Make what a weights file of the network holds: the application without top."""
    return APPLICATIONS[name].make(
        input_shape=(SIZE, SIZE, 3), alpha=0.25, include_top=False, weights=None, pooling="avg"
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write weights files of small networks, under the names that Igarape looks for."""
    folder = tmp_path_factory.mktemp("weights")
    paths = {name: folder / f"{name}_imagenet_notop.weights.h5" for name in ("mobilenet", "mobilenet_v2")}
    for name, path in paths.items():
        keras.utils.set_random_seed(7)
        body(name).save_weights(path)
    return paths


@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_network_gives_probabilities_in_float32(backbone: str) -> None:
    """(n, size, size, 3) RGB 0..255 -> (n, labels), each in 0..1, and different for different pictures."""
    network = usual(backbone)
    assert network.input_shape == (None, None, None, 3)
    p = np.asarray(network(PICTURES, training=False))
    assert p.shape == (3, 5)
    assert p.dtype == np.float32
    assert ((p > 0) & (p < 1)).all()
    trained = np.asarray(network(PICTURES, training=True))  # untrained statistics let nothing through a MobileNet
    assert (trained[0] != trained[1]).any()


SMALLEST = [  # of each family
    "vgg16",
    "resnet50",
    "resnet50_v2",
    "mobilenet",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "densenet121",
    "inception_v3",
    "inception_resnet_v2",
    "xception",
    "nasnet_mobile",
    "efficientnet_b0",
    "efficientnet_v2b0",
    "efficientnet_v2s",
    "convnext_tiny",
]


@pytest.mark.thorough
@pytest.mark.timeout(300)
@pytest.mark.parametrize("backbone", SMALLEST)
def test_every_backbone_answers_chips_of_any_size_and_learns(backbone: str) -> None:
    """Its own way of preparing RGB values 0..255 stands in front of it; one step of training changes its answers."""
    network = build(backbone, hyperparameters=HYPERPARAMETERS | {"dropout": 0.0, "width": 1.0})
    side = NETWORKS[backbone].least
    images = np.random.default_rng(2).integers(0, 256, (2, side, side, 3)).astype(np.float32)
    before = np.asarray(network(images, training=True))
    assert np.asarray(network(np.tile(images, (1, 2, 1, 1)), training=False)).shape == before.shape == (2, 5)
    network.compile(optimizer=keras.optimizers.SGD(0.1), loss="binary_crossentropy")
    network.train_on_batch(images, np.eye(2, 5, dtype=np.float32))
    assert (np.asarray(network(images, training=True)) != before).any()


def test_a_step_holds_what_each_learning_layer_gives() -> None:
    """Known answer: five convolutions and normalisations at 32, 16, 8, 4 and 2 pixels. What is frozen holds nothing."""
    filters = (8, 8, 16, 32, 48)  # a quarter of the plain network's, but eight at least
    values = sum(2 * (32 >> block) ** 2 * count for block, count in enumerate(filters))
    assert activation_bytes(usual("plain").get_layer(BODY), 3, 32) == 3 * values * 4
    whole, half, none = (
        activation_bytes(network.get_layer(BODY), 3, 32)
        for network in (
            usual("mobilenet"),
            *(build("mobilenet", hyperparameters=HYPERPARAMETERS | {"frozen": share}) for share in (0.5, 1.0)),
        )
    )
    assert whole > 2 * half > none == 0


def test_a_step_through_a_model_within_holds_what_that_is_fed() -> None:
    """Known answer: a convolution at half the side, and one within that sees its 8 channels, at a quarter."""
    images = keras.Input((None, None, 3))
    features = keras.layers.Conv2D(8, 2, strides=2)(images)
    model = keras.Model(images, keras.Sequential([keras.layers.Conv2D(4, 2, strides=2)])(features))
    assert activation_bytes(model, 2, 32) == 2 * (8 * 16 * 16 + 4 * 8 * 8) * 4


def test_the_first_labels_share_a_softmax() -> None:
    """Their probabilities add up to 1; the others' need not."""
    p = np.asarray(build("plain", exclusive=3)(PICTURES, training=False))
    np.testing.assert_allclose(p[:, :3].sum(axis=1), 1.0, atol=1e-6)
    assert (abs(p.sum(axis=1) - 2) > 1e-3).any()


@pytest.mark.parametrize("backbone", BACKBONES)
def test_the_statistics_of_every_normalisation_follow_quickly(backbone: str) -> None:
    """At Keras's own momentum they lag behind in a few hundred steps, nested layers included."""
    network = usual(backbone)
    found = [layer for layer in network._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    assert len(found) >= 5
    assert {layer.momentum for layer in found} == {0.9}
    assert {type(layer) for layer in found} == {networks.BatchNormalization}


def trained_once(layer: keras.layers.Layer, x: np.ndarray) -> list[tf.Tensor]:
    """Give a normalisation weights, and return its answers in training, their gradients, and the moving mean."""
    layer.build(x.shape)
    layer.set_weights([np.linspace(0.5, 1.5, layer.moving_mean.shape[0], dtype=np.float32) for _ in layer.weights])
    with tf.GradientTape() as tape:
        seen = tf.Variable(x)
        answer = layer(seen, training=True)
        loss = tf.reduce_sum(answer * tf.cos(answer))
    gradients = tape.gradient(loss, [seen, *(weight.value for weight in layer.trainable_weights)])
    return [answer, *gradients, layer.moving_mean.value]


@pytest.mark.parametrize("scale", [True, False])
def test_the_fused_normalisation_is_that_of_keras(scale: bool) -> None:
    """In training: the same answers, gradients and moving mean; the moving variance without bias. Else: the same."""
    ours = networks.BatchNormalization(momentum=0.9, scale=scale)
    theirs = keras.layers.BatchNormalization(momentum=0.9, scale=scale)
    x = np.random.default_rng(4).normal(3.0, 2.0, (5, 4, 3, 2)).astype(np.float32)
    for mine, other in zip(trained_once(ours, x), trained_once(theirs, x), strict=True):
        assert np.allclose(mine, other, rtol=1e-4, atol=1e-4)
    expected = 0.9 * np.linspace(0.5, 1.5, 2) + 0.1 * x.var(axis=(0, 1, 2), ddof=1)
    assert np.allclose(ours.moving_variance.value, expected, rtol=1e-5)
    theirs.set_weights(ours.get_weights())
    assert np.array_equal(ours(x, training=False), theirs(x, training=False))


@pytest.mark.parametrize(
    ("shape", "options"), [((9, 2), {}), ((5, 4, 3, 2), {"center": False}), ((5, 2, 4, 3), {"axis": 1})]
)
def test_what_the_fused_operation_cannot_do_is_trained_by_keras(
    shape: tuple[int, ...], options: dict[str, int]
) -> None:
    """Features without rows and columns, as backbones of one's own have them; no shift; the channels first."""
    ours = networks.BatchNormalization(momentum=0.9, **options)
    theirs = keras.layers.BatchNormalization(momentum=0.9, **options)
    x = np.random.default_rng(4).normal(3.0, 2.0, shape).astype(np.float32)
    for mine, other in zip(trained_once(ours, x), trained_once(theirs, x), strict=True):
        assert np.array_equal(mine, other)
    assert np.array_equal(ours.moving_variance.value, theirs.moving_variance.value)


@pytest.mark.parametrize("backbone", BACKBONES[:2])
def test_the_width_multiplies_the_filters(backbone: str) -> None:
    """A wider network has more weights: the plain one, and a published one, which Keras builds."""
    wider = build(backbone, hyperparameters=HYPERPARAMETERS | {"width": 0.5})
    assert wider.count_params() > 2 * usual(backbone).count_params()


def test_dropout_acts_in_training_only() -> None:
    """An answer does not depend on chance."""
    network = build("plain", hyperparameters=HYPERPARAMETERS | {"dropout": 0.5})
    assert (np.asarray(network(PICTURES, training=False)) == np.asarray(network(PICTURES, training=False))).all()
    assert (np.asarray(network(PICTURES, training=True)) != np.asarray(network(PICTURES, training=True))).any()


def test_frozen_layers_stay_as_they_were_loaded(files: dict[str, Path]) -> None:
    """Their normalisation keeps its statistics too; all others learn, and so does the head."""
    network = build("mobilenet", str(files["mobilenet"]), HYPERPARAMETERS | {"frozen": 0.4})
    (inner,) = (layer for layer in network.get_layer(BODY).layers if isinstance(layer, keras.Model))
    layers = [*inner.layers, network.get_layer(HEAD)]
    before = [layer.get_weights() for layer in layers]
    network.compile(optimizer=keras.optimizers.SGD(0.1), loss="binary_crossentropy")
    network.train_on_batch(PICTURES, np.eye(3, 5, dtype=np.float32))
    learned = [
        any((now != old).any() for now, old in zip(layer.get_weights(), weights, strict=True))
        for layer, weights in zip(layers, before, strict=True)
        if weights
    ]
    kept = sum(1 for weights in before[: round(0.4 * len(inner.layers))] if weights)
    assert 0 < kept < len(learned) - 1
    assert learned == [False] * kept + [True] * (len(learned) - kept)


def features(network: keras.Model) -> Any:
    """Return the weights below the last layer."""
    return network.get_layer(BODY).get_weights()


def test_weights_are_loaded_from_a_path(files: dict[str, Path]) -> None:
    """All of the backbone's weights are the file's."""
    loaded = build("mobilenet", str(files["mobilenet"]))
    expected = body("mobilenet")
    expected.load_weights(files["mobilenet"])
    for a, b in zip(features(loaded), expected.get_weights(), strict=True):
        assert (a == b).all()


def test_imagenet_weights_come_from_the_file(files: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where learners.networks.weights finds it."""
    monkeypatch.setenv("IGARAPE_WEIGHTS", str(files["mobilenet"].parent))
    assert len(features(build("mobilenet", "imagenet"))) > 0


def test_weights_of_another_network_are_refused(files: dict[str, Path]) -> None:
    """Nothing is loaded in part."""
    with pytest.raises(InputError, match="these are not weights of mobilenet without top"):
        build("mobilenet", str(files["mobilenet_v2"]))


@pytest.mark.parametrize("name", ["cut.weights.h5", "text.weights.h5", "weights.txt"])
def test_a_damaged_weights_file_is_refused(files: dict[str, Path], tmp_path: Path, name: str) -> None:
    """A truncated file, text under the name of weights, and a name that Keras does not know."""
    data = {"cut.weights.h5": files["mobilenet"].read_bytes()[:5000]}
    path = tmp_path / name
    path.write_bytes(data.get(name, b"not weights"))
    with pytest.raises(InputError, match=f"{name}: these are not weights of mobilenet"):
        build("mobilenet", str(path))


def test_without_file_and_without_network_the_error_says_which_file_goes_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """IGARAPE_WEIGHTS and Keras's cache are both named."""

    def offline(**options: object) -> keras.Model:
        if options["weights"] == "imagenet":
            raise OSError("URL fetch failure")
        return body("mobilenet")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("IGARAPE_WEIGHTS", raising=False)
    monkeypatch.setattr(published, "APPLICATIONS", {"mobilenet": Application(offline, lambda x: x)})
    with pytest.raises(InputError) as caught:
        build("mobilenet", "imagenet")
    words = ("mobilenet_imagenet_notop.weights.h5", "IGARAPE_WEIGHTS", str(tmp_path / "models"), "URL fetch failure")
    assert all(word in str(caught.value) for word in words)


def test_downloaded_weights_are_kept_under_our_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second time no network is needed."""

    def online(**options: object) -> keras.Model:
        return body("mobilenet")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("IGARAPE_WEIGHTS", raising=False)
    monkeypatch.setattr(published, "APPLICATIONS", {"mobilenet": Application(online, lambda x: x)})
    build("mobilenet", "imagenet")
    assert find_imagenet("mobilenet") == tmp_path / "models" / "mobilenet_imagenet_notop.weights.h5"


PLUGIN = """
import keras
from my_blocks import Block

def small(images, *, width):
    x = keras.layers.Rescaling(1 / 255)(images)
    x = Block(round(8 * width))(x) + 0.0
    x = keras.layers.BatchNormalization()(x)
    return keras.ops.mean(keras.ops.relu(x), axis=(1, 2))

def picture(images, *, width):
    return images

def broken(images, *, width):
    return images.no_such_thing

even = keras.layers.Rescaling(1 / 255)
kept = keras.Sequential([keras.layers.Conv2D(8, 3), keras.layers.GlobalMaxPooling2D()])

def sharing(images, *, width):
    return kept(images)

def scaling(images, *, width):
    return keras.layers.GlobalAveragePooling2D()(even(images))
"""
BLOCKS = """
import keras

class Block(keras.layers.Layer):  # without get_config, as people write them
    def __init__(self, filters):
        super().__init__()
        self.inner = keras.layers.Conv2D(filters, 3, padding="same")
        self.even = keras.layers.BatchNormalization()

    def call(self, x):
        return self.even(self.inner(x))
"""


@pytest.fixture
def plugins(plugin_folder: Path) -> Path:
    """Give a project's folder with backbones of the user's."""
    (plugin_folder / "my_networks.py").write_text(PLUGIN, encoding="utf-8")
    (plugin_folder / "my_blocks.py").write_text(BLOCKS, encoding="utf-8")
    return plugin_folder


def test_a_backbone_of_the_users_becomes_a_network(plugins: Path) -> None:
    """Its normalisation is ours, whatever else it is made of; its width is its own; it learns and loads its weights."""
    network = build("my_networks:small", hyperparameters=HYPERPARAMETERS | {"width": 1.0})
    assert network.get_layer(BODY).output_shape == (None, 8)
    assert [layer.momentum for layer in networks.normalisations(network)] == [0.9, 0.9]
    assert activation_bytes(network.get_layer(BODY), 2, 32) == 2 * (8 * 32 * 32 * 2) * 4
    before = np.asarray(network(PICTURES, training=False))
    network.compile(optimizer=keras.optimizers.SGD(0.1), loss="binary_crossentropy")
    network.train_on_batch(PICTURES, np.eye(3, 5, dtype=np.float32))
    assert (np.asarray(network(PICTURES, training=False)) != before).any()
    (inner,) = (layer for layer in network.get_layer(BODY).layers if isinstance(layer, keras.Model))
    inner.save_weights(plugins / "mine.weights.h5")
    again = build("my_networks:small", str(plugins / "mine.weights.h5"), HYPERPARAMETERS | {"width": 1.0})
    assert all((a == b).all() for a, b in zip(features(network), features(again), strict=True))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "picture",
            r"my_networks\.py: gave KerasTensor of shape \(None, None, None, 3\); expected def picture\(",
        ),
        ("broken", r"my_networks\.py: line 15: AttributeError: .*no_such_thing"),
    ],
)
def test_what_gives_no_features_is_an_error_with_its_file(plugins: Path, name: str, message: str) -> None:
    """And how it should be written."""
    with pytest.raises(InputError, match=message):
        build(f"my_networks:{name}")


def test_a_layer_that_two_models_share_is_an_error(plugins: Path) -> None:
    """The next fold's model would begin with what it has learned; a layer without weights learns nothing."""
    build("my_networks:sharing")
    with pytest.raises(InputError, match=r"my_networks\.py: the layer sequential\w* was in an earlier model too"):
        build("my_networks:sharing")
    build("my_networks:scaling")
    build("my_networks:scaling")
