"""predict: tag pictures with a registered model, and write a CSV."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click
from tqdm import tqdm

from igarape.config.params import read_params
from igarape.errors import InputError
from igarape.files import whole
from igarape.progress import progress
from igarape.serving.registry import champion_uri, load, model_name
from igarape.serving.tagging import check_out, find_pictures, find_tifs, passed_over, tag_files
from igarape.workspace import Workspace

LISTED = 10


def run(workspace: Workspace, paths: Sequence[Path], *, model: str | None, out: Path, nir: Path | None = None) -> None:
    """Tag the pictures at paths, or in the folders there; columns image_name, tags, perhaps alerts, p_<label>...

    Parameters
    ----------
    workspace
        The project.
    paths
        Pictures, and folders of pictures.
    model
        An MLflow URI; None: the champion of the data set in params.yaml.
    out
        The CSV to write.
    nir
        The folder of the TIFs that go with the pictures, named as they are, where the model sees near-infrared.

    Raises
    ------
    InputError
        At the end, with the names of the pictures that cannot be read, which were reported and left out; and at once
        for paths or a model that are not there, and where out would take the place of what is no file of answers.
    """
    files = find_pictures(paths)
    check_out(out, files, nir)
    if left := passed_over(paths):
        click.echo(f"predict: passed over: {left}", err=True)
    root = workspace.root
    bundle = load(model or champion_uri(model_name(read_params(workspace.params).dataset), root), root)
    tifs = find_tifs(bundle, nir)
    with progress("predict", "picture") as report:
        # tqdm's own writing leaves the bar whole.
        complain = partial(tqdm.write, file=sys.stderr)
        answers, failed = tag_files(bundle, files, tifs=tifs, complain=complain, report=report)
    with whole(out) as unfinished:
        answers.to_csv(unfinished, index=False)
    click.echo(f"{out}: {len(answers)} pictures tagged")
    if failed:
        names = ", ".join(str(path) for path in failed[:LISTED])
        more = f" and {len(failed) - LISTED} more" if len(failed) > LISTED else ""
        raise InputError(f"{len(failed)} of {len(files)} pictures are not in {out}: {names}{more}. Why, stands above")
