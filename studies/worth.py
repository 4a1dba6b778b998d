"""Say what a learner is worth beside others, by its default hyperparameters and by others.

Run by itself, in a project whose steps up to train have run for the base, and up to split for the learner:

python studies/worth.py fisher --base tabular --base kernel --vary words=32,64,256 --vary components=16

The learner is cross-fitted with its defaults, and with each of the values in the place of one. A range that a search
would go through is taken at its default. Prints a table of F2 by the fixed rule and mAP, out of fold: alone, in the
cross-fitted blend with the base, and how much that blend gains on the base's own, by paired bootstrap over chips.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import click
import numpy as np
import pandas as pd
from ablations import HERE, cross_fitted, full_recipe, read_examples

from igarape.config.datasets import read_dataset
from igarape.config.experiments import read_experiments
from igarape.config.hyperparameters import Value
from igarape.config.kinds import Experiment
from igarape.config.params import Params, read_params
from igarape.ensemble.boosting import Settings
from igarape.ensemble.stackers import fit_stackers
from igarape.labels import Booleans, Vocabulary
from igarape.predictions import prediction_table, read_predictions
from igarape.scores.comparison import paired_bootstrap
from igarape.scores.figures import f2_by_chip
from igarape.scores.metrics import Floats
from igarape.scores.ranking import Ranked, paired_map, rank
from igarape.tables import Folds, Probabilities, read_catalog, read_folds, truth

RESAMPLES = 1000


class Rows(NamedTuple):
    """The chips of a table of folds, their folds (n,) and labels (n, labels)."""

    table: pd.DataFrame
    folds: Folds
    y: Booleans


class Judged(NamedTuple):
    """Out of fold, a learner's or a blend's F2 of each chip (n,), average precision of each label, and resampled."""

    f2: Floats
    precision: Ranked

    @classmethod
    def of(cls, p: Floats, rows: Rows, vocabulary: Vocabulary) -> "Judged":
        """Judge probabilities (n, labels) on the rows of the folds."""
        inside = rows.folds >= 0
        y, seen = rows.y[inside], p[inside]
        ranked = rank(y, {"it": seen}, resamples=RESAMPLES, seed=0)["it"]
        return cls(f2_by_chip(y, seen, targets=vocabulary.targets("all")), ranked)

    def written(self) -> str:
        """Return both figures as cells."""
        return f"{self.f2.mean():.4f} | {np.nanmean(self.precision.observed):.4f}"

    def gained(self, base: "Judged") -> str:
        """Return what is gained on a base in both, as cells, with intervals."""
        f2 = paired_bootstrap(self.f2, base.f2, resamples=RESAMPLES, seed=0)
        return f"{f2} | {paired_map(self.precision, base.precision)}"


@click.command()
@click.argument("learner")
@click.option("--base", multiple=True, required=True, help="A learner whose predictions are stored.")
@click.option("--vary", multiple=True, help="A hyperparameter and its values: words=32,64")
def main(learner: str, base: tuple[str, ...], vary: tuple[str, ...]) -> None:
    """Cross-fit LEARNER, and say what it is worth beside the base."""
    params = read_params(HERE.params)
    dataset = read_dataset(params.dataset, HERE.datasets)
    vocabulary, table = dataset.labels.vocabulary(), read_folds(HERE.folds)
    (experiment,) = read_experiments((learner,), vocabulary, HERE.experiments, nir=bool(dataset.tifs)).values()
    catalog = read_catalog(HERE.catalog(), vocabulary.labels).set_index("image_id")
    y = truth(catalog.loc[table["image_id"]], vocabulary.labels)
    rows = Rows(table, table["fold"].to_numpy(), y)
    stored = {name: read_predictions(HERE.predictions(name), table) for name in base}
    before = _blended(stored, rows, params, vocabulary)
    print("| learner | F2 | mAP | blend: F2 | mAP | F2 gained (95 %) | mAP gained (95 %) | seconds |")
    print("|---|---|---|---|---|---|---|---|")
    print(f"| none but {', '.join(base)} | | | {before.written()} | | | |")
    pairs = [pair.partition("=") for pair in vary]
    changes = [{}, *({name: json.loads(value)} for name, _, values in pairs for value in values.split(","))]
    for change in changes:
        start = time.process_time()
        p = _cross_fit(learner, experiment, change, vocabulary)
        seconds = time.process_time() - start
        alone = Judged.of(p.astype(np.float64), rows, vocabulary)
        found = prediction_table(list(table["image_id"]), rows.folds, learner=learner, labels=vocabulary.labels, p=p)
        blended = _blended(stored | {learner: found}, rows, params, vocabulary)
        told = ", ".join([learner, *(f"{key} {value}" for key, value in change.items())])
        figures = (alone.written(), blended.written(), blended.gained(before), f"{seconds:.0f}")
        print(f"| {told} | {' | '.join(figures)} |", flush=True)


def _cross_fit(name: str, experiment: Experiment, change: Mapping[str, Value], vocabulary: Vocabulary) -> Probabilities:
    """Return the probabilities of all chips, each by a model that has not seen it."""
    space = experiment.hyperparameters
    values = space.kind.model_validate({**space.fixed(), **change})
    recipe = full_recipe(experiment, values, vocabulary)
    with TemporaryDirectory() as folder:
        examples = read_examples(name, experiment, vocabulary)
        return cross_fitted(name, examples, recipe, folder=Path(folder), notes=Path(folder) / "notes")


def _blended(tables: Mapping[str, pd.DataFrame], rows: Rows, params: Params, vocabulary: Vocabulary) -> Judged:
    """Cross-fit the blend of some learners, and judge it."""
    settings = Settings(**params.stack.model_dump(exclude={"use", "check"}), seed=params.seed)
    fits = fit_stackers(
        tables,
        rows.y,
        folds=rows.table,
        vocabulary=vocabulary,
        settings=settings,
        report=lambda _done, _total, _what: None,
        methods=("blend",),
    )
    return Judged.of(fits["blend"].p.astype(np.float64), rows, vocabulary)


if __name__ == "__main__":
    main()
