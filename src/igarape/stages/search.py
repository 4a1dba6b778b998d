"""search@E: the best hyperparameters of an experiment. experiments/E.yaml, chips, folds -> data/search/E/."""

import click
import numpy as np

from igarape.cluster.spreading import trainers
from igarape.config.best import Best
from igarape.config.datasets import read_dataset
from igarape.config.documents import RunFacts
from igarape.config.experiments import read_experiments, read_question, resolved_yaml
from igarape.config.params import read_params
from igarape.files import resumable, write_text
from igarape.learners.examples import load_examples, outside
from igarape.learners.keys import result_key
from igarape.learners.oracles import Budget
from igarape.learners.search import search
from igarape.learners.trials import finished_trials
from igarape.progress import progress
from igarape.reports.trials import render_comparison
from igarape.tables import write_table
from igarape.tracking.step import step_run
from igarape.workspace import Workspace

VALIDATION_FOLD = 0


def run(workspace: Workspace, experiment: str) -> None:
    """Try hyperparameters on the rows outside fold 0 and score them on fold 0; the hold-out takes no part.

    A search that was killed goes on: what it has tried moves to this run.
    """
    params = read_params(workspace.params)
    dataset = read_dataset(params.dataset, workspace.datasets)
    vocabulary = dataset.labels.vocabulary()
    # With a listed experiment come all that are listed: a fault in the last one should show before the first epoch.
    together = params.experiments if experiment in params.experiments else (experiment,)
    settings = read_experiments(together, vocabulary, workspace.experiments, nir=bool(dataset.tifs))[experiment]
    targets = settings.targets(vocabulary)
    knobs, epochs = params.search, max(1, round(settings.epochs * params.search.budget))
    budget = Budget(knobs.tuner, knobs.trials, epochs, params.seed, knobs.parallel)
    with progress(f"search {experiment}: reading chips", "chip") as report:
        examples = load_examples(workspace, settings, labels=targets.labels, report=report)
    key = result_key("search", examples, settings, budget, targets)
    recorded = {"seed": params.seed, "dataset": params.dataset, "search": knobs.model_dump()}
    recorded[experiment] = settings.model_dump()
    with (
        # The folder outside the run: should MLflow fail at the end, what was found is gone on with all the same.
        resumable(workspace.folder("search", experiment), key) as (folder, notes),
        # The cluster before the run: what is wrong with it should show before anything is recorded.
        trainers(workspace, f"search@{experiment}", chips=workspace.chips(settings.chips)) as executor,
        step_run("search", workspace=workspace, params=recorded, learner=experiment, notes=notes) as opened,
    ):
        opened.describe(read_question(experiment, workspace.experiments))
        opened.adopt([row["key"] for row in finished_trials(notes)])
        with progress(f"search {experiment}", "epoch") as report:
            found = search(
                examples.images,
                examples.y,
                experiment=settings,
                targets=targets,
                train=outside(examples.folds, VALIDATION_FOLD),
                validation=np.flatnonzero(examples.folds == VALIDATION_FOLD),
                budget=budget,
                folder=notes,
                trial_run=opened.trial,
                report=report,
                executor=executor,
            )
        write_table(found.trials, folder / "trials.parquet")
        shown = {"experiment": experiment, "objective": settings.objective, "tuner": knobs.tuner, "best": found.trial}
        page = render_comparison(found.trials, settings.hyperparameters, **shown)
        write_text(page, folder / "trials.html")
        write_text(resolved_yaml(settings), folder / "experiment.yaml")
        Best(experiment, found.hyperparameters, found.score, found.trial).write(folder)
        RunFacts(run_id=opened.id).write(workspace.run("search", experiment))
        opened.metrics({f"best_val_{settings.objective}": found.score})
        opened.tags({"igarape.best_trial": found.trial})
        opened.table(found.trials, "trials.json")
        opened.artifact(folder)
    click.echo(
        f"search {experiment}: {found.trial} is the best of {len(found.trials)} by val_{settings.objective}, "
        f"{found.score:.4f}. See them: {workspace.folder('search', experiment) / 'trials.html'}"
    )
