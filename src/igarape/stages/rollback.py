"""rollback: put the previous champion back."""

import click

from igarape.config.params import read_params
from igarape.serving.promotion import rollback
from igarape.workspace import Workspace


def run(workspace: Workspace, *, reason: str | None = None) -> None:
    """Let the champion and the previous champion of the data set in params.yaml change places."""
    click.echo(rollback(workspace, read_params(workspace.params), reason=(reason or "").strip()))
