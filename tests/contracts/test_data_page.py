"""docs/data.md: what it tells people to type and to write is there."""

import re
import shlex
from pathlib import Path

import click
import pytest
import yaml

from igarape.cli import main
from igarape.config.datasets import DrawnSource, FolderSource, Labels

PAGE = (Path(__file__).parents[2] / "docs/data.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```([a-z]*)\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
COMMANDS = [
    line for kind, block in BLOCKS if kind == "sh" for line in block.splitlines() if line.startswith("igarape ")
]


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_is_understood(line: str) -> None:
    """It exists and takes these arguments; it is not run."""
    name, *rest = shlex.split(line, comments=True)[1:]
    assert isinstance(main.commands[name].make_context(name, rest), click.Context)


def test_each_option_of_add_is_told() -> None:
    """And no other."""
    options = {option for parameter in main.commands["add"].params for option in parameter.opts if option[:2] == "--"}
    assert set(re.findall(r"^\| `(--[a-z]+)", PAGE, flags=re.MULTILINE)) == options


def test_the_yaml_that_is_shown_is_valid() -> None:
    """Its keys are those of the schema, and each that a reader may need is named."""
    shown, raised = (yaml.safe_load(block) for kind, block in BLOCKS if kind == "yaml" and "source" in block)
    assert raised == {"source": {"version": FolderSource.model_fields["version"].default + 1}}
    FolderSource.model_fields["columns"].annotation.model_validate(shown["source"]["columns"])  # type: ignore[union-attr]
    assert shown["labels"]["separator"] == "semicolon" and "separator" in Labels.model_fields
    for key in set(FolderSource.model_fields) - set(DrawnSource.model_fields) - {"unlabelled", "images", "tags"}:
        assert re.search(rf"\b{key}\b", PAGE), key
