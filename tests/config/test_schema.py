"""YAML files: every fault at once, in the file's own words."""

import re
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Discriminator, Field, Tag

from igarape.config.schema import Section, check_name, flow, read_yaml, validate
from igarape.errors import InputError


class Split(Section):
    """A section with bounds."""

    folds: int = Field(ge=2, le=20)
    by: Literal["chip", "scene"]
    shuffle: bool


class One(Section):
    """A branch of a union."""

    chips: int


class Two(Section):
    """The other branch."""

    images: str


def branch(value: object) -> str:
    """Tell the branches apart."""
    return "One" if isinstance(value, dict) and value.get("kind") is None and "images" not in value else "Two"


class File(Section):
    """A whole file."""

    seed: int
    name: str = Field(pattern="^[a-z]+$")
    experiments: tuple[str, ...] = Field(min_length=1, strict=False)
    split: Split
    source: Annotated[Annotated[One, Tag("One")] | Annotated[Two, Tag("Two")], Discriminator(branch)]


GOOD = {
    "seed": 1,
    "name": "plain",
    "experiments": ["a"],
    "split": {"folds": 5, "by": "chip", "shuffle": True},
    "source": {"chips": 3},
}


def faults(**changes: object) -> list[str]:
    """Return the lines of the error that the changes bring about."""
    with pytest.raises(InputError) as caught:
        validate(File, GOOD | changes, "params.yaml")
    return str(caught.value).splitlines()


def test_a_number_is_finite() -> None:
    """What is infinite would pass every lower bound, and fail hours later; .nan and .inf are YAML's words for both."""

    class Budget(Section):
        budget: float = Field(gt=0)

    for odd in (float("inf"), float("nan")):
        with pytest.raises(InputError, match=rf"budget  should be a finite number \(got {odd}\)"):
            validate(Budget, {"budget": odd}, "params.yaml")


def test_a_valid_file_gives_the_model() -> None:
    """Lists become tuples; what was read cannot be changed."""
    read = validate(File, GOOD, "params.yaml")
    assert read.experiments == ("a",)
    with pytest.raises(ValueError, match="frozen"):
        read.seed = 2


def test_all_faults_are_shown_at_once_aligned_and_counted() -> None:
    """One look is enough to mend the file: the place, what is expected, what was found."""
    assert faults(split={"folds": 1, "by": "chip", "shuffle": True, "shufle": True}, seed="x") == [
        "params.yaml: 3 problems",
        "  seed          should be a valid integer (got 'x')",
        "  split.folds   should be at least 2 (got 1)",
        "  split.shufle  is not known; did you mean split.shuffle?",
    ]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"Seed": 3}, "Seed  is not known; did you mean seed?"),
        ({"zzz": 3}, "zzz  is not known; known are: experiments, name, seed, source, split"),
        ({"seed": True}, "seed  should be a valid integer (got True)"),
        ({"seed": None}, "seed  should be a valid integer (got None)"),
        ({"name": "A b"}, "name  should match ^[a-z]+$ (got 'A b')"),
        ({"experiments": []}, "experiments  should hold at least 1 values"),
        ({"experiments": [False]}, "experiments.0  should be a valid string (got False)"),
        ({"experiments": "plain"}, "experiments  should be a list (got 'plain')"),
        ({"experiments": ["a", 3]}, "experiments.1  should be a valid string (got 3)"),
        ({"split": None}, "split  should hold keys and values (got None)"),
        ({"split": [1]}, "split  should hold keys and values"),
        ({"split": {"folds": 2, "shuffle": True}}, "split.by  is missing"),
        ({"split": {"folds": 99, "by": "chip", "shuffle": True}}, "split.folds  should be at most 20 (got 99)"),
        ({"split": {"folds": 9, "by": "row", "shuffle": True}}, "split.by  should be 'chip' or 'scene' (got 'row')"),
        ({"source": {"chips": 1, "chps": 2}}, "source.chps  is not known; did you mean source.chips?"),
        ({"source": {"images": "a", "imags": "b"}}, "source.imags  is not known; did you mean source.images?"),
        ({"source": {"chips": "many"}}, "source.chips  should be a valid integer (got 'many')"),
    ],
)
def test_a_fault_is_said_in_the_files_words(changes: dict[str, object], line: str) -> None:
    """Neither pydantic's types nor the names of our classes reach the reader."""
    assert faults(**changes) == ["params.yaml: 1 problem", f"  {line}"]


@pytest.mark.parametrize("written", ["1e-3", "1E-3", "+1e-3", "1.e-3", ".1e-2", "0.001"])
def test_a_number_may_have_an_exponent_without_a_point(tmp_path: Path, written: str) -> None:
    """DVC reads params.yaml so; a word that looks like such a number is written in quotes."""
    (tmp_path / "a.yaml").write_text(f"rate: {written}\nname: 1e\nother: {flow('1e-3')}", encoding="utf-8")
    assert read_yaml(tmp_path / "a.yaml") == {"rate": 0.001, "name": "1e", "other": "1e-3"}


def test_a_missing_file_suggests_its_neighbour(tmp_path: Path) -> None:
    """A misspelled name is most often a name that is there."""
    (tmp_path / "mobilenet.yaml").write_text("a: 1", encoding="utf-8")
    with pytest.raises(InputError, match=r"mobilnet\.yaml: not found; did you mean mobilenet\?"):
        read_yaml(tmp_path / "mobilnet.yaml")
    with pytest.raises(InputError, match=r"did you mean mobilenet\? To make it: igarape add$"):
        read_yaml(tmp_path / "mobilnet.yaml", made_by="igarape add")
    with pytest.raises(InputError, match=r"x\.yaml: not found\. To make it: igarape add$"):
        read_yaml(tmp_path / "nowhere" / "x.yaml", made_by="igarape add")
    with pytest.raises(InputError, match=r"x\.yaml: not found$"):
        read_yaml(tmp_path / "nowhere" / "x.yaml")


@pytest.mark.parametrize("text", ["a: [1", "a: b: c", "\ta: 1", "a: 1\nb: {c: 1, c: 2}"])
def test_text_that_is_no_yaml_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    """The error says where in the file YAML stopped."""
    path = tmp_path / "params.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"(?s)params\.yaml: not a YAML file.*line \d"):
        read_yaml(path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """A picture in place of a YAML file is one clear error."""
    path = tmp_path / "params.yaml"
    path.write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(InputError, match="not a YAML file"):
        read_yaml(path)


@pytest.mark.parametrize(
    ("text", "found"), [("", "nothing"), ("# all of it", "nothing"), ("- a", "list"), ("plain", "str")]
)
def test_a_file_without_keys_is_refused(tmp_path: Path, text: str, found: str) -> None:
    """An empty file, a list or a word has nothing to check."""
    path = tmp_path / "params.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=f"expected keys and values, found {found}"):
        read_yaml(path)


def test_faults_that_a_schema_cannot_see_come_with_its_own() -> None:
    """They are listed first, and refuse a file that is valid otherwise."""
    other = [("like", "leads in a circle")]
    with pytest.raises(InputError) as caught:
        validate(File, GOOD | {"seed": "x"}, "e.yaml", other)
    assert str(caught.value).splitlines()[:2] == ["e.yaml: 2 problems", "  like  leads in a circle"]
    with pytest.raises(InputError, match=r"e\.yaml: 1 problem"):
        validate(File, GOOD, "e.yaml", other)


def test_a_name_that_no_file_can_have_is_refused() -> None:
    """The error shows one that is right."""
    assert check_name("my_chips-2", "plain") == "my_chips-2"
    for name in ("My Chips", "../x", "", "x\n"):
        with pytest.raises(
            InputError, match=f"^{re.escape(repr(name))}: expected small letters, digits, - and _, such as plain$"
        ):
            check_name(name, "plain")


def test_a_value_on_one_line_is_read_as_it_was() -> None:
    """Tuples become lists, what comes twice is written twice, and no line is too long."""
    none: tuple[str, ...] = ()
    assert flow({"a": ((1, 2.5), (3, 4)), "b": none, "c": none}) == "{a: [[1, 2.5], [3, 4]], b: [], c: []}"
    assert flow("yes") == "'yes'" and flow("água") == "água" and flow(None) == "null" and flow(3) == "3"
    assert "\n" not in flow(["a word"] * 1000)
