"""Predictions: what learners say of each chip, as one table; how it is built, read and checked, and what it holds."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from igarape.errors import InputError
from igarape.tables import Folds, Probabilities, read_table, stored

PREDICTION = ["image_id", "learner", "fold"]


def read_predictions(
    path: Path, folds: pd.DataFrame, labels: Sequence[str] | None = None, *, learner: str | None = None
) -> pd.DataFrame:
    """Read predictions (image_id, learner, fold, p_<label>...) and check each row's fold against its chip's.

    Parameters
    ----------
    path
        Of the table; probabilities are float32 in [0, 1].
    folds
        Every chip of these must be there once for each learner.
    labels
        Those that are predicted, in their order; None: whichever there are.
    learner
        The one whose rows are read, of a file that may hold more than fit into the memory; None: all.
    """
    rows = ("learner", learner) if learner else None
    frame = read_table(path, PREDICTION, key=("image_id", "learner"), rows=rows)
    if learner and frame.empty:
        raise InputError(f"{path}: holds no predictions by {learner}. Run: dvc repro")
    (found,) = learner_labels({"": frame}).values()
    if labels is not None and found != tuple(labels):
        raise InputError(
            f"{path}: expected predictions of {', '.join(labels)}, in this order, found {', '.join(found) or 'none'}. "
            "It was written for other labels. Run: dvc repro"
        )
    probability = frame[probability_columns(frame)].to_numpy()
    if probability.dtype != np.float32 or not probability.size:
        raise InputError(
            f"{path}: expected float32 probabilities, found {probability.shape} of {probability.dtype}. Remove it; "
            "then: dvc repro"
        )
    if not ((probability >= 0) & (probability <= 1)).all():
        raise InputError(f"{path}: a probability lies outside 0..1")
    expected = folds.set_index("image_id")["fold"]
    for name, own in frame.groupby("learner"):
        if len(own) != len(expected) or not own["image_id"].isin(expected.index).all():
            raise InputError(
                f"{path}: {name}: expected one row for each of {len(expected)} chips of the folds, found {len(own)}"
                f", {own['image_id'].isin(expected.index).sum()} of them in the folds. Run: dvc repro"
            )
    strayed = frame[frame["fold"].to_numpy() != expected.loc[frame["image_id"]].to_numpy()]
    if len(strayed):
        raise InputError(
            f"{path}: {strayed.iloc[0]['image_id']}: predicted as fold {strayed.iloc[0]['fold']}, but its fold is "
            f"{expected[strayed.iloc[0]['image_id']]}. The folds have changed since; run: dvc repro"
        )
    return frame


def prediction_table(
    image_ids: Sequence[str], folds: Folds, *, learner: str, labels: Sequence[str], p: Probabilities
) -> pd.DataFrame:
    """Build a predictions table from probabilities.

    Parameters
    ----------
    image_ids
        The rows.
    folds
        Of each row, of shape (n,).
    learner
        Whose predictions they are.
    labels
        The columns.
    p
        Probabilities, of shape (image_ids, labels).
    """
    frame = pd.DataFrame({"image_id": list(image_ids), "learner": learner, "fold": folds})
    values = pd.DataFrame(p.astype(np.float32), columns=[f"p_{label}" for label in labels])
    return pd.concat([frame, values], axis=1)


def probability_columns(frame: pd.DataFrame) -> list[str]:
    """Return the names of a table's p_<label> columns, in their order."""
    return [column for column in frame.columns if column.startswith("p_")]


def learner_labels(tables: Mapping[str, pd.DataFrame]) -> dict[str, tuple[str, ...]]:
    """Return the labels that each learner's predictions table holds, in its columns' order."""
    return {name: tuple(c.removeprefix("p_") for c in probability_columns(table)) for name, table in tables.items()}


def learner_probabilities(tables: Mapping[str, pd.DataFrame], image_ids: Sequence[str]) -> dict[str, Probabilities]:
    """Return each learner's probabilities (n, its labels) with the rows in the order of image_ids.

    Raises InputError for an image that a learner did not predict.
    """
    probabilities = {}
    for name, table in tables.items():
        rows = pd.Index(table["image_id"]).get_indexer(pd.Index(image_ids))
        if (rows < 0).any():
            image_id = image_ids[int(rows.argmin())]
            raise InputError(f"stack: {name} has no prediction of {image_id}. Run: dvc repro train@{name}")
        values: Probabilities = table[probability_columns(table)].to_numpy(dtype=np.float32)
        probabilities[name] = values[rows]
    return probabilities


def read_probabilities(
    path: Path, folds: pd.DataFrame, labels: Sequence[str] | None = None
) -> dict[str, Probabilities]:
    """Read predictions as read_predictions does, one learner's after the other's.

    Returns the probabilities (n, its labels) of each, with the rows in the order of folds.
    """
    if not path.exists():
        raise InputError(f"{path}: not found; an earlier step writes it. Run: dvc repro")
    names = dict.fromkeys(name for part in stored(path, "learner") for name in part.unique().to_pylist())
    image_ids = list(folds["image_id"])
    return {
        name: learner_probabilities({name: read_predictions(path, folds, labels, learner=name)}, image_ids)[name]
        for name in names
    }
