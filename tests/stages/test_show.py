"""show: one experiment, or all settings, on the terminal."""

from pathlib import Path

import pytest
import yaml

from igarape.errors import InputError
from igarape.stages import show
from igarape.workspace import Workspace


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    """Give a folder with two experiments."""
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments/plain.yaml").write_text("backbone: plain\nsize: 64\n", encoding="utf-8")
    child = "like: plain\nchips: dehazed\nhyperparameters: {dropout: {choice: [0.1, 0.3]}}\n"
    (tmp_path / "experiments/clear.yaml").write_text(child, encoding="utf-8")
    return Workspace(tmp_path)


def test_an_experiment_is_shown_whole_with_where_each_value_is_from(
    project: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is printed is YAML that says all of it; below, what it changes of the one that it is like."""
    show.run(project, "clear", defaults=False)
    text = capsys.readouterr().out
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0] == f"# {project.experiments}/clear.yaml, like plain"
    assert {"chips: dehazed # this file", "size: 64 # plain", "epochs: 10 # default"} <= set(lines)
    assert lines[-3:] == [
        "# What it changes of plain:",
        "# chips: raw -> dehazed",
        "# hyperparameters.dropout: 0.2 -> {choice: [0.1, 0.3]}",
    ]
    content = yaml.safe_load(text)
    assert (content["size"], content["hyperparameters"]["dropout"]) == (64, {"choice": [0.1, 0.3]})


def test_all_settings_are_a_table(project: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """Of each kind of learner, as Markdown."""
    show.run(project, None, defaults=True)
    text = capsys.readouterr().out
    assert all(f"### {kind}" in text for kind in ("A network", "Boosted trees", "A probe"))
    assert "| `hyperparameters.dropout` |" in text


@pytest.mark.parametrize(("experiment", "defaults"), [(None, False), ("clear", True)])
def test_one_of_both_is_asked_for(project: Workspace, experiment: str | None, defaults: bool) -> None:
    """The error names the experiments that there are."""
    with pytest.raises(InputError, match=r"name of an experiment, or --defaults\. Experiments here: clear, plain"):
        show.run(project, experiment, defaults=defaults)


def test_an_experiment_that_is_not_there_meets_those_that_are(project: Workspace) -> None:
    """A name that is nearly right is answered with the right one; one that leads elsewhere is none."""
    with pytest.raises(InputError, match=r"plian\.yaml: not found; did you mean plain\?"):
        show.run(project, "plian", defaults=False)
    with pytest.raises(InputError, match=r"'\.\./params': expected small letters"):
        show.run(project, "../params", defaults=False)
