"""Knobs and the space that a search looks through: each knob of an experiment is one value, a choice, or a range."""

import json
import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator, model_validator

from igarape.configuration import Section

Value = float | bool | str


class Choice(Section):
    """A knob that the search picks from a list."""

    choice: tuple[Value, ...] = Field(min_length=2, strict=False)

    @property
    def values(self) -> tuple[Value, ...]:
        """Return all that the search may pick."""
        return self.choice

    def holds(self, value: Value) -> bool:
        """Say whether the search may pick this value."""
        return value in self.choice


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

    @property
    def values(self) -> tuple[Value, ...]:
        """Return the two ends."""
        return self.low, self.high

    def holds(self, value: Value) -> bool:
        """Say whether the search may draw this value; a logarithm may be off by the last digit."""
        if not isinstance(value, int | float):
            return False
        return self.low <= value <= self.high or any(math.isclose(value, end) for end in (self.low, self.high))


def _branch(knob: object) -> str:
    """Return how a knob is written: as one value, a choice, or a range."""
    if isinstance(knob, Choice | Range):
        return type(knob).__name__
    if isinstance(knob, dict):
        return "Range" if {"low", "high", "scale"} & set(knob) else "Choice"
    return "Value"


Knob = Annotated[
    Annotated[Any, Tag("Value")] | Annotated[Choice, Tag("Choice")] | Annotated[Range, Tag("Range")],
    Discriminator(_branch),
]


class Space(Section):
    """What a search may vary. A subclass names its knobs, the bounds of its numbers, and the words it knows."""

    numbers: ClassVar[Mapping[str, tuple[float, float]]]
    words: ClassVar[Mapping[str, tuple[str | bool, ...]]]

    @field_validator("*")
    @classmethod
    def _known(cls, knob: Any, info: ValidationInfo) -> "Value | Choice | Range":
        """Check each value of a knob, in whichever way it is written."""
        name = str(info.field_name)
        written = isinstance(knob, Choice | Range)
        values = knob.values if written else (knob,)
        if name in cls.words:
            if isinstance(knob, Range) or any(value not in cls.words[name] for value in values):
                known = ", ".join(json.dumps(word).strip('"') for word in cls.words[name])
                raise ValueError(f"should be one or a choice of {known}")
            return knob  # type: ignore[no-any-return]
        low, high = cls.numbers[name]
        if any(isinstance(value, bool) or not isinstance(value, int | float) for value in values):
            raise ValueError("should be a valid number")
        if not all(low <= value <= high for value in values):
            raise ValueError(f"should lie in {low}..{high}")
        return knob if written else float(knob)

    def fixed(self) -> dict[str, Value]:
        """Return the knobs that the search leaves alone."""
        return {name: knob for name, knob in self if not isinstance(knob, Choice | Range)}

    def searched(self) -> dict[str, Choice | Range]:
        """Return the knobs that the search varies."""
        return {name: knob for name, knob in self if isinstance(knob, Choice | Range)}

    def values(self, name: str) -> tuple[Any, ...]:
        """Return what a knob may become: its one value, its choice, or the two ends of its range."""
        knob = getattr(self, name)
        return knob.values if isinstance(knob, Choice | Range) else (knob,)

    def strange(self, values: Mapping[str, Value]) -> list[str]:
        """Name the knobs that values lack or know besides, and those with a value that no search here would give."""
        unlike = set(dict(self)) ^ set(values)
        unlike |= {name for name, value in self.fixed().items() if name in values and values[name] != value}
        unlike |= {name for name, knob in self.searched().items() if name in values and not knob.holds(values[name])}
        return sorted(unlike)

    def ends(self) -> tuple[dict[str, Value], dict[str, Value]]:
        """Return two corners of the space: all knobs at their smallest (or first), all at their largest (or last)."""
        corners = {name: sorted(knob.values) for name, knob in self.searched().items()}
        low = {name: values[0] for name, values in corners.items()}
        high = {name: values[-1] for name, values in corners.items()}
        return self.fixed() | low, self.fixed() | high
