"""train@E: one model per fold with the best hyperparameters. data/search/E/best.json, chips, folds -> data/train/E/."""

from pathlib import Path

from igarape.config.best import read_best
from igarape.config.datasets import read_dataset
from igarape.config.experiments import read_experiment, resolved_yaml
from igarape.config.params import read_params, workers
from igarape.files import resumable, write_json, write_text
from igarape.labels import Targets
from igarape.learners.crossfit import Recipe, cross_fit
from igarape.learners.examples import Examples, load_examples
from igarape.learners.keys import result_key
from igarape.progress import progress
from igarape.scores.figures import figures
from igarape.tables import Probabilities, predictions, write_table
from igarape.tracking.step import step_run


def run(experiment: str) -> None:
    """Cross-fit the experiment: out-of-fold predictions for the folds, the fold models' mean for the hold-out.

    A training that was killed goes on with the first fold that was not finished.
    """
    params = read_params()
    settings = read_experiment(experiment)
    dataset = read_dataset(params.dataset)
    vocabulary = dataset.labels.vocabulary()
    targets = settings.targets(vocabulary)
    settings.check(vocabulary, nir=bool(dataset.tifs))
    best = read_best(experiment, settings)
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
        store, split = settings.store(Path("data")), Path("data/split")
        examples = load_examples(store, split, experiment=settings, labels=targets.labels, report=report)
    recorded = {"seed": params.seed, "dataset": params.dataset, "train": params.train.model_dump()}
    recorded[experiment] = settings.model_dump() | {"hyperparameters": best.hyperparameters.model_dump()}
    with (
        # The folder outside the run: should MLflow fail at the end, the models are gone on with all the same.
        resumable(Path("data/train") / experiment, result_key(examples, settings, recipe)) as (folder, notes),
        step_run("train", params=recorded, learner=experiment, notes=notes) as opened,
    ):
        opened.tags({"igarape.search_run": best.run_id or ""})
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
        write_text(resolved_yaml(settings), folder / "experiment.yaml")
        card = settings.model_dump(include={"chips", "size"}) | {"which": settings.labels, "labels": targets.labels}
        card |= {"name": experiment, "tta": best.hyperparameters.averaged()} | _scores(examples, p, targets)
        write_json(card | {"run_id": opened.id, "search_run_id": best.run_id}, folder / "learner.json")
        opened.metrics({"oof_f2": card["f2"], "oof_map": card["map"]})
        opened.artifact(folder / "predictions.parquet")


def _scores(examples: Examples, p: Probabilities, targets: Targets) -> dict[str, float]:
    """Score the out-of-fold rows; the hold-out has no part in it."""
    inside = examples.folds >= 0
    return figures(examples.y[inside], p[inside], targets=targets)
