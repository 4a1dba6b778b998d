"""No leak, by proof: each fold model learned from the other folds, and what is stored is what it answers.

A leak would be a prediction of a row by a model that has seen it. Each model's manifest holds a hash of the rows that
it learned from; those must be the rows of the other folds. And on a sample of each fold's rows the stored prediction
must be the one that this very model gives: one by another model, or by the mean of all, differs.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from igarape.config.documents import LearnerManifest
from igarape.errors import InputError
from igarape.files import digest
from igarape.learners.examples import Examples, Rows, load_examples, outside
from igarape.learners.predictor import KINDS, Predictor
from igarape.predictions import learner_probabilities
from igarape.progress import DetailedReport, no_report
from igarape.tables import Probabilities
from igarape.workspace import Workspace

# A fold model answers a row the same in any batch but for the last bits.
TOLERANCE = 1e-4
BATCH = 64


def rows_hash(image_ids: Iterable[str]) -> str:
    """Return a hash of the names of rows, in whatever order they come."""
    return digest(sorted(image_ids))


def audit(
    workspace: Workspace,
    manifests: Mapping[str, LearnerManifest],
    tables: Mapping[str, pd.DataFrame],
    *,
    sample: int,
    seed: int,
    threads: int,
    report: DetailedReport,
) -> None:
    """Refuse predictions that a model may have made of rows it has seen.

    Parameters
    ----------
    workspace
        Where chips and fold models lie.
    manifests, tables
        Of each learner, what train wrote: its manifest, and its predictions.
    sample
        Rows of each fold that are predicted again.
    seed
        Of the sample.
    threads
        Processors that a prediction may use.
    report
        Called with (models asked, of how many, which).

    Raises
    ------
    InputError
        When a model learned from other rows than it should have, or a stored prediction is not its own. The error names
        learner and fold.
    """
    asked, total = 0, sum(len(manifest.folds) for manifest in manifests.values())
    for name, manifest in manifests.items():
        examples = load_examples(workspace, manifest, labels=manifest.labels, report=no_report)
        stored = learner_probabilities({name: tables[name]}, examples.image_ids)[name]
        check_rows(manifest, examples.image_ids, examples.folds, where="stack: ")
        models = fold_models(workspace.folder("train", name))
        for fold, model in enumerate(models):
            _check_answers(
                manifest, examples, stored, fold=fold, model=model, sample=sample, seed=seed, threads=threads
            )
            asked += 1
            report(asked, total, f"{name}, fold {fold + 1}/{len(models)}")


def fold_models(folder: Path) -> Sequence[Path]:
    """Return a learner's fold models in the order of the folds."""
    found = [path for path in folder.glob("fold-*") if path.suffix in KINDS]
    return sorted(found, key=lambda path: int(path.stem[5:]))


def check_models(workspace: Workspace, manifests: Mapping[str, LearnerManifest]) -> None:
    """Refuse a learner that lacks a fold's model, of which nothing could be checked: raise InputError that names it.

    manifests: by the learner's name.
    """
    for name, manifest in manifests.items():
        folder = workspace.folder("train", name)
        found = [path.stem for path in fold_models(folder)]
        lost = [f"fold-{fold}" for fold in range(len(manifest.folds)) if f"fold-{fold}" not in found]
        if lost:
            raise InputError(
                f"{folder}: has no model {', '.join(lost)}, so that nobody can check what it predicted. "
                f"Run: dvc repro -f train@{name}"
            )


def check_rows(manifest: LearnerManifest, image_ids: Sequence[str], folds: Rows, *, where: str = "") -> None:
    """Refuse models that learned from their own fold, from the hold-out, or from who knows what.

    Parameters
    ----------
    manifest
        Of the learner.
    image_ids, folds
        All chips, and the fold of each; -1 is the hold-out.
    where
        What an error begins with.

    Raises
    ------
    InputError
        When there is not a model for each fold, or one learned from other rows than those of the other folds.
    """
    count = int(folds.max()) + 1
    if len(manifest.folds) != count:
        raise InputError(
            f"{where}{manifest.name}: expected a model for each of {count} folds, found {len(manifest.folds)}. "
            f"Run: dvc repro -f train@{manifest.name}"
        )
    for fold, facts in enumerate(manifest.folds):
        expected = [image_ids[row] for row in outside(folds, fold)]
        if facts.learned != rows_hash(expected):
            raise InputError(
                f"{where}{manifest.name}: fold {fold}: its model learned from {facts.rows} rows that are not those of "
                f"the other folds, which are {len(expected)}, so it may have seen what it predicts. "
                f"Run: dvc repro -f train@{manifest.name}"
            )


def _check_answers(
    manifest: LearnerManifest,
    examples: Examples,
    stored: Probabilities,
    *,
    fold: int,
    model: Path,
    sample: int,
    seed: int,
    threads: int,
) -> None:
    """Ask a fold model for a sample of its fold's rows; refuse stored predictions that are not its own."""
    own = np.flatnonzero(examples.folds == fold)
    rows = np.sort(np.random.default_rng((seed, fold)).permutation(own)[:sample])
    predictor = Predictor([model], threads=threads)
    answers = predictor.predict(examples.images, rows=rows, tta=manifest.tta, batch=BATCH)
    apart = np.abs(answers - stored[rows])
    if apart.max(initial=0.0) > TOLERANCE:
        row, label = np.unravel_index(apart.argmax(), apart.shape)
        raise InputError(
            f"stack: {manifest.name}: fold {fold}: {examples.image_ids[int(rows[row])]}: {manifest.labels[label]}: "
            f"predictions.parquet says {stored[rows[row], label]:.4f}, the fold's own model "
            f"{answers[row, label]:.4f}: another model, which may have seen the chip, predicted it. "
            f"Run: dvc repro -f train@{manifest.name}"
        )
