"""worth: whether an idea is better: a learner against another, alone and in the blend, out of fold."""

import click

from igarape.config.datasets import read_dataset
from igarape.config.experiments import read_question
from igarape.config.inheritance import read_sources
from igarape.config.params import read_params
from igarape.config.schema import check_name
from igarape.errors import InputError
from igarape.progress import progress
from igarape.reports.idea import Rows, weigh_idea
from igarape.reports.idea_text import figures_of, in_words
from igarape.reports.trained import read_trained
from igarape.tables import read_catalog, read_folds, read_groups, truth
from igarape.tracking.costs import read_made
from igarape.tracking.step import step_run
from igarape.workspace import Workspace

STEPS = ("search", "train")


def run(workspace: Workspace, experiment: str, *, against: str | None = None) -> None:
    """Compare a learner that was searched and trained with the one that it is like, and keep that as a run in MLflow.

    against: another learner to compare it with. Raises InputError, with what to type, where something was not trained.
    """
    params = read_params(workspace.params)
    name = check_name(experiment, "plain")
    other = check_name(against, "plain") if against else _parent(workspace, name)
    if other == name:
        raise InputError(f"worth {name}: expected another learner after --against, found the same")
    vocabulary = read_dataset(params.dataset, workspace.datasets).labels.vocabulary()
    folds = read_folds(workspace.folds)
    catalog = read_catalog(workspace.catalog(), vocabulary.labels).set_index("image_id")
    groups = read_groups(workspace.groups, list(folds["image_id"]))
    rows = Rows(folds, truth(catalog.loc[folds["image_id"]], vocabulary.labels), vocabulary, groups)
    wanted = dict.fromkeys((name, other, *params.experiments))
    learners = {each: read_trained(workspace, each, folds) for each in wanted}
    recorded = {"seed": params.seed, "dataset": params.dataset, "against": other}
    recorded["blend"] = ", ".join(each for each in params.experiments if each != name)
    with step_run("worth", workspace=workspace, params=recorded, learner=name) as opened:
        tables = {each: trained.predictions for each, trained in learners.items()}
        with progress(f"worth {name}", "fit") as report:
            idea = weigh_idea(name, other, tables=tables, rows=rows, params=params, report=report)
        made = {each: {step: read_made(workspace, step, each) for step in STEPS} for each in (name, other)}
        said = in_words(idea, learners, made)
        opened.metrics(figures_of(idea))
        answer = said.partition("\n\n")[0].splitlines()
        opened.describe("\n\n".join([read_question(name, workspace.experiments), *answer]))
        opened.text(said, "worth.txt")
    click.echo(said)
    if name not in params.experiments:
        click.echo(f"To have it in the stack: list {name} under experiments: in params.yaml. Then: dvc repro")


def _parent(workspace: Workspace, name: str) -> str:
    """Return the experiment that one is like; raise InputError where it is like none."""
    sources = read_sources(name, workspace.experiments)
    if len(sources) < 2:
        raise InputError(f"{name}: is like no other experiment. Name one: igarape worth {name} --against plain")
    return sources[-2].name
