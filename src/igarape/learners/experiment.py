"""The schema of experiments/: one YAML per learner says what it sees, how it learns, and what its search may vary."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator, model_validator

from igarape.configuration import Section, read_yaml, validate
from igarape.errors import InputError
from igarape.labels import Vocabulary

EXPERIMENTS = Path("experiments")


class Choice(Section):
    """A knob that the search picks from a list."""

    choice: tuple[float, ...] = Field(min_length=2, strict=False)

    def ends(self) -> tuple[float, float]:
        """Return the smallest and the largest value."""
        return min(self.choice), max(self.choice)


class Range(Section):
    """A knob that the search draws between two bounds, evenly in the value or in its logarithm."""

    low: float
    high: float
    scale: Literal["linear", "log"]

    @model_validator(mode="after")
    def _ordered(self) -> "Range":
        if self.low >= self.high:
            raise ValueError(f"low should be below high (got {self.low} and {self.high})")
        if self.scale == "log" and self.low <= 0:
            raise ValueError(f"low should be above 0 on a log scale (got {self.low})")
        return self

    def ends(self) -> tuple[float, float]:
        """Return the smallest and the largest value."""
        return self.low, self.high


def _branch(knob: object) -> str:
    """Return how a knob is written: as one value, a choice, or a range."""
    if isinstance(knob, Choice | Range):
        return type(knob).__name__
    if isinstance(knob, dict):
        return "Range" if {"low", "high", "scale"} & set(knob) else "Choice"
    return "Value"


Knob = Annotated[
    Annotated[float, Tag("Value")] | Annotated[Choice, Tag("Choice")] | Annotated[Range, Tag("Range")],
    Discriminator(_branch),
]

BOUNDS = {
    "learning_rate": (1e-6, 1.0),
    "dropout": (0.0, 0.9),
    "width": (0.1, 4.0),
    "smoothing": (0.0, 0.5),
    "decay": (0.0, 1.0),
    "jitter": (0.0, 0.5),
}


class Knobs(Section):
    """What the search may vary; each is one value, a choice, or a range.

    learning_rate: peak of the schedule. dropout: before the last layer. width: multiplies the filters (MobileNet's
    alpha). smoothing: of the labels. decay: AdamW's weight decay. jitter: largest relative change of a training chip's
    brightness.
    """

    learning_rate: Knob
    dropout: Knob
    width: Knob
    smoothing: Knob
    decay: Knob
    jitter: Knob

    @field_validator("*")
    @classmethod
    def _within_bounds(cls, knob: "float | Choice | Range", info: ValidationInfo) -> "float | Choice | Range":
        low, high = BOUNDS[str(info.field_name)]
        values = (knob,) if isinstance(knob, float) else knob.ends()
        if not all(low <= value <= high for value in values):
            raise ValueError(f"should lie in {low}..{high}")
        return knob

    def fixed(self) -> dict[str, float]:
        """Return the knobs that the search leaves alone."""
        return {name: knob for name, knob in self if isinstance(knob, float)}

    def searched(self) -> dict[str, Choice | Range]:
        """Return the knobs that the search varies."""
        return {name: knob for name, knob in self if isinstance(knob, Choice | Range)}

    def ends(self) -> tuple[dict[str, float], dict[str, float]]:
        """Return the two corners of the space: all knobs at their smallest, all at their largest."""
        corners = {name: knob.ends() for name, knob in self.searched().items()}
        low = {name: pair[0] for name, pair in corners.items()}
        high = {name: pair[1] for name, pair in corners.items()}
        return self.fixed() | low, self.fixed() | high


class Experiment(Section):
    """experiments/E.yaml.

    chips: the step whose chips the learner sees. labels: all, or the rare ones of the data set. weights: none,
    imagenet, or the path of a weights file. size: side of the input in pixels. objective: what the search maximises on
    its validation rows. epochs, batch: the budget of a full training.
    """

    backbone: Literal["plain", "mobilenet", "mobilenet_v2"]
    weights: str = Field(min_length=1)
    chips: Literal["ingest", "dehaze", "nir"]
    labels: Literal["all", "rare"]
    size: int = Field(ge=32, le=1024, multiple_of=32)
    loss: Literal["bce", "focal"]
    objective: Literal["f2", "map"]
    epochs: int = Field(ge=1, le=1000)
    batch: int = Field(ge=1, le=4096)
    knobs: Knobs

    @model_validator(mode="after")
    def _weights_fit(self) -> "Experiment":
        if self.weights == "none":
            return self
        if self.backbone == "plain":
            raise ValueError("weights should be none: the plain network has no published weights")
        if self.knobs.width != 1.0:
            raise ValueError("knobs.width should be 1.0 where weights are loaded: they were made at that width")
        return self

    def targets(self, vocabulary: Vocabulary) -> tuple[str, ...]:
        """Return the labels this learner predicts; raise InputError when the data set has none of them."""
        labels = vocabulary.subset(self.labels)
        if not labels:
            raise InputError(
                f"labels: {self.labels}: the data set names no {self.labels} labels. "
                "Take this experiment out of params.yaml"
            )
        return labels

    def check_chips(self, *, nir: bool) -> None:
        """Raise InputError when the learner sees near-infrared and the data set names no TIFs, which nir says."""
        if self.chips == "nir" and not nir:
            raise InputError(
                "chips: nir: the data set names no TIFs to take near-infrared from. Name them in its YAML, under "
                "source.nir, or take this experiment out of params.yaml"
            )


def read_experiment(name: str, folder: Path = EXPERIMENTS) -> Experiment:
    """Read experiments/NAME.yaml; raise InputError with all its faults at once."""
    path = folder / f"{name}.yaml"
    return validate(Experiment, read_yaml(path), str(path))


def read_experiments(
    names: tuple[str, ...], vocabulary: Vocabulary, folder: Path = EXPERIMENTS, *, nir: bool
) -> Mapping[str, Experiment]:
    """Read the experiments that params.yaml lists, and check that the data set can serve each of them.

    nir: whether the data set names TIFs with near-infrared.
    """
    experiments = {}
    faults = []
    for name in names:
        try:
            experiments[name] = read_experiment(name, folder)
            experiments[name].targets(vocabulary)
            experiments[name].check_chips(nir=nir)
        except InputError as error:
            faults.append(str(error) if str(folder) in str(error) else f"{folder / name}.yaml: {error}")
    if faults:
        raise InputError("\n".join(faults))
    return experiments
