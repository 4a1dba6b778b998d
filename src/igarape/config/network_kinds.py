"""What an experiment of a learner that has a network may say, trained or frozen: types, bounds, defaults, meanings."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from igarape.config.hyperparameters import LOSS, NetworkValues, ProbeValues
from igarape.config.kinds import Experiment
from igarape.config.networks import NETWORKS
from igarape.config.plugins import Role
from igarape.config.spaces import Space
from igarape.errors import InputError
from igarape.labels import Vocabulary

BACKBONE = Role(
    setting="backbone",
    words=("plain", *NETWORKS),
    group="igarape.backbones",
    parameters="images, *, width",
    gives="a Keras tensor (n, height, width, 3) of RGB 0..255 to features (n, channels)",
    call=(1, ("width",)),
)
FEATURES = replace(BACKBONE, setting="features", words=tuple(NETWORKS))
OF_ANY_WIDTH = ("plain", *(name for name, network in NETWORKS.items() if network.any_width))


class Network(Experiment):
    """A learner that is a neural network."""

    kind = "network"

    backbone: Annotated[str, BACKBONE] = Field(description="The network, fed as its weights want it, or one of yours.")
    weights: str = Field(default="none", min_length=1, description="none, imagenet, or the path of a weights file.")
    hyperparameters: Space[NetworkValues] = Space[NetworkValues]()

    @field_validator("backbone")
    @classmethod
    def _is_there(cls, backbone: str) -> str:
        return BACKBONE.check(backbone)

    @model_validator(mode="after")
    def _weights_fit(self) -> "Network":
        if self.weights == "none":
            if max(self.hyperparameters.options("head_epochs")) > 0:
                raise ValueError(
                    "hyperparameters.head_epochs should be 0 where weights are none: there are no features yet"
                )
            if max(self.hyperparameters.options("frozen")) > 0:
                raise ValueError(
                    "hyperparameters.frozen should be 0 where weights are none: there is nothing yet to keep"
                )
            return self
        if self.backbone == "plain":
            raise ValueError("weights should be none: the plain network has no published weights")
        if self.backbone not in NETWORKS and self.weights == "imagenet":
            raise ValueError(
                f"weights should be none, or the path of a weights file: {self.backbone} has no published weights"
            )
        if self.hyperparameters.options("width") != (1.0,):
            raise ValueError(
                "hyperparameters.width should be 1.0 where weights are loaded: they were made at that width"
            )
        return self

    @model_validator(mode="after")
    def _fits_the_backbone(self) -> "Network":
        least = NETWORKS[self.backbone].least if self.backbone in NETWORKS else 32
        side = self.size * min(self.hyperparameters.options("smallest"))
        if side < least:
            raise ValueError(
                f"size times hyperparameters.smallest should be at least {least} for {self.backbone} (got {side:g})"
            )
        if self.hyperparameters.options("width") != (1.0,) and self.backbone in set(NETWORKS) - set(OF_ANY_WIDTH):
            raise ValueError(
                f"hyperparameters.width should be 1.0 for {self.backbone}; only {', '.join(OF_ANY_WIDTH)} vary it, "
                "and backbones of yours"
            )
        return self

    def files(self) -> tuple[Path, ...]:
        """Return the weights' file; the published weights are no file of the user's, and never change."""
        return () if self.weights in {"none", "imagenet"} else (Path(self.weights),)

    def sources(self) -> tuple[Path, ...]:
        """Return the Python files from outside the package that this learner is made of: those of its plugins."""
        losses = (file for loss in self.hyperparameters.options("loss") for file in LOSS.sources(loss))
        return tuple(sorted({*BACKBONE.sources(self.backbone), *losses}))

    def check(self, vocabulary: Vocabulary, *, nir: bool) -> None:
        """Raise InputError when the data set cannot serve this learner; nir says whether it names TIFs."""
        super().check(vocabulary, nir=nir)
        _require(self.files(), "none, imagenet or a path")
        if "softmax" in self.hyperparameters.options("loss") and not self.targets(vocabulary).exclusive:
            raise InputError(
                "hyperparameters.loss: softmax is taken over the labels that exclude each other, and the data set "
                "names none among this learner's. Take another loss, or take this experiment out of params.yaml"
            )


class Probe(Experiment):
    """A learner that is a linear head on the features of a frozen network. Nothing in it is trained by epochs."""

    kind = "probe"

    backbone: Literal["probe"] = Field(description="A linear head on a frozen network's features.")
    features: Annotated[str, FEATURES] = Field(
        description="The frozen network, fed as its weights want it, or one of yours."
    )
    layers: tuple[str, ...] = Field(
        default=(),
        strict=False,
        description="Layers of the network, by their names in Keras, whose means and maxima over the chip are the "
        "features; none: what the network gives at its end.",
    )
    epochs: int = Field(default=1, ge=1, le=1, description="One: the head is solved for, not trained step by step.")
    weights: str = Field(default="imagenet", min_length=1, description="imagenet, or the path of a weights file.")
    hyperparameters: Space[ProbeValues] = Space[ProbeValues]()

    @field_validator("features")
    @classmethod
    def _is_there(cls, features: str) -> str:
        return FEATURES.check(features)

    @model_validator(mode="after")
    def _weights_fit(self) -> "Probe":
        if self.weights == "none":
            raise ValueError(
                "weights should be imagenet, or the path of a weights file: what is frozen has to know something"
            )
        if self.features not in NETWORKS and self.weights == "imagenet":
            raise ValueError(f"weights should be the path of a weights file: {self.features} has no published weights")
        least = NETWORKS[self.features].least if self.features in NETWORKS else 32
        if self.size < least:
            raise ValueError(f"size should be at least {least} for {self.features} (got {self.size})")
        return self

    def files(self) -> tuple[Path, ...]:
        """Return the weights' file; the published weights are no file of the user's, and never change."""
        return () if self.weights == "imagenet" else (Path(self.weights),)

    def sources(self) -> tuple[Path, ...]:
        """Return the Python files from outside the package that this learner is made of: those of its plugin."""
        return FEATURES.sources(self.features)

    def check(self, vocabulary: Vocabulary, *, nir: bool) -> None:
        """Raise InputError when the data set cannot serve this learner; nir says whether it names TIFs."""
        super().check(vocabulary, nir=nir)
        _require(self.files(), "imagenet or a path")


def _require(weights: tuple[Path, ...], ways_out: str) -> None:
    """Raise InputError for a weights file that is not there."""
    for path in weights:
        if not path.is_file():
            raise InputError(f"weights: {path}: no such file; set the experiment's weights to {ways_out}")
