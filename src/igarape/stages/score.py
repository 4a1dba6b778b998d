"""score: macro mAP and F2 on a published split, of a finished stream or of one learner. Writes nothing."""

from pathlib import Path

import click

from igarape.chips.sources.published import read_split
from igarape.config.datasets import read_dataset
from igarape.config.experiments import read_experiment
from igarape.config.params import read_params
from igarape.config.schema import check_name
from igarape.errors import InputError, counted
from igarape.reports.scoring import Standing, score_split
from igarape.workspace import Workspace


def run(workspace: Workspace, *, split: Path, experiment: str | None = None) -> None:
    """Score on the split's test chips, and say what was trained on beside the split's own chips.

    Raises InputError for a split that cannot be read, for a learner that was not trained, and where a test chip is
    missing or may have been trained on.
    """
    name = None if experiment is None else check_name(experiment, "plain")
    if name is not None and not workspace.learner(name).exists():
        read_experiment(name, workspace.experiments)  # a misspelled name is told
        by_hand = " && ".join(f"igarape {step} --experiment {name}" for step in ("search", "train"))
        raise InputError(f"{name}: was not trained yet. Type: {by_hand}")
    vocabulary = read_dataset(read_params(workspace.params).dataset, workspace.datasets).labels.vocabulary()
    published = read_split(split)
    try:
        standing = score_split(workspace, published, vocabulary=vocabulary, experiment=name)
    except InputError as error:
        raise InputError(f"--split {split}: {error}") from error
    for line in _lines(standing):
        click.echo(f"score: {line}")


def _lines(standing: Standing) -> list[str]:
    """Put scores in words: what was tested and trained on, then the stream's figures and its learners'."""
    beyond = f", and on {counted(standing.beyond, 'chip')} that it does not name" if standing.beyond else ""
    positives = f"{counted(standing.labels, 'label has', 'labels have')} positives there"
    said = [
        f"{counted(standing.chips, 'test chip')}, none trained on; {positives}",
        f"trained on {standing.seen} of the split's {standing.asked} other chips{beyond}",
    ]
    if standing.close:
        said.append(
            f"{counted(standing.close, 'test chip looks', 'test chips look')} like chips that were trained on: "
            "the scores are optimistic"
        )
    return said + [f"{name}: mAP {each['map']:.4f}, F2 {each['f2']:.4f}" for name, each in standing.figures.items()]
