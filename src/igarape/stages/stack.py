"""stack: one probability per label from all learners. data/train/*/predictions.parquet -> data/stack/."""

from collections.abc import Mapping
from itertools import count
from pathlib import Path

import pandas as pd

from igarape.config.datasets import read_dataset
from igarape.config.params import Params, read_params
from igarape.ensemble.stacker import (
    CrossFit,
    Settings,
    cross_fit,
    mean_stacker,
)
from igarape.files import fresh_folder, read_json, write_json
from igarape.labels import Booleans, Vocabulary
from igarape.progress import progress
from igarape.scores.figures import figures
from igarape.scores.metrics import average_precision
from igarape.tables import (
    Probabilities,
    learner_labels,
    learner_probabilities,
    predictions,
    read_catalog,
    read_folds,
    read_predictions,
    truth,
    write_table,
)
from igarape.tracking.step import step_run

FOLDER = Path("data/stack")


def run() -> None:
    """Stack by the mean and by XGBoost, keep the one that params.yaml asks for, and see what rare learners bring."""
    params = read_params()
    vocabulary = read_dataset(params.dataset).labels.vocabulary()
    folds = read_folds(Path("data/split/folds.parquet"))
    y = _truth(folds, vocabulary)
    tables = {
        name: read_predictions(Path(f"data/train/{name}/predictions.parquet"), folds) for name in params.experiments
    }
    cards = {name: read_json(Path(f"data/train/{name}/learner.json")) for name in params.experiments}
    general = {name: table for name, table in tables.items() if cards[name]["which"] == "all"}
    settings = _settings(params)
    recorded = {"seed": params.seed, "dataset": params.dataset, "stack": params.stack.model_dump()}
    fresh_folder(FOLDER)
    with step_run("stack", params=recorded | {"experiments": ", ".join(params.experiments)}) as opened:
        fits = _stack("stack", tables, y=y, folds=folds, vocabulary=vocabulary, settings=settings)
        inside = folds["fold"].to_numpy() >= 0
        scores = {
            name: figures(y[inside], fit.p[inside], labels=vocabulary.labels, vocabulary=vocabulary)
            for name, fit in fits.items()
        }
        chosen = params.stack.use if params.stack.use != "best" else max(scores, key=lambda name: scores[name]["f2"])
        rare: dict[str, dict[str, float]] = {}
        if len(general) < len(tables):
            without = _stack(
                "stack without the rare learners", general, y=y, folds=folds, vocabulary=vocabulary, settings=settings
            )
            rare = _rare(y[inside], without[chosen].p[inside], fits[chosen].p[inside], vocabulary)
        _write(fits, folds, vocabulary, chosen)
        write_json({"run_id": opened.id, "chosen": chosen, "stackers": scores, "rare": rare}, FOLDER / "stack.json")
        opened.tags({"igarape.chosen": chosen})
        opened.metrics({"oof_f2": scores[chosen]["f2"], "oof_map": scores[chosen]["map"]})
        opened.metrics({f"{name}_{figure}": value for name, both in scores.items() for figure, value in both.items()})
        opened.artifact(FOLDER)


def _settings(params: Params) -> Settings:
    """Return the knobs of XGBoost."""
    knobs = params.stack
    return Settings(
        rounds=knobs.rounds,
        depth=knobs.depth,
        rate=knobs.rate,
        child_weight=knobs.child_weight,
        l2=knobs.l2,
        seed=params.seed,
    )


def _truth(folds: pd.DataFrame, vocabulary: Vocabulary) -> Booleans:
    """Return the truth (n, labels) in the order of the folds table."""
    catalog = read_catalog(Path("data/ingest/catalog.parquet"), vocabulary.labels).set_index("image_id")
    return truth(catalog.loc[folds["image_id"]], vocabulary.labels)


def _stack(
    title: str,
    tables: Mapping[str, pd.DataFrame],
    *,
    y: Booleans,
    folds: pd.DataFrame,
    vocabulary: Vocabulary,
    settings: Settings,
) -> dict[str, CrossFit]:
    """Stack by each method."""
    learners = learner_labels(tables)
    probabilities = learner_probabilities(tables, list(folds["image_id"]))
    mean = mean_stacker(learners, labels=vocabulary.labels)
    fits = count(1)
    with progress(title, "fit") as report:
        boosted = cross_fit(
            probabilities,
            y,
            folds["fold"].to_numpy(),
            learners=learners,
            labels=vocabulary.labels,
            progress=lambda text: report(next(fits), int(folds["fold"].max()) + 2, text),
            **settings,
        )
    return {"mean": CrossFit(p=mean.predict(probabilities), stacker=mean, fallbacks={}), "xgboost": boosted}


def _rare(
    y: Booleans, without: Probabilities, having: Probabilities, vocabulary: Vocabulary
) -> dict[str, dict[str, float]]:
    """Compare the average precision of each rare label without and with the rare learners."""
    before, after = average_precision(y, without), average_precision(y, having)
    columns = {label: vocabulary.labels.index(label) for label in vocabulary.rare}
    return {
        label: {"ap_without": float(before[j]), "ap_with": float(after[j])}
        for label, j in columns.items()
        if y[:, j].any()
    }


def _write(fits: Mapping[str, CrossFit], folds: pd.DataFrame, vocabulary: Vocabulary, chosen: str) -> None:
    """Write all stacked predictions, and the chosen stacker."""
    image_ids, numbers = list(folds["image_id"]), folds["fold"].to_numpy()
    parts = [
        predictions(image_ids, numbers, learner=name, labels=vocabulary.labels, p=fit.p) for name, fit in fits.items()
    ]
    write_table(pd.concat(parts, ignore_index=True), FOLDER / "predictions.parquet")
    fits[chosen].stacker.save(FOLDER / "stacker")
