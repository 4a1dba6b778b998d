"""Commands for scenes and sites: what was typed reaches the stage, as it is known from the project's folder."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from igarape import site_commands
from igarape.cli import main
from igarape.site_commands import SITE_COMMANDS


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Take down what a stage would be run with, from a folder inside of a project."""
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    monkeypatch.setattr(site_commands, "run_stage", lambda *words, **options: calls.append((words, options)))
    return calls


def test_paths_are_those_of_where_one_stands(
    called: list[tuple[tuple[Any, ...], dict[str, Any]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stage runs in the project's folder, so a path of another one is made whole."""
    (tmp_path / "params.yaml").touch()
    (tmp_path / "dvc.yaml").touch()
    (tmp_path / "scenes").mkdir()
    monkeypatch.chdir(tmp_path / "scenes")
    for line in (
        "watch river inbox",
        "map a.tif --out maps",
        "site add river --scene a.tif --baseline 2024-01-01 2024-12-31",
        "page river",
        "log river",
        "alerts river --candidates",
    ):
        found = CliRunner().invoke(main, line.split())
        assert found.exit_code == 0, found.output
    (watch, _), (mapped, options), (site, asked), (page, _), (log, _), (alerts, how) = called
    here = tmp_path / "scenes"
    assert watch == ("watch", "river", here / "inbox")
    assert mapped == ("map", [here / "a.tif"]) and options["out"] == here / "maps" and options["stretch"] is None
    assert site == ("site", "river") and asked["baseline"] == (date(2024, 1, 1), date(2024, 12, 31))
    assert asked["scene"] == here / "a.tif"
    assert page == ("page", "river") and log == ("log", "river")
    assert alerts == ("alerts", "river") and how == {"candidates": True, "geojson": None, "csv": None}


def test_a_verdict_needs_its_reason(called: list[tuple[tuple[Any, ...], dict[str, Any]]]) -> None:
    """And is yes or no."""
    assert CliRunner().invoke(main, ["judge", "here:1", "yes"]).exit_code == 2
    assert CliRunner().invoke(main, ["judge", "here:1", "perhaps", "--reason", "x"]).exit_code == 2
    assert CliRunner().invoke(main, ["judge", "here:1", "no", "--reason", "a flood"]).exit_code == 0
    assert called == [(("judge", "here:1", "no"), {"reason": "a flood", "event": False})]


def test_each_command_is_called_here() -> None:
    """A new command needs a test."""
    assert [command.name for command in SITE_COMMANDS] == ["map", "site", "watch", "log", "alerts", "page", "judge"]
