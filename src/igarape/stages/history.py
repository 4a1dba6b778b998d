"""history: who was made champion, when, by whom and why, and what was refused."""

import click

from igarape.config.params import read_params
from igarape.serving.history import history
from igarape.serving.registry import STUDENT, champion_uri, model_name
from igarape.workspace import Workspace


def run(workspace: Workspace, *, model: str | None = None, champion: bool = False) -> None:
    """Show what was decided about the model of the data set in params.yaml, or its student, newest first.

    champion: whether only the champion's address is wanted; InputError says how to have one where there is none.
    """
    name = model_name(read_params(workspace.params).dataset, student=model == STUDENT)
    if champion:
        click.echo(champion_uri(name, workspace.root))
        return
    click.echo("\n".join([name, *history(name, workspace.root)]))
