"""train@E: one model per fold with the best knobs. data/search/E/best.json, chips, folds -> data/train/E/."""

from pathlib import Path

from igarape.files import fresh_folder, read_json, write_json
from igarape.learners.crossfit import Recipe, cross_fit
from igarape.learners.examples import load_examples
from igarape.learners.experiment import read_experiment
from igarape.meta.figures import figures
from igarape.params import read_dataset, read_params, workers
from igarape.progress import progress
from igarape.tables import predictions, write_table
from igarape.tracking import step_run


def run(experiment: str) -> None:
    """Cross-fit the experiment: out-of-fold predictions for the folds, the fold models' mean for the hold-out."""
    params = read_params()
    settings = read_experiment(experiment)
    dataset = read_dataset(params.dataset)
    vocabulary = dataset.labels.vocabulary()
    labels = settings.targets(vocabulary)
    settings.check(vocabulary, nir=bool(dataset.tifs))
    best = read_json(Path("data/search") / experiment / "best.json")
    folder = fresh_folder(Path("data/train") / experiment)
    recipe = Recipe(
        experiment=settings,
        knobs=best["knobs"],
        exclusive=len(set(labels) & set(vocabulary.exclusive)),
        epochs=max(1, round(settings.epochs * params.train.budget)),
        validation=params.train.validation,
        patience=params.train.patience,
        seed=params.seed,
        threads=workers(),
    )
    recorded = {"seed": params.seed, "dataset": params.dataset, "train": params.train.model_dump()}
    fixed = settings.model_dump() | {"knobs": best["knobs"]}
    with step_run("train", params=recorded | {experiment: fixed}, learner=experiment) as opened:
        opened.tags({"igarape.search_run": best["run_id"]})
        with progress(f"train {experiment}: reading chips", "chip") as report:
            examples = load_examples(
                Path("data") / settings.chips,
                Path("data/split"),
                experiment=settings,
                labels=labels,
                report=report,
            )
        with progress(f"train {experiment}", "epoch") as report:
            p = cross_fit(
                examples.pictures,
                examples.y,
                folds=examples.folds,
                groups=examples.groups,
                recipe=recipe,
                folder=folder,
                log_of=lambda fold: opened.log_of(f"fold{fold}_"),
                report=report,
            )
        table = predictions(examples.images, examples.folds, learner=experiment, labels=labels, p=p)
        write_table(table, folder / "predictions.parquet")
        inside = examples.folds >= 0
        scores = figures(examples.y[inside], p[inside], labels=labels, vocabulary=vocabulary)
        opened.metrics({"oof_f2": scores["f2"], "oof_map": scores["map"]})
        learner = settings.model_dump(include={"chips", "size"}) | {"which": settings.labels, "labels": labels}
        runs = {"run_id": opened.id, "search_run_id": best["run_id"]}
        write_json(
            {"name": experiment, "tta": settings.tta(best["knobs"])} | learner | scores | runs, folder / "learner.json"
        )
        opened.artifact(folder / "predictions.parquet")
