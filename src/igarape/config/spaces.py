"""The spaces that a search looks through: each hyperparameter is one value, a choice, or a range."""

import json
import math
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import Discriminator, Field, Tag, ValidationInfo, create_model, field_validator, model_validator
from pydantic.fields import FieldInfo

from igarape.config.hyperparameters import Value, Values, bounds, role, words
from igarape.config.schema import Section

V_co = TypeVar("V_co", bound=Values, covariant=True)


class Choice(Section):
    """A hyperparameter that the search picks from a list."""

    choice: tuple[Value, ...] = Field(min_length=2, strict=False)

    @field_validator("choice")
    @classmethod
    def _once(cls, choice: tuple[Value, ...]) -> tuple[Value, ...]:
        if twice := [value for row, value in enumerate(choice) if value in choice[:row]]:
            raise ValueError(f"should hold each value once; {twice[0]} stands twice")
        return choice

    @property
    def values(self) -> tuple[Value, ...]:
        """Return all that the search may pick."""
        return self.choice

    def holds(self, value: Value) -> bool:
        """Say whether the search may pick this value."""
        return value in self.choice

    def take(self, value: Value) -> Value:
        """Return a picked value as the file has it: keras-tuner says 1 for true."""
        return self.choice[self.choice.index(value)]


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

    def take(self, value: Value) -> Value:
        """Return a drawn value without what a logarithm put beyond the ends."""
        return min(max(float(value), self.low), self.high)


def _branch(setting: object) -> str:
    """Return how a hyperparameter is written: as one value, a choice, or a range."""
    if isinstance(setting, Choice | Range):
        return type(setting).__name__
    if isinstance(setting, dict):
        return "Range" if {"low", "high", "scale"} & set(setting) else "Choice"
    return "Value"


Setting = Annotated[
    Annotated[Any, Tag("Value")] | Annotated[Choice, Tag("Choice")] | Annotated[Range, Tag("Range")],
    Discriminator(_branch),
]


class Space(Section, Generic[V_co]):
    """What a search may vary: of each hyperparameter of the values V one value, a choice, or a range.

    At run time Space[V] is a schema of its own, whose fields are those of V.
    """

    kind: ClassVar[Any]

    def __class_getitem__(cls, kind: Any) -> Any:
        """Return the schema of the spaces of values of some kind."""
        return super().__class_getitem__(kind) if isinstance(kind, TypeVar) else _space_of(kind)

    @field_validator("*")
    @classmethod
    def _known(cls, setting: Any, info: ValidationInfo) -> "Value | Choice | Range":
        """Check each value of a hyperparameter, in whichever way it is written, and give it its type."""
        field = cls.kind.model_fields[info.field_name]
        if isinstance(setting, Range):
            if field.annotation is not float:
                raise ValueError(f"should be {_wanted(field)}")
            for end in setting.values:
                _check(end, field)
            return setting
        if isinstance(setting, Choice):
            return setting.model_copy(update={"choice": tuple(_check(value, field) for value in setting.choice)})
        return _check(setting, field)

    def fixed(self) -> dict[str, Value]:
        """Return the hyperparameters that the search leaves alone."""
        return {name: setting for name, setting in self if not isinstance(setting, Choice | Range)}

    def searched(self) -> dict[str, Choice | Range]:
        """Return the hyperparameters that the search varies."""
        return {name: setting for name, setting in self if isinstance(setting, Choice | Range)}

    def options(self, name: str) -> tuple[Any, ...]:
        """Return what a hyperparameter may become: its one value, its choice, or the two ends of its range."""
        setting = getattr(self, name)
        return setting.values if isinstance(setting, Choice | Range) else (setting,)

    def pick(self, picked: Mapping[str, Value]) -> V_co:
        """Return the values of one training: those that are fixed, and those that the search picked."""
        found = {name: setting.take(picked[name]) for name, setting in self.searched().items()}
        values: V_co = self.kind.model_validate(self.fixed() | found)
        return values

    def mismatches(self, values: Mapping[str, Value]) -> list[str]:
        """Name the values that are missing or too many, and those that no search here would give."""
        unlike = set(dict(self)) ^ set(values)
        unlike |= {name for name, value in self.fixed().items() if name in values and values[name] != value}
        unlike |= {
            name for name, setting in self.searched().items() if name in values and not setting.holds(values[name])
        }
        return sorted(unlike)

    def ends(self) -> tuple[V_co, V_co]:
        """Return two corners of the space: all at their smallest (or first), all at their largest (or last)."""
        corners = {name: sorted(setting.values) for name, setting in self.searched().items()}
        low = {name: values[0] for name, values in corners.items()}
        high = {name: values[-1] for name, values in corners.items()}
        return self.pick(low), self.pick(high)


@cache
def _space_of(kind: type[Values]) -> Any:
    """Make the schema of the spaces of values of a kind, with the kind's own defaults."""
    fields: dict[str, Any] = {name: (Setting, field.default) for name, field in kind.model_fields.items()}
    made = create_model(kind.__name__.replace("Values", "Space"), __base__=Space, __doc__=kind.__doc__, **fields)
    made.kind = kind
    return made


def _check(value: Any, field: FieldInfo) -> Value:
    """Return a value in the type of its hyperparameter; raise ValueError when it is none of its values."""
    if plugin := role(field):
        if not isinstance(value, str):
            raise ValueError(f"should be {_wanted(field)}")
        return plugin.check(value)
    if known := words(field):
        if not any(type(value) is type(word) and value == word for word in known):
            raise ValueError(f"should be {_wanted(field)}")
        return value  # type: ignore[no-any-return]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(  # noqa: TRY004 - pydantic takes no other error for the file's fault
            "should be a number, or {choice: [...]} of several"
            if isinstance(value, list)
            else "should be a valid number"
        )
    low, high = bounds(field)
    if not low <= value <= high:
        raise ValueError(f"should lie in {low}..{high}")
    if field.annotation is int and not float(value).is_integer():
        raise ValueError(f"should be {_wanted(field)}")
    return int(value) if field.annotation is int else float(value)


def _wanted(field: FieldInfo) -> str:
    """Say how a hyperparameter that has no range is written."""
    if known := words(field):
        besides = ", or module:callable" if role(field) else ""
        return f"one or a choice of {', '.join(json.dumps(word).strip(chr(34)) for word in known)}{besides}"
    return "a whole number, or a choice of whole numbers"
