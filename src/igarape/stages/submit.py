"""submit: the competition's CSV of all unlabelled chips, by a registered model. data/ingest/ -> data/submit/."""

import shutil
from pathlib import Path

import click

from igarape.config.datasets import read_dataset
from igarape.config.params import read_params
from igarape.errors import InputError, counted
from igarape.files import atomic_path, resumable
from igarape.progress import progress
from igarape.serving.answering import answerers
from igarape.serving.competition import check_file
from igarape.serving.registry import load, model_uri
from igarape.serving.submission import answers_key, check_copy, left_over, open_chips, seen_by, wanted, write_submission
from igarape.workspace import Workspace


def run(
    workspace: Workspace,
    *,
    out: Path | None = None,
    sample: Path | None = None,
    model: str | None = None,
    check: Path | None = None,
) -> None:
    """Answer for all unlabelled chips; columns image_name, tags. Or look through such a file.

    Parameters
    ----------
    workspace
        The project.
    out
        Where a copy of the CSV goes.
    sample
        The competition's sample file, whose names and order count; None: those of the data set's unlabelled chips.
    model
        An MLflow URI; None: the champion of the data set in params.yaml; student: that of its student.
    check
        A CSV to look through, in place of all else.

    Raises
    ------
    InputError
        For other chips than the sample's, a model of another data set, and a file that would be refused.
    """
    if check is not None:
        if out is not None or model is not None:
            raise InputError(f"--check {check}: only looks through that file. Leave --out and --model out")
        _check(workspace, check, sample)
        return
    root, target = workspace.root, workspace.folder("submit")
    if out is not None:
        check_copy(out, sample, folder=target)
    dataset = read_params(workspace.params).dataset
    labels = read_dataset(dataset, workspace.datasets).labels.vocabulary().labels
    chips = open_chips(workspace, dataset, labels, sample=sample)  # first: a model takes seconds
    uri = model_uri(model, dataset, root)
    bundle = load(uri, root, threads=1)  # as many batches as there are processors are answered at once
    chips = seen_by(bundle, chips, workspace, dataset, labels)
    key = answers_key(chips, bundle.manifest.digest)
    for line in left_over(target, key):
        click.echo(f"submit: {line}")
    with resumable(target, key) as (folder, parts):
        path, raw = folder / "submission.csv", workspace.chips("raw")
        answering = answerers(workspace, "submit", uri=uri, bundle=bundle, chips=raw)
        with answering as nodes, progress("submit", "chip") as report:
            write_submission(path, chips, bundle=bundle, parts=parts, report=report, answerers=nodes)
        if out is not None:
            with atomic_path(out) as unfinished:
                shutil.copyfile(path, unfinished)
    click.echo(f"submit: {out or target / path.name}: {counted(len(chips.names), 'chip')} tagged")


def _check(workspace: Workspace, path: Path, sample: Path | None) -> None:
    """Print what was found in a file; raise InputError where it would be refused."""
    dataset = read_params(workspace.params).dataset
    vocabulary = read_dataset(dataset, workspace.datasets).labels.vocabulary()
    names = wanted(workspace, dataset, vocabulary.labels, sample)
    found = check_file(path, names, vocabulary=vocabulary, ordered=sample is not None)
    for line in found.lines:
        click.echo(f"submit: {line}")
    rows = counted(found.rows, "row")
    if found.faults:
        raise InputError(f"{path}: would be refused: {counted(len(found.faults), 'kind')} of faults in {rows}")
    click.echo(f"submit: {path}: {rows}, nothing to refuse")
