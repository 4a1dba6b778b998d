"""Hyperparameters and the spaces that a search looks through: each is one value, a choice, or a range."""

import json
import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator, model_validator

from igarape.config.schema import Section

Value = float | bool | str


class Choice(Section):
    """A hyperparameter that the search picks from a list."""

    choice: tuple[Value, ...] = Field(min_length=2, strict=False)

    @property
    def values(self) -> tuple[Value, ...]:
        """Return all that the search may pick."""
        return self.choice

    def holds(self, value: Value) -> bool:
        """Say whether the search may pick this value."""
        return value in self.choice


class Range(Section):
    """A hyperparameter that the search draws between two bounds, evenly in the value or in its logarithm."""

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

    @property
    def values(self) -> tuple[Value, ...]:
        """Return the two ends."""
        return self.low, self.high

    def holds(self, value: Value) -> bool:
        """Say whether the search may draw this value; a logarithm may be off by the last digit."""
        if not isinstance(value, int | float):
            return False
        return self.low <= value <= self.high or any(math.isclose(value, end) for end in (self.low, self.high))


def _branch(hyperparameter: object) -> str:
    """Return how a hyperparameter is written: as one value, a choice, or a range."""
    if isinstance(hyperparameter, Choice | Range):
        return type(hyperparameter).__name__
    if isinstance(hyperparameter, dict):
        return "Range" if {"low", "high", "scale"} & set(hyperparameter) else "Choice"
    return "Value"


Hyperparameter = Annotated[
    Annotated[Any, Tag("Value")] | Annotated[Choice, Tag("Choice")] | Annotated[Range, Tag("Range")],
    Discriminator(_branch),
]


class Space(Section):
    """What a search may vary. A subclass names the hyperparameters, the bounds of numbers, and the words it knows."""

    numbers: ClassVar[Mapping[str, tuple[float, float]]]
    words: ClassVar[Mapping[str, tuple[str | bool, ...]]]

    @field_validator("*")
    @classmethod
    def _known(cls, hyperparameter: Any, info: ValidationInfo) -> "Value | Choice | Range":
        """Check each value of a hyperparameter, in whichever way it is written."""
        name = str(info.field_name)
        written = isinstance(hyperparameter, Choice | Range)
        values = hyperparameter.values if written else (hyperparameter,)
        if name in cls.words:
            if isinstance(hyperparameter, Range) or any(value not in cls.words[name] for value in values):
                known = ", ".join(json.dumps(word).strip('"') for word in cls.words[name])
                raise ValueError(f"should be one or a choice of {known}")
            return hyperparameter  # type: ignore[no-any-return]
        low, high = cls.numbers[name]
        if any(isinstance(value, bool) or not isinstance(value, int | float) for value in values):
            raise ValueError("should be a valid number")
        if not all(low <= value <= high for value in values):
            raise ValueError(f"should lie in {low}..{high}")
        return hyperparameter if written else float(hyperparameter)

    def fixed(self) -> dict[str, Value]:
        """Return the hyperparameters that the search leaves alone."""
        return {name: hyperparameter for name, hyperparameter in self if not isinstance(hyperparameter, Choice | Range)}

    def searched(self) -> dict[str, Choice | Range]:
        """Return the hyperparameters that the search varies."""
        return {name: hyperparameter for name, hyperparameter in self if isinstance(hyperparameter, Choice | Range)}

    def values(self, name: str) -> tuple[Any, ...]:
        """Return what a hyperparameter may become: its one value, its choice, or the two ends of its range."""
        hyperparameter = getattr(self, name)
        return hyperparameter.values if isinstance(hyperparameter, Choice | Range) else (hyperparameter,)

    def mismatches(self, values: Mapping[str, Value]) -> list[str]:
        """Name what values lack or know besides, and those with a value that no search here would give."""
        unlike = set(dict(self)) ^ set(values)
        unlike |= {name for name, value in self.fixed().items() if name in values and values[name] != value}
        unlike |= {
            name
            for name, hyperparameter in self.searched().items()
            if name in values and not hyperparameter.holds(values[name])
        }
        return sorted(unlike)

    def ends(self) -> tuple[dict[str, Value], dict[str, Value]]:
        """Return two corners of the space: all at their smallest (or first), all at their largest (or last)."""
        corners = {name: sorted(hyperparameter.values) for name, hyperparameter in self.searched().items()}
        low = {name: values[0] for name, values in corners.items()}
        high = {name: values[-1] for name, values in corners.items()}
        return self.fixed() | low, self.fixed() | high


class NetworkHyperparameters(Space):
    """What the search may vary of a network.

    learning_rate: peak of the schedule when the whole network learns. warm_up: the share of the steps in which the rate
    rises to it. floor: what it then falls to along a cosine, as a share of the peak. head_epochs: how often the last
    layer, alone, sees the features of all chips before the rest is trained too, at head_rate. dropout: before the last
    layer. width: multiplies the filters (MobileNet's alpha). frozen: the share of the backbone's layers, from the
    picture on, that keep their loaded weights; what isn't learned needs no gradients, which saves time. decay: AdamW's
    weight decay. ema: momentum of the weights' moving average, which takes the weights' place; 0 for none; lower where
    it would reach back over more than a quarter of the steps. loss: as losses.make_loss. smoothing: of the labels.
    dihedral: whether each chip is shown in one of the eight symmetries of the square. jitter: largest relative change
    of a chip's brightness and contrast. zoom: how much of a chip's side is cut away at most. smallest: the side that
    training begins with, as a share of the size that it ends with. balance: 0 shows each chip once an epoch; 1 shows
    the rarest label as often as the most frequent one. tta: whether a prediction is the mean over the eight symmetries.
    """

    numbers: ClassVar = {
        "learning_rate": (1e-6, 1.0),
        "warm_up": (0.0, 0.9),
        "floor": (0.0, 1.0),
        "head_epochs": (0.0, 500.0),
        "head_rate": (1e-6, 1.0),
        "dropout": (0.0, 0.9),
        "width": (0.1, 4.0),
        "frozen": (0.0, 1.0),
        "decay": (0.0, 1.0),
        "ema": (0.0, 0.9999),
        "smoothing": (0.0, 0.5),
        "jitter": (0.0, 0.5),
        "zoom": (0.0, 0.7),
        "smallest": (0.25, 1.0),
        "balance": (0.0, 1.0),
    }
    words: ClassVar = {
        "loss": ("bce", "focal", "asl", "soft_f2", "softmax"),
        "dihedral": (False, True),
        "tta": (False, True),
    }

    learning_rate: Hyperparameter
    warm_up: Hyperparameter
    floor: Hyperparameter
    head_epochs: Hyperparameter
    head_rate: Hyperparameter
    dropout: Hyperparameter
    width: Hyperparameter
    frozen: Hyperparameter
    decay: Hyperparameter
    ema: Hyperparameter
    loss: Hyperparameter
    smoothing: Hyperparameter
    dihedral: Hyperparameter
    jitter: Hyperparameter
    zoom: Hyperparameter
    smallest: Hyperparameter
    balance: Hyperparameter
    tta: Hyperparameter


class TreeHyperparameters(Space):
    """What the search may vary of boosted trees.

    learning_rate: what each round's trees count. depth: of a tree. child_weight: the least hessian of a leaf.
    subsample: the share of the chips that a round sees. columns: the share of the statistics that a split is chosen
    from. l2: on the leaves.
    """

    numbers: ClassVar = {
        "learning_rate": (1e-4, 1.0),
        "depth": (1.0, 12.0),
        "child_weight": (0.0, 1000.0),
        "subsample": (0.05, 1.0),
        "columns": (0.01, 1.0),
        "l2": (0.0, 1000.0),
    }
    words: ClassVar = {}

    learning_rate: Hyperparameter
    depth: Hyperparameter
    child_weight: Hyperparameter
    subsample: Hyperparameter
    columns: Hyperparameter
    l2: Hyperparameter

    @field_validator("depth")
    @classmethod
    def _whole(cls, depth: Value | Choice | Range) -> Value | Choice | Range:
        """Refuse half a level."""
        values = depth.values if isinstance(depth, Choice) else (depth,)
        if not all(isinstance(value, float) and value.is_integer() for value in values):
            raise ValueError("should be a whole number, or a choice of whole numbers")
        return depth
