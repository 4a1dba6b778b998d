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

from igarape.errors import InputError
from igarape.files import read_json, resumable, write_json
from igarape.learners.crossfit import Recipe, cross_fit
from igarape.learners.examples import load_examples
from igarape.learners.experiment import Network, read_experiment
from igarape.learners.keys import result_key
from igarape.learners.predictor import Predictor
from igarape.meta.threshold import ISOLATED, above
from igarape.metrics import f2_per_sample, mean_average_precision, paired_bootstrap
from igarape.params import read_dataset, read_params, workers
from igarape.progress import progress

KEPT = Path("data/.ablations")
BASE = "mobilenet"
# Smaller and shorter than the experiment itself, so that a dozen of them fit into an evening of two cores.
SHORT = {"size": 96, "epochs": 6}
RESAMPLES = 2000


@dataclass(frozen=True)
class Variant:
    """What is changed: fields of the experiment, and knobs."""

    fields: dict[str, Any] = field(default_factory=dict)
    knobs: dict[str, Any] = field(default_factory=dict)


VARIANTS = {
    "base": Variant(),
    "head first": Variant(knobs={"head_epochs": 20.0}),
    "averaged weights": Variant(knobs={"ema": 0.98}),
    "growing chips": Variant(knobs={"smallest": 0.67}),
    "smoothing": Variant(knobs={"smoothing": 0.05}),
    "focal": Variant(knobs={"loss": "focal"}),
    "asl": Variant(knobs={"loss": "asl"}),
    "soft_f2": Variant(knobs={"loss": "soft_f2"}),
    "without symmetries": Variant(knobs={"dihedral": False}),
    "more jitter": Variant(knobs={"jitter": 0.2}),
    "balanced": Variant(knobs={"balance": 0.5}),
    "dehazed": Variant(fields={"chips": "dehaze"}),
    "larger chips": Variant(fields={"size": 128}),
}


def main() -> None:
    """Cross-fit each variant named on the command line, or all, and print the table of all that were run."""
    for name in sys.argv[1:] or VARIANTS:
        if not (KEPT / name).exists():
            _run(name)
    print(_table())


def _run(name: str) -> None:
    """Cross-fit one variant, and keep its predictions."""
    if name not in VARIANTS:
        raise InputError(f"{name}: no such variant; known are: {', '.join(VARIANTS)}")
    params, experiment = read_params(), _experiment(VARIANTS[name])
    knobs = {knob: experiment.knobs.values(knob)[0] for knob in type(experiment.knobs).model_fields}
    vocabulary = read_dataset(params.dataset).labels.vocabulary()
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
    knobs = base.knobs.model_copy(update=variant.knobs)
    return base.model_copy(update=SHORT | variant.fields | {"knobs": knobs})


def _table() -> str:
    """Return the rows as Markdown: F2 at 0.2 and macro mAP out of fold, and F2's difference to the base."""
    vocabulary = read_dataset(read_params().dataset).labels.vocabulary()
    scores = {}
    lines = [
        "| variant | change | F2 | mAP | F2 - base (95 %) | F2 without TTA | minutes |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in VARIANTS:
        if not (KEPT / name).exists():
            continue
        kept = np.load(KEPT / name / "predictions.npz")
        told = read_json(KEPT / name / "variant.json")
        scores[name] = f2_per_sample(kept["y"], above(kept["p"], vocabulary, threshold=ISOLATED))
        mean, low, high = paired_bootstrap(scores[name], scores["base"], resamples=RESAMPLES, seed=0)
        change = ", ".join(f"{key}: {json.dumps(value)}" for key, value in told["change"].items())
        gain = f"{mean:+.4f} ({low:+.4f} to {high:+.4f})" if name != "base" else ""
        columns = (name, change, f"{scores[name].mean():.4f}", f"{mean_average_precision(kept['y'], kept['p']):.4f}")
        single = f2_per_sample(kept["y"], above(kept["single"], vocabulary, threshold=ISOLATED)).mean()
        lines.append(f"| {' | '.join(columns)} | {gain} | {single:.4f} | {told['seconds'] / 60:.1f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
