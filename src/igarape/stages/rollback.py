"""rollback: put the previous champion back."""

from functools import partial

import click

from igarape.config.params import read_params
from igarape.serving.promotion import rollback
from igarape.serving.registry import STUDENT, load
from igarape.workspace import Workspace


def run(workspace: Workspace, *, reason: str | None = None, model: str | None = None) -> None:
    """Let champion and previous champion of the data set in params.yaml, or of its student, change places.

    Raises InputError when there is none before, or it cannot be loaded: then the champion stays.
    """
    params, why, loads = read_params(workspace.params), (reason or "").strip(), partial(load, folder=workspace.root)
    click.echo(rollback(workspace, params, reason=why, student=model == STUDENT, check=loads))
