"""An experiment asks one thing: it changes what its top comment names, and nothing besides."""

import re
from pathlib import Path

import pytest

from igarape.config.experiments import read_experiment
from igarape.config.inheritance import leaves, read_sources
from igarape.config.kinds import Experiment
from igarape.reports.settings import differences

FOLDER = Path(__file__).parents[2] / "experiments"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
PARENTS = {name: sources[-2].name for name in NAMES if len(sources := read_sources(name, FOLDER)) > 1}


def top_comment(name: str) -> str:
    """Return the lines before the first key."""
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    return re.match(r"(?:#.*\n)*", text).group()  # type: ignore[union-attr]


def said(name: str) -> set[str]:
    """Return the settings that an experiment's own file names."""
    return set(leaves(read_sources(name, FOLDER)[-1].content))


def unnamed(keys: set[str], comment: str) -> set[str]:
    """Return the keys, without the sections they stand in, that a comment does not have as a word."""
    return {key.rpartition(".")[2] for key in keys} - set(re.findall(r"\w+", comment))


@pytest.mark.parametrize("name", PARENTS)
def test_a_child_changes_only_keys_that_its_top_comment_names(name: str) -> None:
    """Copied settings that drift are told from the question."""
    assert unnamed(said(name), top_comment(name)) == set()


def test_a_key_that_drifts_is_found() -> None:
    """Whole words count: "sizes" is not size."""
    comment = "# Asks: are larger sizes better? It changes the chips."
    assert unnamed({"chips", "size", "hyperparameters.decay"}, comment) == {"size", "decay"}


@pytest.mark.parametrize("name", NAMES)
def test_what_an_experiment_says_changes_something(name: str) -> None:
    """A value that is its parent's, or the default, is left out: so a file is as short as its question."""
    experiment = read_experiment(name, FOLDER)
    needed = {key for key, field in type(experiment).model_fields.items() if field.is_required()}
    before: Experiment = type(experiment).model_validate({key: getattr(experiment, key) for key in needed})
    if name in PARENTS:
        before, needed = read_experiment(PARENTS[name], FOLDER), set()
    changed = {setting for setting, _, _ in differences(before, experiment)}
    assert said(name) == changed | needed


def ancestors(name: str) -> list[str]:
    """Return those that an experiment is like."""
    return [source.name for source in read_sources(name, FOLDER)[:-1]]
