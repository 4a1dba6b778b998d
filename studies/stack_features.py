"""What would trees on the blend gain from more than logits: views' spread, dehazing's figures, a chip's statistics.

Run by itself, in a project whose steps up to stack have run: `python studies/stack_features.py`. For each set of
features and each size of trees, XGBoost corrects the blend of the learners, cross-fitted on the folds. Nothing is
chosen, so that each row is what that choice would give. Prints a table of F2 by the fixed rule and mAP, out of fold and
on the hold-out, with the difference of F2 to the blend, out of fold, by paired bootstrap.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import xgboost
from ablations import read_examples

from igarape.chips.pictures import symmetries
from igarape.chips.store import Store
from igarape.config.datasets import read_dataset
from igarape.config.experiments import read_experiments
from igarape.config.network_kinds import Network
from igarape.config.params import Params, read_params
from igarape.ensemble.linear import logit, sigmoid
from igarape.labels import Booleans, Targets, Vocabulary
from igarape.learners.predictor import Predictor
from igarape.learners.trees.statistics import statistics
from igarape.predictions import learner_probabilities, probability_columns, read_predictions
from igarape.scores.comparison import paired_bootstrap
from igarape.scores.draws import Draws
from igarape.scores.figures import f2_by_chip
from igarape.scores.metrics import mean_average_precision
from igarape.tables import read_catalog, read_folds, read_groups, read_table, truth
from igarape.workspace import Workspace

HERE = Workspace(Path())
SIZES = ((1, 20), (2, 20), (2, 60))  # depth and rounds
POSITIVES = 5  # a label with fewer in the folds keeps the blend

Floats = npt.NDArray[np.float64]


def main() -> None:
    """Correct the blend with each set of features and each size of trees; print the table."""
    params = read_params(HERE.params)
    vocabulary = read_dataset(params.dataset, HERE.datasets).labels.vocabulary()
    table = read_folds(HERE.folds)
    image_ids, folds = list(table["image_id"]), table["fold"].to_numpy()
    catalog = read_catalog(HERE.catalog(), vocabulary.labels)
    y = truth(catalog.set_index("image_id").loc[image_ids], vocabulary.labels)
    stacked = read_predictions(HERE.folder("stack") / "predictions.parquet", table)
    blend = stacked[stacked["learner"] == "blend"].set_index("image_id").loc[image_ids]
    margin, targets = logit(blend[probability_columns(stacked)].to_numpy()), vocabulary.targets("all")
    rows = {"the blend": sigmoid(margin)}
    for name, features in _features(params, Store(HERE.chips("raw"), catalog), image_ids, vocabulary).items():
        for depth, rounds in SIZES:
            p = _corrected(features, y, margin, folds=folds, depth=depth, rounds=rounds, l2=params.stack.l2)
            rows[f"{name}, depth {depth}, {rounds} rounds"] = p
    groups = np.asarray(read_groups(HERE.groups, image_ids))[folds >= 0]
    print("\n".join(_table(rows, y, folds, targets, Draws(groups, resamples=1000, seed=0))))


def _features(params: Params, store: Store, image_ids: list[str], vocabulary: Vocabulary) -> Mapping[str, Floats]:
    """Return the sets of features, (chips, features) each."""
    learned = {name: read_predictions(HERE.predictions(name), read_folds(HERE.folds)) for name in params.experiments}
    logits = np.hstack([logit(p) for p in learner_probabilities(learned, image_ids).values()])
    path = HERE.chips("dehazed") / "quality.parquet"
    quality = read_table(path, ["image_id"]).set_index("image_id").loc[image_ids].to_numpy(dtype=np.float64)
    colours = statistics(store.rgb(image_id) for image_id in image_ids).astype(np.float64)
    return {
        "logits": logits,
        "logits and views' spread": np.hstack([logits, *_spreads(params, image_ids, vocabulary)]),
        "dehazing": quality,
        "logits and dehazing": np.hstack([logits, quality]),
        "logits, dehazing and statistics": np.hstack([logits, quality, colours]),
    }


def _spreads(params: Params, image_ids: list[str], vocabulary: Vocabulary) -> list[Floats]:
    """Return, of each network, how far its logits of the eight views of a chip lie apart: (chips, its labels).

    In a fold it is that of the fold's model; on the hold-out, the mean over all models. From all sides a chip has the
    same statistics, and a probe's features are a mean over the views: other learners answer all views alike.
    """
    found = []
    experiments = read_experiments(params.experiments, vocabulary, HERE.experiments, nir=False)
    for name, experiment in experiments.items():
        if not isinstance(experiment, Network):
            continue
        examples = read_examples(name, experiment, vocabulary)
        spread = np.zeros((len(examples.image_ids), len(experiment.targets(vocabulary).labels)))
        models = sorted(HERE.folder("train", name).glob("fold-*.onnx"))
        for fold in np.unique(examples.folds):
            rows = examples.folds == fold
            views = [np.ascontiguousarray(view) for view in symmetries(examples.images[rows])]
            for path in [models[fold]] if fold >= 0 else models:
                predictor = Predictor([path])
                each = [logit(predictor.predict(view, tta=False, batch=experiment.batch)) for view in views]
                spread[rows] += np.std(each, axis=0) / (1 if fold >= 0 else len(models))
        place = {image_id: row for row, image_id in enumerate(examples.image_ids)}
        found.append(spread[[place[image_id] for image_id in image_ids]])
    return found


def _corrected(
    features: Floats,
    y: Booleans,
    margin: Floats,
    *,
    folds: npt.NDArray[np.int64],
    depth: int,
    rounds: int,
    l2: float,
) -> Floats:
    """Boost each label from the margin, and answer each row by trees that have not seen it."""
    settings = {"objective": "binary:logistic", "max_depth": depth, "learning_rate": 0.1, "nthread": 1}
    settings |= {"min_child_weight": 5.0, "reg_lambda": l2, "tree_method": "hist", "max_bin": 64}
    p = sigmoid(margin)
    for label in np.flatnonzero(y[folds >= 0].sum(axis=0) >= POSITIVES):
        for fold in np.unique(folds):
            asked, learned = folds == fold, (folds >= 0) & (folds != fold)
            known = xgboost.DMatrix(features[learned], y[learned, label], base_margin=margin[learned, label], nthread=1)
            trees = xgboost.train(settings, known, rounds)
            p[asked, label] = trees.predict(
                xgboost.DMatrix(features[asked], base_margin=margin[asked, label], nthread=1)
            )
    return p


def _table(
    rows: Mapping[str, Floats], y: Booleans, folds: npt.NDArray[np.int64], targets: Targets, draws: Draws
) -> list[str]:
    """Write each row's figures as Markdown, beside those of the first; draws: of the chips in the folds."""
    lines = [
        "| trees on | F2 | mAP | F2 - blend (95 %) | hold-out F2 | mAP |",
        "|---|---|---|---|---|---|",
    ]
    inside, base = folds >= 0, next(iter(rows.values()))
    for name, p in rows.items():
        found = []
        for side in (inside, ~inside):
            scores = f2_by_chip(y[side], p[side], targets=targets)
            found.append(f"{scores.mean():.4f} | {mean_average_precision(y[side], p[side]):.4f}")
        ours, theirs = (f2_by_chip(y[inside], each[inside], targets=targets) for each in (p, base))
        gain = "" if p is base else paired_bootstrap(ours, theirs, draws)
        lines.append(f"| {name} | {found[0]} | {gain} | {found[1]} |")
    return lines


if __name__ == "__main__":
    main()
