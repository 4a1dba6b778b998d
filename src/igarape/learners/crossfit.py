"""Cross-fitting: one model per fold, and for every chip a prediction by models that never saw it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from igarape.config.hyperparameters import Values
from igarape.config.kinds import Experiment
from igarape.errors import InputError, expect
from igarape.files import read_json, whole, write_json
from igarape.labels import Booleans, Targets
from igarape.learners.examples import Images, Rows, outside
from igarape.learners.learning import Learned, Log, fit
from igarape.learners.predictor import Predictor
from igarape.tables import HOLDOUT, Probabilities

Report = Callable[[int, int, str], None]
Epoch = tuple[int, Mapping[str, float]]


@dataclass(frozen=True)
class Recipe:
    """How each fold's model is trained.

    epochs: of a full training. validation: the share of the training rows that early stopping looks at. threads: of a
    prediction; a machine's fact, so the representation, which results are known by, is without it.
    """

    experiment: Experiment
    hyperparameters: Values
    targets: Targets
    epochs: int
    validation: float
    patience: int
    seed: int
    threads: int = field(repr=False)

    def settings(self) -> dict[str, Any]:
        """Return the experiment's settings with the values that were searched."""
        return self.experiment.model_dump() | {"hyperparameters": self.hyperparameters.model_dump()}


def _unlogged(_: int) -> Log:
    """Give a fold a log that nobody reads."""
    return lambda _epoch, _metrics: None


def _unreported(done: int, total: int, text: str) -> None:
    """Report to nobody."""


def cross_fit(
    images: Images,
    y: Booleans,
    *,
    folds: Rows,
    groups: Sequence[str],
    recipe: Recipe,
    folder: str | Path,
    notes: Path | None = None,
    log_of: Callable[[int], Log] = _unlogged,
    report: Report = _unreported,
) -> Probabilities:
    """Train one model per fold, and predict each row by models that never saw it.

    A row of a fold is predicted by the model that trained without it; a row of the hold-out by the mean of all models.
    Models and notes outlive a killed process: a fold whose model is there is not trained again, and its epochs are
    logged as they were.

    Parameters
    ----------
    images
        Pictures, uint8 (n, size, size, 3), at the experiment's size.
    y
        Which labels hold, of shape (n, labels).
    folds
        Of shape (n,): 0, 1, ..., and -1 for the hold-out.
    groups
        One name a row; a group is never both learned from and watched by early stopping.
    recipe
        How each fold's model is trained.
    folder
        Models are written there as fold-K with a suffix. It must be empty when anything else has changed.
    notes
        The rest is written there, and it must be empty then too. None: a folder of that name in folder.
    log_of
        Called with a fold, gives the log of its epochs.
    report
        Called with (epochs done, of how many, what is going on).

    Returns
    -------
    Probabilities
        For all rows, of shape (n, labels).

    Raises
    ------
    InputError
        When there is not one value for each picture, a training diverges, and when fit does.
    """
    _check_lengths(len(images), y=len(y), folds=len(folds), groups=len(groups))
    folder = Path(folder)
    notes = notes or folder / "notes"
    p = np.zeros(y.shape, dtype=np.float32)
    count, held = int(folds.max()) + 1, np.flatnonzero(folds == HOLDOUT)
    for fold in range(count):
        log = _reported(log_of(fold), report, fold=fold, folds=count, epochs=recipe.epochs)
        own, history = np.flatnonzero(folds == fold), notes / f"fold-{fold}.json"
        if _models(folder, fold):
            for epoch, metrics in read_json(history)["epochs"]:
                log(epoch, metrics)
        else:
            trained, learned = _train(images, y, outside(folds, fold), groups, recipe=recipe, fold=fold, log=log)
            write_json(learned, history)  # before the model, which says that the fold is finished
            if trained.from_kept:
                _keep(trained.predict(images, own, tta=False), notes / f"fold-{fold}.npy")
                _keep(trained.predict(images, held, tta=False), _held_out(notes, fold))
            trained.export(folder / f"fold-{fold}")
        report((fold + 1) * recipe.epochs, count * recipe.epochs, f"fold {fold + 1}/{count}, predicting")
        p[own] = _predicted(images, own, _models(folder, fold), recipe=recipe, kept=notes / f"fold-{fold}.npy")
    p[held] = _mean_of_all(images, held, folder, notes, folds=count, recipe=recipe)
    return p


def _mean_of_all(images: Images, rows: Rows, folder: Path, notes: Path, *, folds: int, recipe: Recipe) -> Probabilities:
    """Return the mean of all models' answers for the hold-out; of those that the folds kept, where they did."""
    answers, kept = [_held_out(notes, fold) for fold in range(folds)], notes / "hold-out.npy"
    if all(path.exists() for path in answers):
        _keep(np.stack([np.load(path) for path in answers]).mean(axis=0, dtype=np.float64).astype(np.float32), kept)
    models = [model for fold in range(folds) for model in _models(folder, fold)]
    return _predicted(images, rows, models, recipe=recipe, kept=kept)


def _held_out(notes: Path, fold: int) -> Path:
    """Return where a fold's own answers to the hold-out are kept, if it gives them."""
    return notes / f"hold-out-{fold}.npy"


def _check_lengths(pictures: int, **found: int) -> None:
    """Refuse what is not one for each picture: rows without a fold would be predicted by nobody, as zeros."""
    each = f"one for each of the {pictures} pictures"
    expect("cross_fit", *((length == pictures, what, each, length) for what, length in found.items()))


def _models(folder: Path, fold: int) -> list[Path]:
    """Return the fold's model, once it is whole."""
    return list(folder.glob(f"fold-{fold}.*"))


def _train(
    images: Images, y: Booleans, rows: Rows, groups: Sequence[str], *, recipe: Recipe, fold: int, log: Log
) -> tuple[Learned, dict[str, Any]]:
    """Train a fold's model on its rows; return it, the rows that it has seen, and the metrics of its epochs."""
    train, validation = set_aside(rows, groups, share=recipe.validation, seed=recipe.seed + fold)
    epochs: list[Epoch] = []

    def record(epoch: int, metrics: Mapping[str, float]) -> None:
        if not np.isfinite(list(metrics.values())).all():
            raise FloatingPointError(f"its loss is {metrics['loss']} in epoch {epoch + 1}: its training has diverged")
        epochs.append((epoch, dict(metrics)))
        log(epoch, metrics)

    try:
        trained = fit(
            images,
            y,
            experiment=recipe.experiment,
            hyperparameters=recipe.hyperparameters,
            targets=recipe.targets,
            train=train,
            validation=validation,
            epochs=recipe.epochs,
            patience=recipe.patience,
            seed=recipe.seed + fold,
            log=record,
        )
    except FloatingPointError as error:
        raise InputError(
            f"train: fold {fold}: {error}. Narrow what the search may choose, hyperparameters.learning_rate first, in "
            "the experiment's YAML; then: dvc repro"
        ) from error
    return trained, {"rows": np.sort(np.concatenate([train, validation])).tolist(), "epochs": epochs}


def rows_learned(notes: Path) -> list[Rows]:
    """Return the rows that each fold's model has seen, as cross_fit noted them."""
    found = sorted(notes.glob("fold-*.json"), key=lambda path: int(path.stem[5:]))
    return [np.array(read_json(path)["rows"], dtype=np.int64) for path in found]


def _predicted(images: Images, rows: Rows, models: Sequence[Path], *, recipe: Recipe, kept: Path) -> Probabilities:
    """Return the mean of the models' answers for rows of the pictures; they are kept as a file."""
    if not kept.exists():
        predictor = Predictor(models, threads=recipe.threads)
        p = predictor.predict(images, rows=rows, tta=recipe.hyperparameters.averaged(), batch=recipe.experiment.batch)
        _keep(p, kept)
    answers: Probabilities = np.load(kept)
    return answers


def _keep(p: Probabilities, path: Path) -> None:
    """Keep answers as a file."""
    with whole(path) as unfinished:
        np.save(unfinished, p)


def _reported(log: Log, report: Report, *, fold: int, folds: int, epochs: int) -> Log:
    """Return a log that reports progress too."""

    def record(epoch: int, metrics: Mapping[str, float]) -> None:
        log(epoch, metrics)
        done, total = fold * epochs + epoch + 1, folds * epochs
        report(done, total, f"fold {fold + 1}/{folds}, epoch {epoch + 1}/{epochs}")

    return record


def set_aside(rows: Rows, groups: Sequence[str], *, share: float, seed: int) -> tuple[Rows, Rows]:
    """Split rows into (train, validation), with no group on both sides.

    Parameters
    ----------
    rows
        Which rows there are to split.
    groups
        One name for each row of the whole table.
    share
        About how large a part of the groups is for validation.
    seed
        Of the draw.
    """
    names = np.asarray(groups)[rows]
    order = np.random.default_rng(seed).permutation(np.unique(names))
    aside = set(order[: round(share * len(order))])
    mask = np.array([name in aside for name in names], dtype=np.bool_)
    return rows[~mask], rows[mask]
