"""promote: make the challenger the champion."""

import click

from igarape.config.params import read_params
from igarape.serving.registry import model_name, promote
from igarape.workspace import Workspace


def run(workspace: Workspace, *, version: int | None, force: bool) -> None:
    """Promote a version (None: the challenger) of the data set in params.yaml; force lets a lower hold-out F2 pass."""
    name = model_name(read_params(workspace.params).dataset)
    click.echo(promote(name, workspace.root, version=None if version is None else str(version), force=force))
