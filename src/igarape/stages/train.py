"""train@E: one model per fold with the best hyperparameters. data/search/E/best.json, chips, folds -> data/train/E/."""

from igarape.config.best import read_best
from igarape.config.datasets import read_dataset
from igarape.config.documents import LearnerManifest, RunFacts
from igarape.config.experiments import read_experiment, resolved_yaml
from igarape.config.params import read_params, workers
from igarape.files import resumable, write_text
from igarape.labels import Targets
from igarape.learners.crossfit import Recipe, cross_fit
from igarape.learners.examples import Examples, load_examples
from igarape.learners.keys import result_key
from igarape.progress import progress
from igarape.scores.figures import figures
from igarape.tables import Probabilities, predictions, write_table
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
    targets = settings.targets(vocabulary)
    settings.check(vocabulary, nir=bool(dataset.tifs))
    best = read_best(workspace.best(experiment), settings)
    recipe = Recipe(
        experiment=settings,
        hyperparameters=best.hyperparameters,
        targets=targets,
        epochs=max(1, round(settings.epochs * params.train.budget)),
        validation=params.train.validation,
        patience=params.train.patience,
        seed=params.seed,
        threads=workers(),
    )
    with progress(f"train {experiment}: reading chips", "chip") as report:
        examples = load_examples(
            workspace.chips(settings.chips),
            workspace.folder("split"),
            experiment=settings,
            labels=targets.labels,
            report=report,
        )
    resolved = settings.model_dump() | {"hyperparameters": best.hyperparameters.model_dump()}
    recorded = {"seed": params.seed, "dataset": params.dataset, "train": params.train.model_dump()}
    recorded[experiment] = resolved
    with (
        # The folder outside the run: should MLflow fail at the end, the models are gone on with all the same.
        resumable(workspace.folder("train", experiment), result_key("train", examples, settings, recipe)) as (
            folder,
            notes,
        ),
        step_run("train", workspace=workspace, params=recorded, learner=experiment, notes=notes) as opened,
    ):
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
            )
        write_table(
            predictions(examples.image_ids, examples.folds, learner=experiment, labels=targets.labels, p=p),
            folder / "predictions.parquet",
        )
        scores = _scores(examples, p, targets)
        write_text(resolved_yaml(settings), folder / "experiment.yaml")
        LearnerManifest(
            name=experiment,
            chips=settings.chips,
            size=settings.size,
            scope=settings.labels,
            labels=targets.labels,
            tta=best.hyperparameters.averaged(),
            f2=scores["f2"],
            map=scores["map"],
            settings=resolved,
        ).write(folder / "learner.json")
        RunFacts(run_id=opened.id).write(workspace.run("train", experiment))
        opened.metrics({"oof_f2": scores["f2"], "oof_map": scores["map"]})
        opened.artifact(folder / "predictions.parquet")


def _scores(examples: Examples, p: Probabilities, targets: Targets) -> dict[str, float]:
    """Score the out-of-fold rows; the hold-out has no part in it."""
    inside = examples.folds >= 0
    return figures(examples.y[inside], p[inside], targets=targets)
