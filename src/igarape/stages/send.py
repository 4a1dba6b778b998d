"""send: tell MLflow what it missed, because it did not answer or a step was killed. data/.unsent -> MLflow."""

import click

from igarape.errors import concealed
from igarape.tracking.step import send_left
from igarape.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Send the outboxes of all steps that are not at work any more, and say what was sent."""
    for sentence in send_left(workspace) or ["nothing lies unsent"]:
        click.echo(concealed(sentence))
