"""relabel: correct labels of the data set. A reviewed table -> datasets/NAME.corrections.csv."""

from pathlib import Path

import click

from igarape.chips.corrections import in_source, read_applied
from igarape.chips.review import read_corrections, read_review, revise, write_corrections
from igarape.config.datasets import read_dataset
from igarape.config.params import read_params
from igarape.errors import InputError, counted
from igarape.files import write_lock
from igarape.tables import read_catalog
from igarape.tracking.lineage import packed_dataset
from igarape.workspace import Workspace

SHOWN = 5


def run(workspace: Workspace, file: Path, *, undo: bool) -> None:
    """Bring the changes of a review into the list of corrections, or take them out again; ingest applies that list.

    Nothing is written when a row of the review is at fault.
    """
    dataset = read_params(workspace.params).dataset
    vocabulary = read_dataset(dataset, workspace.datasets).labels.vocabulary()
    review, path = read_review(file, dataset), workspace.corrections(dataset)
    if (packed := packed_dataset(workspace.root)) not in {None, dataset}:  # its chips may have the same names
        raise InputError(
            f"{workspace.catalog()}: expected the chips of {dataset}, as {workspace.params} says; dvc repro has packed "
            f"those of {packed}. Run: dvc repro ingest, or where the review is of those: igarape use {packed}"
        )
    # What is packed was corrected by the list as it was then, not as it is now.
    catalog, applied = read_catalog(workspace.catalog(), vocabulary.labels), read_applied(workspace.applied)
    source = in_source(catalog, applied)
    with write_lock(path.with_name(f".{path.name}.lock"), path):  # of two reviews at once none is lost
        corrections = read_corrections(path)
        revised = revise(corrections, review, source, vocabulary=vocabulary, undo=undo, where=str(file))
        if revised.corrections != corrections:
            write_corrections(revised.corrections, path)  # what follows is said when it is so
    for image_id, label in revised.idle[:SHOWN]:
        why = "no such correction to undo" if undo else f"is {int(review.changes[image_id, label])} already"
        click.echo(f"relabel: {image_id}, {label}: {why}")
    if len(revised.idle) > SHOWN:
        click.echo(f"relabel: and {len(revised.idle) - SHOWN} more that change nothing")
    done = len(review.changes) - len(revised.idle)
    click.echo(
        f"relabel: {counted(done, 'label')} {'as before' if undo else 'changed'}, {len(review.kept)} kept, "
        f"{review.open} not reviewed"
    )
    count = len(revised.corrections)
    if revised.corrections == corrections:
        click.echo(f"relabel: {path} stays as it was, with {counted(count, 'correction')}")
        return
    listed = f"now lists {counted(count, 'correction')}" if count else "is gone: nothing is corrected"
    then = "The chips are packed so already" if revised.corrections == applied else "Run: dvc repro"
    click.echo(f"relabel: {path} {listed}. {then}")
