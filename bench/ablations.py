"""What each choice of a training is worth: one change at a time, cross-fitted on the data set that is in use.

Run by itself, in a project whose steps up to split have run: `python bench/ablations.py [NAMES]`. Each variant is an
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

from igarape.datasets import read_dataset
from igarape.errors import InputError
from igarape.files import read_json, resumable, write_json
from igarape.labels import Vocabulary
from igarape.learners.crossfit import Recipe, cross_fit
from igarape.learners.examples import load_examples
from igarape.learners.experiment import Network, read_experiment
from igarape.learners.keys import result_key
from igarape.learners.predictor import Predictor
from igarape.meta.threshold import ISOLATED, above
from igarape.metrics import f2_per_sample, mean_average_precision, paired_bootstrap
from igarape.params import read_params, workers
from igarape.progress import progress

KEPT = Path("data/.ablations")
BASE = "mobilenet"
BASE_VARIANT = "base"  # what the others are compared with
# Smaller and shorter than the experiment itself, so that a dozen of them take two cores an hour or two.
SHORT = {"size": 96, "epochs": 6}
# Written out, so that the base stays what it is when the experiment's own defaults move.
PLAIN = {
    "learning_rate": 0.0005,
    "head_epochs": 0.0,
    "ema": 0.0,
    "loss": "bce",
    "smoothing": 0.0,
    "dihedral": True,
    "jitter": 0.05,
    "smallest": 1.0,
    "balance": 0.0,
    "tta": True,
}
RESAMPLES = 2000


@dataclass(frozen=True)
class Variant:
    """What is changed: fields of the experiment, and knobs."""

    fields: dict[str, Any] = field(default_factory=dict)
    knobs: dict[str, Any] = field(default_factory=dict)


VARIANTS = {
    BASE_VARIANT: Variant(),
    "head first": Variant(knobs={"head_epochs": 30.0}),
    "higher rate": Variant(knobs={"learning_rate": 0.001}),
    "rate of 0.002": Variant(knobs={"learning_rate": 0.002}),
    "head first, rate of 0.002": Variant(knobs={"head_epochs": 30.0, "learning_rate": 0.002}),
    "averaged weights": Variant(knobs={"ema": 0.98}),
    "growing chips": Variant(knobs={"smallest": 0.67}),
    "smoothing": Variant(knobs={"smoothing": 0.1}),
    "focal": Variant(knobs={"loss": "focal"}),
    "asl": Variant(knobs={"loss": "asl"}),
    "soft_f2": Variant(knobs={"loss": "soft_f2"}),
    "softmax": Variant(knobs={"loss": "softmax"}),
    "without symmetries": Variant(knobs={"dihedral": False}),
    "more jitter": Variant(knobs={"jitter": 0.2}),
    "balanced": Variant(knobs={"balance": 0.5}),
    "dehazed": Variant(fields={"chips": "dehaze"}),
    "larger chips": Variant(fields={"size": 128}),
}


def main() -> None:
    """Cross-fit the base and each variant named on the command line, or all; print the table of all that were run."""
    names = dict.fromkeys([BASE_VARIANT, *(sys.argv[1:] or VARIANTS)])
    if unknown := set(names) - set(VARIANTS):
        raise InputError(f"{', '.join(unknown)}: no such variant; known are: {', '.join(VARIANTS)}")
    vocabulary = read_dataset(read_params().dataset).labels.vocabulary()
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
    params = read_params()
    knobs = {knob: experiment.knobs.values(knob)[0] for knob in type(experiment.knobs).model_fields}
    with progress(f"{name}: reading chips", "chip") as report:
        examples = load_examples(
            Path("data") / experiment.chips,
            Path("data/split"),
            experiment=experiment,
            labels=vocabulary.labels,
            report=report,
        )
    recipe = Recipe(
        experiment=experiment,
        knobs=knobs,
        exclusive=len(vocabulary.exclusive),
        epochs=experiment.epochs,
        validation=0.0,
        patience=experiment.epochs,
        seed=params.seed,
        threads=workers(),
    )
    start = time.perf_counter()
    with resumable(KEPT / name, result_key(examples, recipe)) as (folder, notes), progress(name, "epoch") as report:
        p = cross_fit(
            examples.pictures,
            examples.y,
            folds=examples.folds,
            groups=examples.groups,
            recipe=recipe,
            folder=folder,
            notes=notes,
            log_of=lambda _fold: lambda _epoch, _metrics: None,
            report=report,
        )
        inside = examples.folds >= 0
        single = np.zeros_like(p)
        for fold in range(int(examples.folds.max()) + 1):
            held = examples.folds == fold
            model = Predictor([folder / f"fold-{fold}.onnx"], threads=recipe.threads)
            single[held] = model.predict(examples.pictures[held], tta=False, batch=experiment.batch)
        np.savez(folder / "predictions.npz", p=p[inside], single=single[inside], y=examples.y[inside])
        told = VARIANTS[name].fields | VARIANTS[name].knobs
        write_json({"change": told, "seconds": time.perf_counter() - start}, folder / "variant.json")


def _experiment(variant: Variant) -> Network:
    """Return the short base experiment with a variant's changes."""
    base = read_experiment(BASE)
    if not isinstance(base, Network):
        raise InputError(f"experiments/{BASE}.yaml: expected a network")
    knobs = base.knobs.model_copy(update=PLAIN | variant.knobs)
    return base.model_copy(update=SHORT | variant.fields | {"knobs": knobs})


def _table(vocabulary: Vocabulary) -> str:
    """Return the rows as Markdown: F2 at 0.2 and macro mAP out of fold, and F2's difference to the base."""
    lines = ["| variant | change | F2 | mAP | F2 - base (95 %) | minutes |", "|---|---|---|---|---|---|"]
    kept = np.load(KEPT / BASE_VARIANT / "predictions.npz")
    base = f2_per_sample(kept["y"], above(kept["p"], vocabulary, threshold=ISOLATED))
    for name in VARIANTS:
        if not (KEPT / name).exists():
            continue
        kept, told = np.load(KEPT / name / "predictions.npz"), read_json(KEPT / name / "variant.json")
        shown = [(name, told["change"], kept["p"], f"{told['seconds'] / 60:.1f}")]
        if name == BASE_VARIANT:
            shown.append(("without TTA", {"tta": False}, kept["single"], ""))
        for row, changes, p, minutes in shown:
            scores = f2_per_sample(kept["y"], above(p, vocabulary, threshold=ISOLATED))
            mean, low, high = paired_bootstrap(scores, base, resamples=RESAMPLES, seed=0)
            gain = f"{mean:+.4f} ({low:+.4f} to {high:+.4f})" if changes else ""
            change = ", ".join(f"{key}: {json.dumps(value)}" for key, value in changes.items())
            score = f"{scores.mean():.4f} | {mean_average_precision(kept['y'], p):.4f}"
            lines.append(f"| {row} | {change} | {score} | {gain} | {minutes} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
