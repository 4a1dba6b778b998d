"""What an experiment of a learner that has a network may say, and how each fault is told."""

from pathlib import Path
from typing import Any

import pytest
import tiny
from toy_experiments import HYPERPARAMETERS, WITH_RARE, WITHOUT_RARE, read, refused

from igarape.config.network_kinds import Probe
from igarape.config.schema import validate
from igarape.errors import InputError


def test_an_unknown_backbone_meets_the_nearest() -> None:
    """Or learns how one of its own is named."""
    (line,) = refused(backbone="mobilnet")
    assert line == (
        "  backbone  should be one that there is, or a plugin of yours as module:callable; did you mean mobilenet? "
        "(got 'mobilnet')"
    )


def test_a_head_cannot_learn_from_features_that_are_drawn_at_random() -> None:
    """Head first makes sense where weights are loaded."""
    (line,) = refused(hyperparameters=HYPERPARAMETERS | {"head_epochs": {"choice": [0, 20]}})
    assert "hyperparameters.head_epochs should be 0 where weights are none" in line
    read(weights="imagenet", hyperparameters=HYPERPARAMETERS | {"head_epochs": 20})


def test_only_loaded_weights_can_be_kept() -> None:
    """Layers that are frozen as they were drawn at random would say nothing."""
    (line,) = refused(hyperparameters=HYPERPARAMETERS | {"frozen": {"choice": [0, 0.4]}})
    assert "hyperparameters.frozen should be 0 where weights are none" in line
    read(weights="imagenet", hyperparameters=HYPERPARAMETERS | {"frozen": 0.4})


@pytest.mark.parametrize(
    ("backbone", "size", "smallest", "least"), [("inception_v3", 64, 1, 96), ("vgg16", 32, 0.5, 32)]
)
def test_the_smallest_chips_have_to_fit_the_backbone(backbone: str, size: int, smallest: float, least: int) -> None:
    """Its last block would have nothing to see; chips that grow are looked at where they are smallest."""
    (line,) = refused(backbone=backbone, size=size, hyperparameters=HYPERPARAMETERS | {"smallest": smallest})
    assert f"size times hyperparameters.smallest should be at least {least} for {backbone}" in line


def test_only_some_networks_can_be_made_wider() -> None:
    """For the others a width would mean nothing."""
    (line,) = refused(backbone="vgg16", hyperparameters=HYPERPARAMETERS | {"width": 0.5})
    assert "hyperparameters.width should be 1.0 for vgg16" in line


def test_a_missing_weights_file_is_named_before_anything_is_trained() -> None:
    """And the error says what an experiment may set instead."""
    wanted = read(weights="gone.weights.h5")
    with pytest.raises(
        InputError, match=r"weights: gone\.weights\.h5: no such file; set the experiment's weights to none"
    ):
        wanted.check(WITH_RARE, nir=False)


@pytest.mark.parametrize(("weights", "files"), [("none", ()), ("imagenet", ()), ("a/b.h5", (Path("a/b.h5"),))])
def test_an_experiment_begins_with_a_file_where_its_weights_are_one(weights: str, files: tuple[Path, ...]) -> None:
    """Trees begin with none."""
    assert read(weights=weights, hyperparameters=HYPERPARAMETERS).files() == files
    assert tiny.tabular().files() == ()


def test_a_softmax_needs_labels_that_exclude_each_other() -> None:
    """Among those that the learner predicts."""
    wanted = read(hyperparameters=HYPERPARAMETERS | {"loss": {"choice": ["bce", "softmax"]}})
    wanted.check(WITH_RARE, nir=False)
    with pytest.raises(InputError, match=r"hyperparameters\.loss: softmax.*the data set names none"):
        wanted.check(WITHOUT_RARE, nir=False)
    with pytest.raises(InputError, match=r"hyperparameters\.loss: softmax"):
        read(labels="rare", hyperparameters=HYPERPARAMETERS | {"loss": "softmax"}).check(WITH_RARE, nir=False)


def test_the_plain_network_has_no_published_weights() -> None:
    """`weights=None` is not to be called transfer learning, nor the other way round."""
    (line,) = refused(backbone="plain", weights="imagenet")
    assert "weights should be none" in line


@pytest.mark.parametrize("width", [0.5, {"choice": [0.5, 1.0]}])
def test_loaded_weights_fix_the_width(width: object) -> None:
    """Weights were made at width 1, so another width, or a search over it, cannot load them."""
    (line,) = refused(weights="imagenet", hyperparameters=HYPERPARAMETERS | {"width": width})
    assert "hyperparameters.width should be 1.0 where weights are loaded" in line


def read_probe(**changes: object) -> Probe:
    """Validate the experiment of a probe with changes."""
    return validate(Probe, tiny.PROBE | changes, "e.yaml")


def test_a_probe_has_features_in_place_of_a_network_of_its_own() -> None:
    """Its weights are the published ones unless a file is named, which is then a file that it begins with."""
    assert read_probe() == tiny.probe()
    assert tiny.probe().files() == tiny.probe().sources() == ()
    assert tiny.probe().weights == Probe(backbone="probe", features="vgg16").weights == "imagenet"
    assert read_probe(weights="a/b.h5").files() == (Path("a/b.h5"),)
    with pytest.raises(InputError, match=r"weights: a/b\.h5: no such file; .* weights to imagenet or a path"):
        read_probe(weights="a/b.h5").check(WITH_RARE, nir=False)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"features": "mobilnet"},
            "  features  should be one that there is, or a plugin of yours as module:callable",
        ),
        ({"features": "plain"}, "  features  should be one that there is, or a plugin of yours"),
        (
            {"weights": "none"},
            "  weights should be imagenet, or the path of a weights file: what is frozen",
        ),
        ({"features": "inception_v3", "size": 64}, "  size should be at least 96 for inception_v3 (got 64)"),
        ({"epochs": 2}, "  epochs  should be at most 1 (got 2)"),
        ({"layers": "conv"}, "  layers  should be"),
        ({"hyperparameters": {"l2": 0}}, "  hyperparameters.l2  should lie in 0.001..1000000.0 (got 0)"),
        (
            {"hyperparameters": {"dropout": 0}},
            "  hyperparameters.dropout  is not known; known are: balance, gamma, head, l2",
        ),
    ],
)
def test_a_fault_of_a_probe_is_told_in_one_line(changes: dict[str, Any], line: str) -> None:
    """Before anything is computed."""
    with pytest.raises(InputError) as caught:
        read_probe(**changes)
    assert [line.partition("(")[0] in found for found in str(caught.value).splitlines()[1:]] == [True]


def test_a_probe_may_be_of_features_of_the_users(plugin_folder: Path) -> None:
    """With a file of weights, as nobody has published any."""
    (plugin_folder / "my_models.py").write_text("def small(images, *, width):\n    return images\n", encoding="utf-8")
    wanted = {"features": "my_models:small", "weights": "mine.weights.h5"}
    assert read_probe(**wanted).sources() == (plugin_folder / "my_models.py",)
    with pytest.raises(InputError, match="my_models:small has no published weights"):
        read_probe(**wanted | {"weights": "imagenet"})
