"""rollback: put the previous champion back."""

import click

from igarape.config.params import read_params
from igarape.errors import InputError
from igarape.serving.promotion import exchanged, rollback
from igarape.serving.registry import STUDENT, load, model_name
from igarape.workspace import Workspace


def run(workspace: Workspace, *, reason: str | None = None, model: str | None = None) -> None:
    """Let champion and previous champion of the data set in params.yaml, or of its student, change places.

    Raises InputError when there is none before, or it cannot be loaded: then the champion stays.
    """
    params, student = read_params(workspace.params), model == STUDENT
    version, champion = exchanged(name := model_name(params.dataset, student=student), workspace.root)
    try:
        load(f"models:/{name}/{version}", workspace.root)
    except InputError as error:
        raise InputError(f"{error}. Version {champion} stays champion") from error
    click.echo(rollback(workspace, params, reason=(reason or "").strip(), student=student))
