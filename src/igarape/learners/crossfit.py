"""Cross-fitting: one model per fold, and for every chip a prediction by models that never saw it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from igarape.labels import Booleans
from igarape.learners.examples import Pictures, Rows
from igarape.learners.experiment import Experiment
from igarape.learners.knobs import Value
from igarape.learners.learning import fit
from igarape.learners.predictor import Predictor
from igarape.learners.scoring import Log
from igarape.tables import HOLDOUT, Probabilities

Report = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Recipe:
    """How each fold's model is trained.

    exclusive: how many of the first labels exclude each other. epochs: of a full training. validation: the share of the
    training rows that early stopping watches.
    """

    experiment: Experiment
    knobs: Mapping[str, Value]
    exclusive: int
    epochs: int
    validation: float
    patience: int
    seed: int
    threads: int


def cross_fit(
    pictures: Pictures,
    y: Booleans,
    *,
    folds: Rows,
    groups: Sequence[str],
    recipe: Recipe,
    folder: Path,
    log_of: Callable[[int], Log],
    report: Report,
) -> Probabilities:
    """Train one model per fold and return probabilities (n, labels) for all rows.

    folds (n,): a row of fold k is predicted by the model that trained without fold k; a row of the hold-out (-1), by
    the mean of all models. Models are written as folder/fold-K and the suffix of their kind. log_of(fold) gives the log
    of that fold's epochs. report: called with (epochs done, of how many, what is going on).
    """
    p = np.zeros(y.shape, dtype=np.float32)
    count = int(folds.max()) + 1
    paths: list[Path] = []
    for fold in range(count):
        rows = np.flatnonzero((folds != fold) & (folds != HOLDOUT))
        train, watch = set_aside(rows, groups, share=recipe.validation, seed=recipe.seed + fold)
        trained = fit(
            pictures,
            y,
            experiment=recipe.experiment,
            knobs=recipe.knobs,
            exclusive=recipe.exclusive,
            train=train,
            watch=watch,
            epochs=recipe.epochs,
            patience=recipe.patience,
            seed=recipe.seed + fold,
            log=_reported(log_of(fold), report, fold=fold, folds=count, epochs=recipe.epochs),
        )
        report((fold + 1) * recipe.epochs, count * recipe.epochs, f"fold {fold + 1}/{count}, predicting")
        paths.append(trained.export(folder / f"fold-{fold}"))
        held = np.flatnonzero(folds == fold)
        p[held] = Predictor(paths[-1:], threads=recipe.threads).predict(
            pictures, rows=held, tta=recipe.experiment.tta(recipe.knobs), batch=recipe.experiment.batch
        )
    held = np.flatnonzero(folds == HOLDOUT)
    p[held] = Predictor(paths, threads=recipe.threads).predict(
        pictures, rows=held, tta=recipe.experiment.tta(recipe.knobs), batch=recipe.experiment.batch
    )
    return p


def _reported(log: Log, report: Report, *, fold: int, folds: int, epochs: int) -> Log:
    """Return a log that reports progress too."""

    def record(epoch: int, metrics: Mapping[str, float]) -> None:
        log(epoch, metrics)
        done, total = fold * epochs + epoch + 1, folds * epochs
        report(done, total, f"fold {fold + 1}/{folds}, epoch {epoch + 1}/{epochs}")

    return record


def set_aside(rows: Rows, groups: Sequence[str], *, share: float, seed: int) -> tuple[Rows, Rows]:
    """Split rows into (train, watch), with about share of them watched and no group on both sides."""
    names = np.asarray(groups)[rows]
    order = np.random.default_rng(seed).permutation(np.unique(names))
    watched = set(order[: round(share * len(order))])
    mask = np.array([name in watched for name in names], dtype=np.bool_)
    return rows[~mask], rows[mask]
