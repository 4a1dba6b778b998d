"""The README names what there is, and what it tells people to type is there."""

import re
import shlex
from pathlib import Path

import click
import pytest

from igarape.cli import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```[a-z]*\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)
LINES = [line.strip() for block in BLOCKS for line in block.splitlines() if line.strip()]
TARGETS = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)


def commands(program: str) -> list[list[str]]:
    """Return the words after a program's name, wherever the code blocks run it."""
    found = []
    for line in LINES:
        for part in re.split(r"&&|\||;", line.removeprefix("$ ")):
            try:
                words = shlex.split(part, comments=True)
            except ValueError:  # half of a quoted text that holds a separator: no command begins there
                continue
            while words and "=" in words[0]:
                words.pop(0)
            if words and words[0] == program:
                found.append(words[1:])
    return found


@pytest.mark.parametrize("name", list(main.commands))
def test_each_command_is_named(name: str) -> None:
    """Every step, and every command outside the stream, is in the README."""
    assert re.search(rf"`(igarape )?{name}\b", README) or name in [words[0] for words in commands("igarape")]


@pytest.mark.parametrize("target", TARGETS)
def test_each_make_target_is_named(target: str) -> None:
    """`make TARGET` is in the README."""
    assert f"make {target}" in README


@pytest.mark.parametrize(
    "path",
    # A user's own data sets are the user's to document.
    [
        path
        for path in sorted([*ROOT.glob("experiments/*.yaml"), *ROOT.glob("datasets/*.yaml")])
        if "drafted by `igarape add" not in path.read_text(encoding="utf-8")
    ],
    ids=lambda path: path.stem,
)
def test_each_experiment_and_data_set_is_named(path: Path) -> None:
    """A YAML that somebody can choose is in the README."""
    assert f"`{path.stem}`" in README


@pytest.mark.parametrize("words", commands("igarape"), ids=" ".join)
def test_each_igarape_line_is_understood(words: list[str]) -> None:
    """The command exists and takes these arguments; it is not run."""
    with main.make_context("igarape", list(words), resilient_parsing="--help" in words) as context:
        name, command, rest = main.resolve_command(context, list(words))
        assert command is not None
        assert isinstance(command.make_context(name, rest, parent=context), click.Context)


@pytest.mark.parametrize("words", commands("make"), ids=" ".join)
def test_each_make_line_is_a_target(words: list[str]) -> None:
    """What is made can be made."""
    assert {word for word in words if "=" not in word} <= set(TARGETS)


def test_the_readme_has_commands_to_check() -> None:
    """The two ways in are there, in code blocks."""
    assert ["repro"] in commands("make")
    assert any(words[0] == "promote" for words in commands("igarape"))


@pytest.mark.parametrize(
    "link", re.findall(r"\]\((?!http|#)([^)#]+)|src(?:set)?=\"(?!http)([^\"]+)\"", README), ids=str
)
def test_each_link_into_the_repository_leads_somewhere(link: tuple[str, str]) -> None:
    """Pictures and pages that the README shows are there."""
    assert (ROOT / (link[0] or link[1])).exists()
