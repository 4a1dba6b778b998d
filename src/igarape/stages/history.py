"""history: who was made champion, when, by whom and why, and what was refused."""

import click

from igarape.config.params import read_params
from igarape.serving.history import history
from igarape.serving.registry import model_name
from igarape.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Show what was decided about the model of the data set in params.yaml, newest first."""
    name = model_name(read_params(workspace.params).dataset)
    click.echo("\n".join([name, *history(name, workspace.root)]))
