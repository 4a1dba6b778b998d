"""Hyperparameters: one value, a choice or a range, and how each fault is told."""

from typing import Any, Literal

import pytest
from pydantic import ConfigDict, Field

from igarape.config.hyperparameters import Values, bounds
from igarape.config.schema import Section, validate
from igarape.config.spaces import Choice, Range, Space
from igarape.errors import InputError

GOOD: dict[str, Any] = {"rate": 0.1, "dropout": {"choice": [0.4, 0.0, 0.2]}, "loss": "bce", "tta": True}


class Small(Values):
    """A few hyperparameters."""

    rate: float = Field(default=0.01, ge=0.001, le=1.0)
    dropout: float = Field(default=0.0, ge=0.0, le=0.9)
    loss: Literal["bce", "focal"] = "bce"
    tta: bool = False


class Levels(Values):
    """A whole number."""

    depth: int = Field(default=2, ge=1, le=4, strict=False)


class File(Section):
    """What holds such a space."""

    model_config = ConfigDict(frozen=True)
    hyperparameters: Space[Small]


def read(**changes: object) -> Space[Small]:
    """Validate the good hyperparameters with changes."""
    return validate(File, {"hyperparameters": GOOD | changes}, "e.yaml").hyperparameters


def refused(**changes: object) -> list[str]:
    """Return the faults that the changes bring about, without the first line."""
    with pytest.raises(InputError) as caught:
        read(**changes)
    return str(caught.value).splitlines()[1:]


def test_a_knob_is_one_value_a_choice_or_a_range() -> None:
    """The three ways to write a hyperparameter; a whole number is a number, a word or a switch is itself."""
    hyperparameters = read(rate={"low": 0.01, "high": 0.1, "scale": "log"}, dropout=0)
    assert hyperparameters.fixed() == {"dropout": 0.0, "loss": "bce", "tta": True}
    assert type(hyperparameters.fixed()["dropout"]) is float
    assert hyperparameters.searched() == {"rate": Range(low=0.01, high=0.1, scale="log")}
    assert read(loss={"choice": ["focal", "bce"]}).searched()["loss"] == Choice(choice=("focal", "bce"))


def test_the_values_of_a_knob_are_all_that_it_may_become() -> None:
    """One, those of the choice, or the ends of the range."""
    hyperparameters = read(rate={"low": 0.01, "high": 0.1, "scale": "log"})
    assert (hyperparameters.options("rate"), hyperparameters.options("loss")) == ((0.01, 0.1), ("bce",))
    assert hyperparameters.options("dropout") == (0.4, 0.0, 0.2)


def test_the_ends_are_two_whole_corners_of_the_space() -> None:
    """All hyperparameters at their smallest, all at their largest; choices need not be sorted."""
    low, high = read(tta={"choice": [True, False]}).ends()
    assert set(dict(low)) == set(dict(high)) == set(GOOD)
    assert (low.dropout, high.dropout) == (0.0, 0.4)
    assert (low.tta, high.tta) == (False, True)


@pytest.mark.parametrize(
    ("changes", "mismatches"),
    [
        ({}, []),
        ({"rate": 0.01 * (1 - 1e-12)}, []),
        ({"rate": 0.2, "loss": "focal"}, ["loss", "rate"]),
        ({"dropout": 0.3}, ["dropout"]),
        ({"rate": "fast"}, ["rate"]),
        ({"width": 1.0}, ["width"]),
    ],
)
def test_values_that_no_search_of_this_space_would_give_are_named(
    changes: dict[str, Any], mismatches: list[str]
) -> None:
    """Another fixed value, none of the choice, beyond the range; and what the space lacks, or has besides."""
    space = read(rate={"low": 0.01, "high": 0.1, "scale": "log"})
    values: dict[str, Any] = {"rate": 0.1, "dropout": 0.0, "loss": "bce", "tta": True}
    assert space.mismatches(values | changes) == mismatches
    assert space.mismatches({name: value for name, value in values.items() if name != "tta"}) == ["tta"]


@pytest.mark.parametrize("name", ["rate", "dropout"])
def test_every_number_has_bounds_in_whichever_way_it_is_written(name: str) -> None:
    """A value, one of a choice, or the end of a range outside the bounds is a fault at its own place."""
    low, high = bounds(Small.model_fields[name])
    ways = [
        low - 1,
        high + 1,
        {"choice": [low, high + 1]},
        {"low": low, "high": high + 1, "scale": "linear"},
        float("nan"),
    ]
    for written in ways:
        (line,) = refused(**{name: written})
        assert line.startswith(f"  hyperparameters.{name}  should lie in {low}..{high}")


@pytest.mark.parametrize(
    "written", ["bcee", 1.0, {"choice": ["bce", "asl"]}, {"low": 0.0, "high": 1.0, "scale": "linear"}]
)
def test_a_word_is_one_of_those_that_are_known(written: object) -> None:
    """And cannot be drawn from a range."""
    (line,) = refused(loss=written)
    assert line.startswith("  hyperparameters.loss  should be one or a choice of bce, focal")


def test_a_switch_is_true_or_false() -> None:
    """In YAML's words."""
    (line,) = refused(tta="yes")
    assert line == "  hyperparameters.tta  should be one or a choice of false, true (got 'yes')"


def test_all_faults_are_shown_at_once() -> None:
    """The second fault does not wait until the first is mended."""
    assert len(refused(dropout=2, rate=-1, losss="bce")) == 3


@pytest.mark.parametrize(
    ("hyperparameter", "lines"),
    [
        ({"choice": [0.1]}, ["  hyperparameters.dropout.choice  should hold at least 2 values"]),
        (
            {"choice": [0.1, 0.2, 0.1]},
            ["  hyperparameters.dropout.choice  should hold each value once; 0.1 stands twice"],
        ),
        (
            {"choice": [0.1, float("nan")]},
            ["  hyperparameters.dropout.choice.1  should be a finite number (got nan)"],
        ),
        ({"choice": [0.1, [0.2]]}, ["  hyperparameters.dropout.choice.1  should be a valid number"]),
        (
            {"chioce": [0.1, 0.2]},
            [
                "  hyperparameters.dropout.choice  is missing",
                "  hyperparameters.dropout.chioce  is not known; did you mean hyperparameters.dropout.choice?",
            ],
        ),
        (
            {"low": 0.1, "hihg": 0.2, "scale": "log"},
            [
                "  hyperparameters.dropout.high  is missing",
                "  hyperparameters.dropout.hihg  is not known; did you mean hyperparameters.dropout.high?",
            ],
        ),
        (
            {"low": 0.3, "high": 0.2, "scale": "log"},
            ["  hyperparameters.dropout  low should be below high (got 0.3 and 0.2)"],
        ),
        (
            {"low": 0.0, "high": 0.2, "scale": "log"},
            ["  hyperparameters.dropout  low should be above 0 on a log scale (got 0.0)"],
        ),
        (
            {"low": 0.1, "high": 0.2, "scale": "lgo"},
            ["  hyperparameters.dropout.scale  should be 'linear' or 'log' (got 'lgo')"],
        ),
        ("much", ["  hyperparameters.dropout  should be a valid number (got 'much')"]),
        (True, ["  hyperparameters.dropout  should be a valid number (got True)"]),
        (None, ["  hyperparameters.dropout  should be a valid number (got None)"]),
        (
            [0.1, 0.2],
            ["  hyperparameters.dropout  should be a number, or {choice: [...]} of several"],
        ),
    ],
)
def test_a_faulty_knob_is_told_in_the_files_words(hyperparameter: object, lines: list[str]) -> None:
    """The reader sees the way of writing that they seem to have meant."""
    assert refused(dropout=hyperparameter) == lines


def test_what_is_left_out_is_the_values_own_default() -> None:
    """Neutral defaults stand once, in the values."""
    assert Space[Small]().pick({}) == Small(rate=0.01, dropout=0.0)


def test_what_a_search_picks_are_values_with_types() -> None:
    """Fixed ones are as written; what a logarithm put beyond an end is the end; what is picked besides is not asked."""
    space = read(rate={"low": 0.01, "high": 0.1, "scale": "log"})
    picked = space.pick({"rate": 0.1 * (1 + 1e-15), "dropout": 0.2, "loss": "focal", "tuner/epochs": 3})
    assert picked == Small(rate=0.1, dropout=0.2, loss="bce", tta=True)


@pytest.mark.parametrize(("written", "values"), [(2.0, (2,)), ({"choice": [1, 3.0]}, (1, 3))])
def test_a_whole_number_is_one_however_it_is_written(written: object, values: tuple[int, ...]) -> None:
    """Half a level there is not, nor is one drawn from a range."""
    options = Space[Levels].model_validate({"depth": written}).options("depth")
    assert options == values and {type(value) for value in options} == {int}
    for wrong in (2.5, {"choice": [1, 1.5]}, {"low": 1, "high": 3, "scale": "linear"}):
        with pytest.raises(ValueError, match="should be a whole number, or a choice of whole numbers"):
            Space[Levels].model_validate({"depth": wrong})


def test_a_kind_of_values_has_one_schema_of_spaces() -> None:
    """Two experiments of a kind compare equal when they say the same."""
    assert Space[Small] is Space[Small]
    assert Space[Small](**GOOD) == read()
