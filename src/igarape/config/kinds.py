"""The kinds of learners: what an experiment of each may say, with its types, bounds, defaults and meanings."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from igarape.config.hyperparameters import (
    LOSS,
    FisherValues,
    KernelValues,
    NetworkValues,
    ProbeValues,
    TreeValues,
    Values,
)
from igarape.config.networks import NETWORKS
from igarape.config.plugs import Role
from igarape.config.schema import Section
from igarape.config.spaces import Space
from igarape.errors import InputError
from igarape.labels import Targets, Vocabulary

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


def _by_name(labels: object) -> str:
    """Say whether an experiment lists its labels, or has a word for them."""
    return "Named" if isinstance(labels, list | tuple) else "Word"


LabelsWanted = Annotated[
    Annotated[Literal["all", "rare"], Tag("Word")]
    | Annotated[Annotated[tuple[str, ...], Field(strict=False, min_length=1)], Tag("Named")],
    Discriminator(_by_name),
]


class Experiment(Section):
    """What each experiments/E.yaml may say, whatever its learner is made of; what it leaves out is as here."""

    kind: ClassVar[str]

    backbone: str
    chips: Literal["raw", "dehazed", "nir"] = Field(
        default="raw", description="Which chips the learner sees: as they are, without haze, or near-infrared planes."
    )
    labels: LabelsWanted = Field(
        default="all", description="Labels that it predicts: all, the rare ones, or a list of the data set's."
    )
    size: int = Field(default=128, ge=32, le=1024, multiple_of=32, description="Side of the input in pixels.")
    objective: Literal["f2", "map"] = Field(
        default="f2",
        description="What the search maximises on validation rows: sample F2, or mean average precision.",
    )
    epochs: int = Field(
        default=10, ge=1, le=1000, description="Epochs of a full training; the budgets in params.yaml multiply them."
    )
    batch: int = Field(default=32, ge=1, le=4096, description="Chips that are worked on at once.")
    hyperparameters: Space[Values]

    def targets(self, vocabulary: Vocabulary) -> Targets:
        """Return what this learner predicts; raise InputError when the data set has no such labels."""
        try:
            targets = vocabulary.targets(self.labels)
        except InputError as error:
            raise InputError(f"labels: {error}. Name labels of the data set's YAML") from error
        if not targets.labels:
            raise InputError(
                f"labels: {self.labels}: the data set names no {self.labels} labels. "
                "Take this experiment out of params.yaml"
            )
        return targets

    def check(self, vocabulary: Vocabulary, *, nir: bool) -> None:
        """Raise InputError when the data set cannot serve this learner; nir says whether it names TIFs."""
        self.targets(vocabulary)
        if self.chips == "nir" and not nir:
            raise InputError(
                "chips: nir: the data set names no TIFs to take near-infrared from. Name them in its YAML, under "
                "source.nir, or take this experiment out of params.yaml"
            )

    def files(self) -> tuple[Path, ...]:
        """Return the files that this learner begins with."""
        return ()

    def sources(self) -> tuple[Path, ...]:
        """Return the Python files from outside the package that this learner is made of: those of its plugs."""
        return ()


class Tabular(Experiment):
    """A learner that is boosted trees on the chips' colour and texture statistics. An epoch is a round of boosting."""

    kind = "tabular"

    backbone: Literal["tabular"] = Field(description="Boosted trees on a chip's statistics, in place of a network.")
    epochs: int = Field(
        default=200, ge=1, le=1000, description="Rounds of boosting; the budgets in params.yaml multiply them."
    )
    hyperparameters: Space[TreeValues] = Space[TreeValues]()


class Kernel(Experiment):
    """A learner that is a kernel machine on the chips' statistics. Nothing in it is trained by epochs."""

    kind = "kernel"

    backbone: Literal["kernel"] = Field(description="Kernel logistic regression on a chip's statistics.")
    epochs: int = Field(default=1, ge=1, le=1, description="One: the weights are solved for, not trained step by step.")
    hyperparameters: Space[KernelValues] = Space[KernelValues]()


class Fisher(Experiment):
    """A learner that is a linear head on the chips' Fisher vectors. Nothing in it is trained by epochs."""

    kind = "fisher"

    backbone: Literal["fisher"] = Field(description="A linear head on the Fisher vector of a chip's patches.")
    epochs: int = Field(default=1, ge=1, le=1, description="One: the head is solved for, not trained step by step.")
    hyperparameters: Space[FisherValues] = Space[FisherValues]()


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
        """Return the Python files from outside the package that this learner is made of: those of its plugs."""
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
        """Return the Python files from outside the package that this learner is made of: those of its plug."""
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


KINDS: Mapping[str, type[Experiment]] = {learner.kind: learner for learner in (Network, Tabular, Kernel, Fisher, Probe)}
BY_BACKBONE = (Tabular.kind, Kernel.kind, Fisher.kind, Probe.kind)  # the kinds that a backbone is named for
EVERY = replace(BACKBONE, words=(*BACKBONE.words, *BY_BACKBONE))
