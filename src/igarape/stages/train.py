"""train@E: one model per fold with the best hyperparameters. data/search/E/best.json, chips, folds -> data/train/E/."""

import click

from igarape.cluster.spreading import threads, trainers
from igarape.config.best import read_best
from igarape.config.datasets import read_dataset
from igarape.config.documents import RunFacts
from igarape.config.experiments import read_experiment, read_question
from igarape.config.params import read_params
from igarape.files import digest, resumable, write_text
from igarape.learners.crossfit import cross_fit
from igarape.learners.examples import load_examples
from igarape.learners.folds import Recipe
from igarape.learners.keys import result_key
from igarape.learners.results import write_result
from igarape.progress import progress
from igarape.tables import HOLDOUT
from igarape.tracking.step import step_run
from igarape.workspace import Workspace


def run(workspace: Workspace, experiment: str) -> None:
    """Cross-fit the experiment: out-of-fold predictions for the folds, the fold models' mean for the hold-out.

    A training that was killed goes on with the first fold that was not finished.
    """
    params = read_params(workspace.params)
    settings = read_experiment(experiment, workspace.experiments)
    dataset = read_dataset(params.dataset, workspace.datasets)
    vocabulary = dataset.labels.vocabulary()
    settings.check(vocabulary, nir=bool(dataset.tifs))
    recipe = Recipe(
        experiment=settings,
        hyperparameters=read_best(workspace.best(experiment), settings).hyperparameters,
        targets=settings.targets(vocabulary),
        epochs=max(1, round(settings.epochs * params.train.budget)),
        validation=params.train.validation,
        patience=params.train.patience,
        seed=params.seed,
        threads=threads(),
    )
    with progress(f"train {experiment}: reading chips", "chip") as report:
        examples = load_examples(workspace, settings, labels=recipe.targets.labels, report=report)
    key = result_key("train", examples, settings, recipe)
    at_once = len({*examples.folds.tolist()} - {HOLDOUT}) if settings.one_processor else 1
    recorded = {"seed": params.seed, "dataset": params.dataset, "train": params.train.model_dump()}
    recorded[experiment] = recipe.settings()
    with (
        # The folder outside the run: should MLflow fail at the end, the models are gone on with all the same.
        resumable(workspace.folder("train", experiment), key) as (folder, notes),
        trainers(workspace, f"train@{experiment}", chips=workspace.chips(settings.chips), at_once=at_once) as executor,
        step_run("train", workspace=workspace, params=recorded, learner=experiment, notes=notes) as opened,
    ):
        opened.describe(read_question(experiment, workspace.experiments))
        opened.tags({"igarape.search_run": RunFacts.read(workspace.run("search", experiment)).run_id})
        with progress(f"train {experiment}", "epoch") as report:
            p = cross_fit(
                examples.images,
                examples.y,
                folds=examples.folds,
                groups=examples.groups,
                recipe=recipe,
                folder=folder,
                notes=notes,
                log_of=lambda fold: opened.log_of(f"fold{fold}_"),
                report=report,
                executor=executor,
            )
        scores = write_result(folder, p, name=experiment, examples=examples, recipe=recipe, notes=notes)
        RunFacts(run_id=opened.id).write(workspace.run("train", experiment))
        opened.metrics({"oof_f2": scores["f2"], "oof_map": scores["map"]})
        opened.artifact(folder / "predictions.parquet")
    if experiment in params.experiments:
        files = sorted(path for path in workspace.folder("train", experiment).rglob("*") if path.is_file())
        write_text(digest(part for path in files for part in (path.name, path)), workspace.trained(experiment))
    click.echo(
        f"train {experiment}: out of fold F2 {scores['f2']:.4f}, mAP {scores['map']:.4f}; "
        f"kept in {workspace.learner(experiment)}"
    )
