"""rollback: put the previous champion back."""

import click

from igarape.config.params import read_params
from igarape.serving.registry import model_name, rollback
from igarape.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Let the champion and the previous champion of the data set in params.yaml change places."""
    click.echo(rollback(model_name(read_params(workspace.params).dataset), workspace.root))
