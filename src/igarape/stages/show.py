"""show: an experiment as it is resolved, or the table of all settings that an experiment has."""

import click

from igarape.config.schema import check_name
from igarape.errors import InputError
from igarape.reports.settings import render_experiment, render_table
from igarape.workspace import Workspace


def run(workspace: Workspace, experiment: str | None, *, defaults: bool) -> None:
    """Print an experiment with where each of its values is from; with defaults, every setting there is, as Markdown."""
    if defaults == (experiment is not None):
        names = ", ".join(sorted(path.stem for path in workspace.experiments.glob("*.yaml"))) or "none"
        raise InputError(f"show: expected the name of an experiment, or --defaults. Experiments here: {names}")
    if experiment is None:
        click.echo(render_table())
    else:  # a name that leads elsewhere is none
        click.echo(render_experiment(check_name(experiment, "plain"), workspace.experiments))
