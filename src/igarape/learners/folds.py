"""One fold of a cross-fit: train its model, predict its rows, and keep both as files, so that a killed run resumes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from igarape.config.hyperparameters import Values
from igarape.config.kinds import Experiment
from igarape.errors import InputError
from igarape.executors import Callback
from igarape.files import atomic_path, read_json, write_json
from igarape.labels import Booleans, Targets
from igarape.learners.examples import Images, Rows, outside
from igarape.learners.learning import Epoch, FittedModel, Training, finite, fit
from igarape.learners.predictor import Predictor
from igarape.tables import HOLDOUT, Probabilities


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


def fit_fold(
    send: Callback,
    fold: int,
    *,
    images: Images,
    y: Booleans,
    folds: Rows,
    groups: Sequence[str],
    recipe: Recipe,
    folder: Path,
    notes: Path,
) -> None:
    """Train the model of a fold, unless it is there, and predict the fold's rows by it.

    Parameters
    ----------
    send
        Called with each Epoch. For a model that was trained before, it is called with the epochs of that training: the
        process that trained it may have died before they were recorded.
    fold
        Whose rows the model does not see.
    images, y, folds, groups, recipe, folder, notes
        As crossfit.cross_fit takes them.
    """
    own, held = np.flatnonzero(folds == fold), np.flatnonzero(folds == HOLDOUT)
    if model_paths(folder, fold):
        for epoch, metrics in read_json(history_path(notes, fold))["epochs"]:
            send(Epoch(epoch, metrics))
    else:
        trained, learned = _train(images, y, outside(folds, fold), groups, recipe=recipe, fold=fold, send=send)
        write_json(learned, history_path(notes, fold))  # before the model, which says that the fold is finished
        if trained.from_kept:
            save_probabilities(trained.predict(images, own, tta=False), answers_path(notes, fold))
            save_probabilities(trained.predict(images, held, tta=False), holdout_path(notes, fold))
        trained.export(folder / f"fold-{fold}")
    predict_once(images, own, model_paths(folder, fold), recipe=recipe, kept=answers_path(notes, fold))


def history_path(notes: Path, fold: int) -> Path:
    """Return where the rows that a fold's model has seen are kept, and the metrics of its epochs."""
    return notes / f"fold-{fold}.json"


def answers_path(notes: Path, fold: int) -> Path:
    """Return where the answers to a fold's own rows are kept."""
    return notes / f"fold-{fold}.npy"


def holdout_path(notes: Path, fold: int) -> Path:
    """Return where a fold's own answers to the hold-out are kept, if it gives them."""
    return notes / f"hold-out-{fold}.npy"


def model_paths(folder: Path, fold: int) -> list[Path]:
    """Return the fold's model, once it is whole."""
    return list(folder.glob(f"fold-{fold}.*"))


def _train(
    images: Images, y: Booleans, rows: Rows, groups: Sequence[str], *, recipe: Recipe, fold: int, send: Callback
) -> tuple[FittedModel, dict[str, Any]]:
    """Train a fold's model on its rows; return it, the rows that it has seen, and the metrics of its epochs."""
    train, validation = set_aside(rows, groups, share=recipe.validation, seed=recipe.seed + fold)
    epochs: list[Epoch] = []

    def record(epoch: int, metrics: Mapping[str, float]) -> None:
        epochs.append(Epoch(epoch, dict(metrics)))
        send(epochs[-1])

    try:
        training = Training(
            images,
            y,
            recipe.targets,
            train=train,
            validation=validation,
            epochs=recipe.epochs,
            patience=recipe.patience,
            seed=recipe.seed + fold,
            log=finite(record),
        )
        trained = fit(training, experiment=recipe.experiment, hyperparameters=recipe.hyperparameters)
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


def predict_once(images: Images, rows: Rows, paths: Sequence[Path], *, recipe: Recipe, kept: Path) -> Probabilities:
    """Return the mean of some models' answers for rows of the pictures.

    Parameters
    ----------
    images, rows
        Pictures, uint8 (n, size, size, 3), and which of them.
    paths
        The models.
    recipe
        Says whether they look at all views, and how many pictures at once.
    kept
        The file in which the answers are kept; what is there is not computed again.
    """
    if not kept.exists():
        predictor = Predictor(paths, threads=recipe.threads)
        p = predictor.predict(images, rows=rows, tta=recipe.hyperparameters.averaged(), batch=recipe.experiment.batch)
        save_probabilities(p, kept)
    found: Probabilities = np.load(kept)
    return found


def save_probabilities(p: Probabilities, path: Path) -> None:
    """Write probabilities as a .npy file, atomically."""
    with atomic_path(path) as unfinished:
        np.save(unfinished, p)


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
