"""Say what a learner is worth beside others, by its default hyperparameters and by others.

Run by itself, in a project whose steps up to train have run for the base, and up to split for the learner:

python studies/worth.py fisher --base tabular --base kernel --vary words=32,64,256 --vary components=16

The learner is cross-fitted with its defaults, and with each of the values in the place of one. A range that a search
would go through is taken at its default. Prints a table of F2 by the fixed rule and mAP, out of fold: alone, in the
cross-fitted blend with the base, and how much that blend gains on the base's own, by paired bootstrap.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
from ablations import HERE, cross_fitted, full_recipe, read_examples

from igarape.config.datasets import read_dataset
from igarape.config.experiments import read_experiments
from igarape.config.hyperparameters import Value
from igarape.config.kinds import Experiment
from igarape.config.params import read_params
from igarape.labels import Vocabulary
from igarape.predictions import prediction_table, read_predictions
from igarape.reports.idea import F2, MAP, Judged, Rows, blended, judge
from igarape.scores.draws import Draws
from igarape.tables import Probabilities, read_catalog, read_folds, read_groups, truth

RESAMPLES = 1000


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
    groups = read_groups(HERE.groups, list(table["image_id"]))
    rows = Rows(table, truth(catalog.loc[table["image_id"]], vocabulary.labels), vocabulary, groups)
    folds = table["fold"].to_numpy()
    stored = {name: read_predictions(HERE.predictions(name), table) for name in base}
    before = blended(stored, rows, params, _silent)
    print("| learner | F2 | mAP | blend: F2 | mAP | F2 gained (95 %) | mAP gained (95 %) | seconds |")
    print("|---|---|---|---|---|---|---|---|")
    known = _judged({"before": before}, rows)["before"]
    print(f"| none but {', '.join(base)} | | | {_cells(known.figures, '{:.4f}')} | | | |")
    pairs = [pair.partition("=") for pair in vary]
    changes = [{}, *({name: json.loads(value)} for name, _, values in pairs for value in values.split(","))]
    for change in changes:
        start = time.process_time()
        p = _cross_fit(learner, experiment, change, vocabulary)
        seconds = time.process_time() - start
        found = prediction_table(list(table["image_id"]), folds, learner=learner, labels=vocabulary.labels, p=p)
        after = blended(stored | {learner: found}, rows, params, _silent)
        judged = _judged({"alone": p[rows.inside], "before": before, "after": after}, rows)
        told = ", ".join([learner, *(f"{key} {value}" for key, value in change.items())])
        alone, blend = (_cells(judged[name].figures, "{:.4f}") for name in ("alone", "after"))
        gained = _cells(judged["after"].beyond(judged["before"]))
        figures = (alone, blend, gained, f"{seconds:.0f}")
        print(f"| {told} | {' | '.join(figures)} |", flush=True)


def _cross_fit(name: str, experiment: Experiment, change: Mapping[str, Value], vocabulary: Vocabulary) -> Probabilities:
    """Return the probabilities of all chips, each by a model that has not seen it."""
    space = experiment.hyperparameters
    values = space.kind.model_validate({**space.fixed(), **change})
    recipe = full_recipe(experiment, values, vocabulary)
    with TemporaryDirectory() as folder:
        examples = read_examples(name, experiment, vocabulary)
        return cross_fitted(name, examples, recipe, folder=Path(folder), notes=Path(folder) / "notes")


def _silent(_done: int, _total: int, _what: str) -> None:
    """Show no progress: a table is printed."""


def _judged(answers: Mapping[str, Probabilities], rows: Rows) -> dict[str, Judged]:
    """Judge answers of the chips in the folds, (chips, labels), by their names."""
    targets, rare = rows.vocabulary.targets("all"), rows.vocabulary.rare
    draws = Draws(np.asarray(rows.groups)[rows.inside], resamples=RESAMPLES, seed=0)
    return judge(rows.y[rows.inside], answers, targets=targets, rare=rare, draws=draws)


def _cells(values: Mapping[str, object], form: str = "{}") -> str:
    """Return F2 and mAP as cells."""
    return " | ".join(form.format(values[name]) for name in (F2, MAP))


if __name__ == "__main__":
    main()
