"""predict: tag pictures with a registered model, and write a table."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from igarape.config.params import read_params
from igarape.errors import InputError, counted, some
from igarape.files import digest, resumable_folder
from igarape.progress import progress
from igarape.serving.answering import answerers
from igarape.serving.batches import tag_batches
from igarape.serving.input_drift import drift_figures, drift_of_table, drift_warning
from igarape.serving.registry import load, model_uri, registered
from igarape.serving.tagging import check_out, find_pictures, find_tifs
from igarape.tracking.step import step_run
from igarape.workspace import Workspace


def run(workspace: Workspace, paths: Sequence[Path], *, model: str | None, out: Path, nir: Path | None = None) -> None:
    """Tag the pictures at paths, or what lies there; columns image_name, tags, perhaps alerts, p_<label>...

    Parameters
    ----------
    workspace
        The project.
    paths
        Pictures; folders and archives of pictures; folders of packed chips.
    model
        An MLflow URI; None: the champion of the data set in params.yaml; student: that of its student. With one of the
        registry this is a run in igarape/predict, with the version and how the pictures lie.
    out
        The table to write: Parquet where its name ends so, else CSV. What a killed run has finished is used again.
    nir
        The folder of the TIFs that go with the pictures, named as they are, where the model sees near-infrared.

    Raises
    ------
    InputError
        At the end, with the names of the pictures that cannot be read, which were reported and left out; and at once
        for paths or a model that are not there, and where out would take the place of what is no file of answers.
    """
    spool = workspace.spool.with_name(f"spool-predict-{digest([str(out.absolute())])}")  # others may be at work
    with ExitStack() as bars:
        bar = cache(lambda: bars.enter_context(progress("predict: unpacking", "MB")))  # where there is what to unpack
        pictures = find_pictures(paths, spool=spool, report=lambda done, total: bar()(done >> 20, total >> 20))
    reads = (origin.path for origin in pictures.origins.values())
    check_out(out, [*reads, *(nir.iterdir() if nir and nir.is_dir() else ())])
    for line in pictures.passed_over:
        click.echo(f"predict: passed over: {line}", err=True)
    uri = model_uri(model, read_params(workspace.params).dataset, workspace.root)
    bundle = load(uri, workspace.root, threads=1)  # as many batches as there are processors are answered at once
    pictures.tifs = find_tifs(bundle, nir)
    names = list(pictures.origins)
    places = [*paths, *([nir] if nir else [])]
    with (
        resumable_folder(out, pictures.key(bundle.manifest.digest)) as parts,
        answerers(workspace, "predict", uri=uri, bundle=bundle, places=[*places, parts]) as nodes,
        progress("predict", "picture") as report,
    ):
        complain = partial(tqdm.write, file=sys.stderr)  # which leaves the bar whole
        how: dict[str, Any] = {"bundle": bundle, "parts": parts, "answerers": nodes, "complain": complain}
        failed = tag_batches(names, pictures, out, report=report, **how)
    shutil.rmtree(spool, ignore_errors=True)
    click.echo(f"{out}: {counted(len(names) - len(failed), 'picture')} tagged")
    found = drift_of_table(out, bundle)
    if found and (line := drift_warning(found)):
        click.echo(f"predict: {line}", err=True)
    if registered(uri):
        counts = {"pictures": len(names) - len(failed), "failed": len(failed)}
        _record(workspace, uri, counts | (drift_figures(found) if found else {}))
    if failed:
        which = some([str(pictures.origins[name]) for name in failed])
        raise InputError(f"{out}: lacks {len(failed)} of {counted(len(names), 'picture')}: {which}. Why, stands above")


def _record(workspace: Workspace, uri: str, figures: Mapping[str, float]) -> None:
    """Tell MLflow, which the model came from; the answers are there even where it takes no more."""
    try:
        with step_run("predict", workspace=workspace, params={"model": uri}) as opened:
            opened.metrics(figures)
    except InputError as error:
        click.echo(f"predict: the answers are there, but MLflow has no run of them: {error}", err=True)
