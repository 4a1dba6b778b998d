"""show: one experiment, or all settings, on the terminal."""

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from igarape.cli import main
from igarape.workspace import Workspace

HERE = Workspace(Path())


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with two experiments."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").touch()
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments/plain.yaml").write_text("backbone: plain\nsize: 64\n", encoding="utf-8")
    child = "like: plain\nchips: dehazed\nhyperparameters: {dropout: {choice: [0.1, 0.3]}}\n"
    (tmp_path / "experiments/clear.yaml").write_text(child, encoding="utf-8")
    return tmp_path


def show(*words: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["show", *words])


def test_an_experiment_is_shown_whole_with_where_each_value_is_from(project: Path) -> None:
    """What is printed is YAML that says all of it; below, what it changes of the one that it is like."""
    text = show("clear").output
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0] == "# experiments/clear.yaml, like plain"
    assert {"chips: dehazed # this file", "size: 64 # plain", "epochs: 10 # default"} <= set(lines)
    assert lines[-3:] == [
        "# What it changes of plain:",
        "# chips: raw -> dehazed",
        "# hyperparameters.dropout: 0.2 -> {choice: [0.1, 0.3]}",
    ]
    content = yaml.safe_load(text)
    assert (content["size"], content["hyperparameters"]["dropout"]) == (64, {"choice": [0.1, 0.3]})


def test_all_settings_are_a_table(project: Path) -> None:
    """Of both kinds of learner, as Markdown."""
    text = show("--defaults").output
    assert "### A network" in text and "### Boosted trees" in text
    assert "| `hyperparameters.dropout` |" in text


@pytest.mark.parametrize("words", [(), ("clear", "--defaults")])
def test_one_of_both_is_asked_for(project: Path, words: tuple[str, ...]) -> None:
    """The error names the experiments that there are."""
    result = show(*words)
    assert result.exit_code == 1
    assert "the name of an experiment, or --defaults. Experiments here: clear, plain" in result.output


def test_an_experiment_that_is_not_there_meets_those_that_are(project: Path) -> None:
    """Without a traceback."""
    assert "plian.yaml: not found; did you mean plain?" in show("plian").output
