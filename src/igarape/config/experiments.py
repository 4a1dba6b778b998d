"""The schema of experiments/: one YAML per learner says what it sees, how it learns, and what its search may vary."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from igarape.config.hyperparameters import NetworkHyperparameters, Space, TreeHyperparameters, Value
from igarape.config.schema import Section, read_yaml, validate
from igarape.errors import InputError
from igarape.files import read_json
from igarape.labels import Targets, Vocabulary

EXPERIMENTS, SEARCHED = Path("experiments"), Path("data/search")
# The smallest side that a backbone's body has room for, where that is more than the 32 of all others.
SMALLEST = {"inception_v3": 96}
# Which step packs each kind of chips that a learner can see.
PACKED_BY = {"raw": "ingest", "dehazed": "dehaze", "nir": "nir"}
OF_ANY_WIDTH = ("plain", "mobilenet", "mobilenet_v2")

NetworkName = Literal[
    "plain",
    "vgg16",
    "resnet50",
    "mobilenet",
    "mobilenet_v2",
    "densenet121",
    "inception_v3",
    "efficientnet_v2b0",
    "convnext_tiny",
]


class Experiment(Section):
    """What each experiments/E.yaml says, whatever its learner is made of.

    chips: which chips the learner sees: raw, dehazed, or near-infrared planes. labels: all, or the rare ones of the
    data set. size: side of the input in pixels. objective: what the search maximises on its validation rows. epochs: of
    a full training. batch: chips that are worked on at once.
    """

    chips: Literal["raw", "dehazed", "nir"]
    labels: Literal["all", "rare"]
    size: int = Field(ge=32, le=1024, multiple_of=32)
    objective: Literal["f2", "map"]
    epochs: int = Field(ge=1, le=1000)
    batch: int = Field(ge=1, le=4096)
    hyperparameters: Space

    def store(self, data: Path) -> Path:
        """Return the folder under data that holds the chips this learner sees."""
        return data / PACKED_BY[self.chips]

    def targets(self, vocabulary: Vocabulary) -> Targets:
        """Return what this learner predicts; raise InputError when the data set has no such labels."""
        targets = vocabulary.targets(self.labels)
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

    def tta(self, hyperparameters: Mapping[str, Value]) -> bool:
        """Say whether, with these hyperparameters, a prediction is the mean over the eight symmetries of the square."""
        return False

    def files(self) -> tuple[Path, ...]:
        """Return the files that this learner begins with."""
        return ()


class Tabular(Experiment):
    """A learner that is boosted trees on the chips' colour and texture statistics. An epoch is a round of boosting."""

    backbone: Literal["tabular"]
    hyperparameters: TreeHyperparameters


class Network(Experiment):
    """A learner that is a neural network. weights: none, imagenet, or the path of a weights file."""

    backbone: NetworkName
    weights: str = Field(min_length=1)
    hyperparameters: NetworkHyperparameters

    @model_validator(mode="after")
    def _weights_fit(self) -> "Network":
        if self.weights == "none":
            if max(self.hyperparameters.values("head_epochs")) > 0:
                raise ValueError(
                    "hyperparameters.head_epochs should be 0 where weights are none: there are no features yet"
                )
            if max(self.hyperparameters.values("frozen")) > 0:
                raise ValueError(
                    "hyperparameters.frozen should be 0 where weights are none: there is nothing yet to keep"
                )
            return self
        if self.backbone == "plain":
            raise ValueError("weights should be none: the plain network has no published weights")
        if self.hyperparameters.width != 1.0:
            raise ValueError(
                "hyperparameters.width should be 1.0 where weights are loaded: they were made at that width"
            )
        return self

    @model_validator(mode="after")
    def _fits_the_backbone(self) -> "Network":
        least = SMALLEST.get(self.backbone, 32)
        side = self.size * min(self.hyperparameters.values("smallest"))
        if side < least:
            raise ValueError(
                f"size times hyperparameters.smallest should be at least {least} for {self.backbone} (got {side:g})"
            )
        if self.hyperparameters.width != 1.0 and self.backbone not in OF_ANY_WIDTH:
            raise ValueError(
                f"hyperparameters.width should be 1.0 for {self.backbone}; only {', '.join(OF_ANY_WIDTH)} vary it"
            )
        return self

    def tta(self, hyperparameters: Mapping[str, Value]) -> bool:
        """Say whether, with these hyperparameters, a prediction is the mean over the eight symmetries of the square."""
        return bool(hyperparameters["tta"])

    def files(self) -> tuple[Path, ...]:
        """Return the weights' file; the published weights are no file of the user's, and never change."""
        return () if self.weights in {"none", "imagenet"} else (Path(self.weights),)

    def check(self, vocabulary: Vocabulary, *, nir: bool) -> None:
        """Raise InputError when the data set cannot serve this learner; nir says whether it names TIFs."""
        super().check(vocabulary, nir=nir)
        if not all(path.is_file() for path in self.files()):
            raise InputError(
                f"weights: {self.weights}: no such file; set the experiment's weights to none, imagenet or a path"
            )
        if "softmax" in self.hyperparameters.values("loss") and not self.targets(vocabulary).exclusive:
            raise InputError(
                "hyperparameters.loss: softmax is taken over the labels that exclude each other, and the data set "
                "names none among this learner's. Take another loss, or take this experiment out of params.yaml"
            )


class _Kind(Section, extra="ignore"):
    """What an experiment's other keys depend on."""

    backbone: Literal[NetworkName, "tabular"]


def read_experiment(name: str, folder: Path = EXPERIMENTS) -> Experiment:
    """Read experiments/NAME.yaml; raise InputError with all its faults at once, or with an unknown backbone first."""
    path = folder / f"{name}.yaml"
    content = read_yaml(path)
    kind = validate(_Kind, content, str(path))
    return validate(Tabular if kind.backbone == "tabular" else Network, content, str(path))


def read_experiments(
    names: tuple[str, ...], vocabulary: Vocabulary, folder: Path = EXPERIMENTS, *, nir: bool
) -> Mapping[str, Experiment]:
    """Read the experiments that params.yaml lists, and check that the data set can serve each of them.

    nir: whether the data set names TIFs with near-infrared. Raises InputError with the faults of all of them.
    """
    experiments = {}
    faults = []
    for name in names:
        try:
            experiments[name] = read_experiment(name, folder)
            experiments[name].check(vocabulary, nir=nir)
        except InputError as error:
            faults.append(str(error) if str(folder) in str(error) else f"{folder / name}.yaml: {error}")
    if faults:
        raise InputError("\n".join(faults))
    return experiments


def read_best(name: str, experiment: Experiment, folder: Path = SEARCHED) -> Mapping[str, Any]:
    """Read what the search of an experiment has found, data/search/NAME/best.json: hyperparameters, score, trial, run.

    Raises InputError when there is no such file, or when this experiment's search could not find its values.
    """
    path = folder / name / "best.json"
    best: Mapping[str, Any] = read_json(path)
    if mismatches := experiment.hyperparameters.mismatches(best["hyperparameters"]):
        raise InputError(
            f"{path}: {', '.join(mismatches)}: not as the experiment says, which has changed since that search. "
            f"Run: igarape search --experiment {name}"
        )
    return best
