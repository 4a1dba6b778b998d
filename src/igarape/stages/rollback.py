"""rollback: put the previous champion back."""

import click

from igarape.config.params import read_params
from igarape.serving.promotion import rollback
from igarape.serving.registry import STUDENT
from igarape.workspace import Workspace


def run(workspace: Workspace, *, reason: str | None = None, model: str | None = None) -> None:
    """Let champion and previous champion of the data set in params.yaml, or of its student, change places."""
    params, why = read_params(workspace.params), (reason or "").strip()
    click.echo(rollback(workspace, params, reason=why, student=model == STUDENT))
