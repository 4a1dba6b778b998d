"""What each choice of a training is worth: one change at a time, cross-fitted on the data set that is in use.

Run by itself, in a project whose steps up to split have run: `python studies/ablations.py [NAMES]`. Each variant is an
experiment's cross-fit with one change; its out-of-fold predictions are kept in data/.ablations, so that a run that was
stopped goes on. Prints the table of experiments/README.md.
"""

import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from igarape.config.datasets import read_dataset
from igarape.config.experiments import read_experiment
from igarape.config.hyperparameters import NetworkValues, Values
from igarape.config.kinds import Experiment
from igarape.config.network_kinds import Network
from igarape.config.params import read_params, workers
from igarape.config.spaces import Space
from igarape.errors import InputError
from igarape.files import read_json, resumable, write_json
from igarape.labels import Booleans, Vocabulary
from igarape.learners.crossfit import cross_fit
from igarape.learners.examples import Examples, load_examples
from igarape.learners.folds import Recipe
from igarape.learners.keys import result_key
from igarape.learners.predictor import Predictor
from igarape.progress import progress
from igarape.scores.comparison import paired_bootstrap
from igarape.scores.draws import Draws
from igarape.scores.metrics import f2_per_sample, mean_average_precision
from igarape.scores.rules import ISOLATED, apply_thresholds
from igarape.tables import Probabilities
from igarape.workspace import Workspace

HERE = Workspace(Path())

KEPT = Path("data/.ablations")
BASE = "mobilenet"
BASE_VARIANT = "base"  # what the others are compared with
# Smaller and shorter than the experiment itself, so that a dozen of them take two cores an hour or two.
SHORT = {"size": 96, "epochs": 6}
# Written out, so that the base stays what it is when the experiment's own defaults move.
PLAIN: dict[str, Any] = {
    "learning_rate": 0.001,
    "warm_up": 0.1,
    "floor": 0.0,
    "head_epochs": 0.0,
    "head_rate": 0.003,
    "dropout": 0.2,
    "width": 1.0,
    "frozen": 0.0,
    "decay": 0.001,
    "ema": 0.0,
    "loss": "bce",
    "smoothing": 0.0,
    "dihedral": True,
    "jitter": 0.05,
    "zoom": 0.0,
    "smallest": 1.0,
    "balance": 0.0,
    "tta": True,
}
RESAMPLES = 2000
THRESHOLDS = np.arange(0.05, 0.95, 0.05)  # thresholds: a loss may move all probabilities, and rank no worse


@dataclass(frozen=True)
class Variant:
    """What is changed: fields of the experiment, and hyperparameters."""

    fields: dict[str, Any] = field(default_factory=dict)
    hyperparameters: dict[str, Any] = field(default_factory=dict)


VARIANTS = {
    BASE_VARIANT: Variant(),
    "lower rate": Variant(hyperparameters={"learning_rate": 0.0005}),
    "higher rate": Variant(hyperparameters={"learning_rate": 0.002}),
    "head first": Variant(hyperparameters={"head_epochs": 30.0}),
    "head first, lower rate": Variant(hyperparameters={"head_epochs": 30.0, "learning_rate": 0.0005}),
    "head first, higher rate": Variant(hyperparameters={"head_epochs": 30.0, "learning_rate": 0.002}),
    "averaged weights": Variant(hyperparameters={"ema": 0.98}),
    "averaged weights, higher floor": Variant(hyperparameters={"ema": 0.98, "floor": 0.3}),
    "growing chips": Variant(hyperparameters={"smallest": 0.67}),
    "smoothing": Variant(hyperparameters={"smoothing": 0.1}),
    "smoothing, lower rate": Variant(hyperparameters={"smoothing": 0.1, "learning_rate": 0.0005}),
    "focal": Variant(hyperparameters={"loss": "focal"}),
    "asl": Variant(hyperparameters={"loss": "asl"}),
    "soft_f2": Variant(hyperparameters={"loss": "soft_f2"}),
    "softmax": Variant(hyperparameters={"loss": "softmax"}),
    "without symmetries": Variant(hyperparameters={"dihedral": False}),
    "more jitter": Variant(hyperparameters={"jitter": 0.2}),
    "zoom": Variant(hyperparameters={"zoom": 0.3}),
    "balanced": Variant(hyperparameters={"balance": 0.5}),
    "dehazed": Variant(fields={"chips": "dehazed"}),
    "smaller batches": Variant(fields={"batch": 16}),
    "first half frozen": Variant(hyperparameters={"frozen": 0.5}),
    "five sixths frozen, higher rate": Variant(hyperparameters={"frozen": 0.83, "learning_rate": 0.002}),
    "MobileNetV2": Variant(fields={"backbone": "mobilenet_v2"}, hyperparameters={"frozen": 0.43}),
    "larger chips": Variant(fields={"size": 128}),
    "longer, with zoom": Variant(fields={"size": 128, "epochs": 20}, hyperparameters={"dropout": 0.4, "zoom": 0.3}),
}


def main() -> None:
    """Cross-fit the base and each variant named on the command line, or all; print the table of all that were run."""
    names = dict.fromkeys([BASE_VARIANT, *(sys.argv[1:] or VARIANTS)])
    if unknown := set(names) - set(VARIANTS):
        raise InputError(f"{', '.join(unknown)}: no such variant; known are: {', '.join(VARIANTS)}")
    vocabulary = read_dataset(read_params(HERE.params).dataset, HERE.datasets).labels.vocabulary()
    for name in names:
        experiment = _experiment(VARIANTS[name])
        try:
            experiment.check(vocabulary, nir=False)
        except InputError as error:
            print(f"{name}: left out: {error}", file=sys.stderr)
            continue
        if not (KEPT / name).exists():
            _run(name, experiment, vocabulary)
    print(_table(vocabulary))


def _run(name: str, experiment: Network, vocabulary: Vocabulary) -> None:
    """Cross-fit one variant, and keep its predictions."""
    examples = read_examples(name, experiment, vocabulary)
    recipe = full_recipe(experiment, experiment.hyperparameters.pick({}), vocabulary)
    start = time.perf_counter()
    with resumable(KEPT / name, result_key("train", examples, experiment, recipe)) as (folder, notes):
        p = cross_fitted(name, examples, recipe, folder=folder, notes=notes)
        inside = examples.folds >= 0
        single = np.zeros_like(p)
        for fold in range(int(examples.folds.max()) + 1):
            rows = examples.folds == fold
            model = Predictor([folder / f"fold-{fold}.onnx"], threads=recipe.threads)
            single[rows] = model.predict(examples.images[rows], tta=False, batch=experiment.batch)
        groups = np.asarray(examples.groups)[inside]
        np.savez(folder / "predictions.npz", p=p[inside], single=single[inside], y=examples.y[inside], groups=groups)
        change = VARIANTS[name].fields | VARIANTS[name].hyperparameters
        write_json({"change": change, "seconds": time.perf_counter() - start}, folder / "variant.json")


def read_examples(name: str, experiment: Experiment, vocabulary: Vocabulary) -> Examples:
    """Return all labelled chips of the project, as the experiment sees them."""
    with progress(f"{name}: reading chips", "chip") as report:
        labels = experiment.targets(vocabulary).labels
        return load_examples(HERE, experiment, labels=labels, report=report)


def full_recipe(experiment: Experiment, hyperparameters: Values, vocabulary: Vocabulary) -> Recipe:
    """Return the recipe of a training of all the experiment's epochs, without validation rows."""
    return Recipe(
        experiment=experiment,
        hyperparameters=hyperparameters,
        targets=experiment.targets(vocabulary),
        epochs=experiment.epochs,
        validation=0.0,
        patience=experiment.epochs,
        seed=read_params(HERE.params).seed,
        threads=workers(),
    )


def cross_fitted(name: str, examples: Examples, recipe: Recipe, *, folder: Path, notes: Path) -> Probabilities:
    """Cross-fit without MLflow, with a progress bar; return the probabilities of all chips."""
    with progress(name, "epoch") as report:
        return cross_fit(
            examples.images,
            examples.y,
            folds=examples.folds,
            groups=examples.groups,
            recipe=recipe,
            folder=folder,
            notes=notes,
            log_of=lambda _fold: lambda _epoch, _metrics: None,
            report=report,
        )


def _experiment(variant: Variant) -> Network:
    """Return the short base experiment with a variant's changes."""
    base = read_experiment(BASE, HERE.experiments)
    if not isinstance(base, Network):
        raise InputError(f"experiments/{BASE}.yaml: expected a network")
    hyperparameters = Space[NetworkValues](**(PLAIN | variant.hyperparameters))
    return base.model_copy(update=SHORT | variant.fields | {"hyperparameters": hyperparameters})


def _table(vocabulary: Vocabulary) -> str:
    """Return the rows as Markdown: F2 at 0.2 and macro mAP out of fold, F2's difference to the base, its best F2."""
    lines = [
        "| variant | change | F2 | mAP | F2 - base (95 %) | F2 at best | minutes |",
        "|---|---|---|---|---|---|---|",
    ]
    kept = np.load(KEPT / BASE_VARIANT / "predictions.npz")
    base, draws = _f2(kept["y"], kept["p"], vocabulary), Draws(kept["groups"], resamples=RESAMPLES, seed=0)
    for name in VARIANTS:
        if not (KEPT / name).exists():
            continue
        kept, variant = np.load(KEPT / name / "predictions.npz"), read_json(KEPT / name / "variant.json")
        shown = [(name, variant["change"], kept["p"], f"{variant['seconds'] / 60:.1f}")]
        if name == BASE_VARIANT:
            shown.append(("without TTA", {"tta": False}, kept["single"], ""))
        for row, changes, p, minutes in shown:
            scores = _f2(kept["y"], p, vocabulary)
            gain = paired_bootstrap(scores, base, draws) if changes else ""
            change = ", ".join(f"{key}: {json.dumps(value)}" for key, value in changes.items())
            score = f"{scores.mean():.4f} | {mean_average_precision(kept['y'], p):.4f}"
            best, threshold = max(
                (_f2(kept["y"], p, vocabulary, threshold).mean(), threshold) for threshold in THRESHOLDS
            )
            lines.append(f"| {row} | {change} | {score} | {gain} | {best:.4f} at {threshold:.2f} | {minutes} |")
    return "\n".join(lines)


def _f2(y: Booleans, p: Probabilities, vocabulary: Vocabulary, threshold: float = ISOLATED) -> npt.NDArray[np.float64]:
    """Return each chip's F2."""
    return f2_per_sample(y, apply_thresholds(p, vocabulary.targets("all"), threshold=threshold))


if __name__ == "__main__":
    main()
