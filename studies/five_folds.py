"""What an experiment scores out of fold when no chip is held out, as five-fold loops elsewhere are scored.

The steps hold a fifth of the chips out, so that of 1,680 chips a fold's model learns from 1,076; here it learns from
1,344. Run by itself, in a project whose steps up to search have run for the experiments: `python studies/five_folds.py
NAMES`. Predictions are kept in data/.five_folds; a run that was stopped goes on. Prints a table.
"""

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from ablations import cross_fitted, full_recipe, read_examples

from igarape.chips.split import make_folds
from igarape.config.best import read_best
from igarape.config.datasets import read_dataset
from igarape.config.experiments import read_experiments
from igarape.config.params import read_params
from igarape.files import digest, read_json, resumable, write_json
from igarape.learners.keys import result_key
from igarape.scores.figures import figures
from igarape.scores.metrics import mean_average_precision
from igarape.workspace import Workspace

HERE = Workspace(Path())

KEPT = Path("data/.five_folds")
FOLDS = 5


def main() -> None:
    """Cross-fit each experiment named on the command line, with the hyperparameters that its search found best."""
    params = read_params(HERE.params)
    dataset = read_dataset(params.dataset, HERE.datasets)
    vocabulary = dataset.labels.vocabulary()
    experiments = read_experiments(tuple(sys.argv[1:]), vocabulary, HERE.experiments, nir=bool(dataset.tifs))
    rows = ["| experiment | chips | F2 | mAP | of the rare labels | minutes |", "|---|---|---|---|---|---|"]
    for name, experiment in experiments.items():
        examples = read_examples(name, experiment, vocabulary)
        folds = make_folds(examples.y, examples.groups, folds=FOLDS, holdout=0.0, seed=params.seed)
        examples = replace(examples, folds=folds, digest=digest([examples.digest, folds.tobytes()]))
        recipe = full_recipe(experiment, read_best(HERE.best(name), experiment).hyperparameters, vocabulary)
        key = result_key("train", examples, experiment, recipe)
        kept = KEPT / f"{name}-{key}"
        if not kept.exists():
            start = time.perf_counter()
            with resumable(kept, key) as (folder, notes):
                p = cross_fitted(name, examples, recipe, folder=folder, notes=notes)
                np.savez(folder / "predictions.npz", p=p, y=examples.y, folds=folds)
                scored = figures(examples.y, p, targets=experiment.targets(vocabulary))
                write_json(scored | {"minutes": (time.perf_counter() - start) / 60}, folder / "scores.json")
        found, arrays = read_json(kept / "scores.json"), np.load(kept / "predictions.npz")
        count = len(vocabulary.rare)  # they are the last columns of every learner
        rare = f"{mean_average_precision(arrays['y'][:, -count:], arrays['p'][:, -count:]):.4f}" if count else ""
        scores = f"{found['f2']:.4f} | {found['map']:.4f} | {rare}"
        rows.append(f"| {name} | {len(examples.image_ids):,} | {scores} | {found['minutes']:.1f} |")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
