"""Commands for registered models: what was typed reaches the stage."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from igarape import model_commands
from igarape.cli import main
from igarape.model_commands import MODEL_COMMANDS

Call = tuple[tuple[Any, ...], dict[str, Any]]

TYPED: dict[str, Call] = {
    "promote --version 3 --force --reason why": (
        ("promote",),
        {"version": 3, "force": True, "reason": "why", "dry_run": False, "model": None},
    ),
    "rollback --reason why --model student": (("rollback",), {"reason": "why", "model": "student"}),
    "history --model student --champion": (("history",), {"model": "student", "champion": True}),
    "lineage": (("lineage",), {"version": None, "model": None, "as_json": False}),
    "lineage --version 2 --model student --json": (
        ("lineage",),
        {"version": 2, "model": "student", "as_json": True},
    ),
    "predict a.jpg b --out o.csv": (
        ("predict", [Path("a.jpg"), Path("b")]),
        {"model": None, "out": Path("o.csv"), "nir": None},
    ),
    "submit --sample s.csv --check c.csv": (
        ("submit",),
        {"out": None, "sample": Path("s.csv"), "model": None, "check": Path("c.csv")},
    ),
    "score --split s.csv": (("score",), {"split": Path("s.csv"), "experiment": None}),
    "serve --port 5005 --watch 30 --token-file token": (
        ("serve",),
        {
            "port": 5005,
            "host": "127.0.0.1",
            "watch": 30.0,
            "token_file": Path("token"),
            "threads": 1,
            "model": None,
        },
    ),
}


@pytest.fixture(autouse=True)
def called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """Stand in a project, and take down what a stage would be run with."""
    (tmp_path / "params.yaml").touch()
    monkeypatch.chdir(tmp_path)
    calls: list[Call] = []
    monkeypatch.setattr(model_commands, "run_stage", lambda *words, **options: calls.append((words, options)))
    return calls


@pytest.mark.parametrize(("line", "expected"), TYPED.items())
def test_options_reach_their_stages(called: list[Call], line: str, expected: Call) -> None:
    """What was typed is handed on."""
    assert CliRunner().invoke(main, line.split(), catch_exceptions=False).exit_code == 0
    assert called == [expected]


def test_a_bundle_and_a_model_are_not_served_at_once(called: list[Call]) -> None:
    """One of them would be passed over in silence."""
    done = CliRunner().invoke(main, ["serve", "--bundle", "folder", "--model", "student"])
    assert done.exit_code == 2 and "leave one of them out" in done.output and called == []


def test_a_port_that_cannot_be_is_refused(called: list[Call]) -> None:
    """Nobody uses it, so nothing can be stopped."""
    done = CliRunner().invoke(main, ["serve", "--port", "99999"])
    assert (done.exit_code, called) == (2, []) and "99999 is not in the range" in done.output


def test_each_command_is_called_here() -> None:
    """A new command needs a test."""
    assert {line.split()[0] for line in TYPED} == {command.name for command in MODEL_COMMANDS}
