"""describe: a look at the data, for people. What the steps before wrote -> data/describe, reports/data.html."""

import click

from igarape.config.datasets import read_dataset
from igarape.config.documents import RunFacts
from igarape.config.params import read_params
from igarape.errors import counted
from igarape.files import fresh_folder, write_json, write_text
from igarape.reports.data import render_overview
from igarape.reports.survey import gather, look
from igarape.tracking.step import step_run
from igarape.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Count, choose and show: one page for people, and its figures for MLflow."""
    params = read_params(workspace.params)
    dataset = read_dataset(params.dataset, workspace.datasets)
    page, target = workspace.reports / "data.html", workspace.folder("describe")
    found = gather(workspace, dataset.labels.vocabulary())
    recorded = {"seed": params.seed, "dataset": params.dataset, "describe": params.describe.model_dump()}
    with step_run("describe", workspace=workspace, params=recorded) as opened:
        fresh_folder(target)  # not before MLflow has answered
        overview = look(workspace, found, params, dataset)
        write_text(render_overview(overview), page)
        write_json(overview.figures, target / "summary.json")
        RunFacts(run_id=opened.id).write(workspace.run("describe"))
        opened.metrics(overview.figures)
        opened.artifact(page)
    chips, left_out = overview.figures["chips"], overview.figures["left_out"]
    click.echo(f"describe: {counted(int(chips), 'chip')}, {left_out} left out. Look at them: {page}")
