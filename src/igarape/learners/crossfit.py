"""Cross-fitting: one model per fold, and for every chip a prediction by models that never saw it."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from igarape.errors import expect
from igarape.executors import Callback, Executor, Here, in_turn
from igarape.labels import Booleans
from igarape.learners.examples import Images, Rows
from igarape.learners.folds import (
    Recipe,
    answers_path,
    fit_fold,
    holdout_path,
    model_paths,
    predict_once,
    save_probabilities,
)
from igarape.learners.learning import Epoch, Log
from igarape.progress import DetailedReport, no_report
from igarape.tables import HOLDOUT, Probabilities


def _unlogged(_: int) -> Log:
    """Give a fold a log that nobody reads."""
    return lambda _epoch, _metrics: None


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
    report: DetailedReport = no_report,
    executor: Executor | None = None,
) -> Probabilities:
    """Train one model per fold, and return probabilities (n, labels) of all rows, by models that never saw them.

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
    executor
        Trains the folds, several at once or one after the other; None: this process.

    Raises
    ------
    InputError
        When there is not one value for each picture, a training diverges, and when fit does.
    """
    _check_lengths(len(images), y=len(y), folds=len(folds), groups=len(groups))
    folder = Path(folder)
    notes = notes or folder / "notes"
    count, own = int(folds.max()) + 1, executor or Here()
    bar = _Bar(report, log_of, folds=count, epochs=recipe.epochs)
    train = partial(fit_fold, images=images, y=y, folds=folds, groups=groups, recipe=recipe, folder=folder, notes=notes)
    futures = {own.submit(train, fold, name=f"fold {fold}", on_message=bar.logged(fold)): fold for fold in range(count)}
    for future in in_turn(own, futures):
        future.result()
        bar.finish(futures[future])
    return _gathered(images, y.shape, folds=folds, recipe=recipe, folder=folder, notes=notes)


def _gathered(
    images: Images, shape: tuple[int, ...], *, folds: Rows, recipe: Recipe, folder: Path, notes: Path
) -> Probabilities:
    """Put the folds' answers to their own rows together, and the mean of all models' to those of the hold-out."""
    p, count = np.zeros(shape, dtype=np.float32), int(folds.max()) + 1
    for fold in range(count):
        p[folds == fold] = np.load(answers_path(notes, fold))
    held = np.flatnonzero(folds == HOLDOUT)
    p[held] = _mean_of_all(images, held, folder, notes, folds=count, recipe=recipe)
    return p


def _mean_of_all(images: Images, rows: Rows, folder: Path, notes: Path, *, folds: int, recipe: Recipe) -> Probabilities:
    """Return the mean of all models' answers for the hold-out; of those that the folds kept, where they did."""
    each, kept = [holdout_path(notes, fold) for fold in range(folds)], notes / "hold-out.npy"
    if all(path.exists() for path in each):
        save_probabilities(
            np.stack([np.load(path) for path in each]).mean(axis=0, dtype=np.float64).astype(np.float32), kept
        )
    paths = [path for fold in range(folds) for path in model_paths(folder, fold)]
    return predict_once(images, rows, paths, recipe=recipe, kept=kept)


def _check_lengths(pictures: int, **found: int) -> None:
    """Refuse what is not one for each picture: rows without a fold would be predicted by nobody, as zeros."""
    each = f"one for each of the {pictures} pictures"
    expect("cross_fit", *((length == pictures, what, each, length) for what, length in found.items()))


class _Bar:
    """How far the folds are, all together."""

    def __init__(self, report: DetailedReport, log_of: Callable[[int], Log], *, folds: int, epochs: int) -> None:
        self._report, self._log_of, self._epochs = report, log_of, epochs
        self._done = [0] * folds

    def logged(self, fold: int) -> Callback:
        """Return what takes the epochs of a fold, each with its metrics, to its log, and reports of them."""
        log = self._log_of(fold)

        def on_message(message: Epoch) -> None:
            epoch, metrics = message
            log(epoch, metrics)
            self._move(fold, epoch + 1, f"epoch {epoch + 1}/{self._epochs}")

        return on_message

    def finish(self, fold: int) -> None:
        """Count a fold as done, however soon it stopped."""
        self._move(fold, self._epochs, "predicted")

    def _move(self, fold: int, epochs: int, what: str) -> None:
        self._done[fold] = epochs
        folds = len(self._done)
        self._report(sum(self._done), folds * self._epochs, f"fold {fold + 1}/{folds}, {what}")
