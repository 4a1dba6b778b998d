"""history: who was made champion, when, by whom and why, and what was refused."""

import click

from igarape.config.params import read_params
from igarape.serving.history import history
from igarape.serving.registry import STUDENT, model_name
from igarape.workspace import Workspace


def run(workspace: Workspace, *, model: str | None = None) -> None:
    """Show what was decided about the model of the data set in params.yaml, or its student, newest first."""
    name = model_name(read_params(workspace.params).dataset, student=model == STUDENT)
    click.echo("\n".join([name, *history(name, workspace.root)]))
