"""The tables that flow between the steps: their columns, their checks, how they are read and written."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from igarape.errors import InputError
from igarape.files import whole
from igarape.labels import Booleans

PLACE = ["image_id", "split", "shard", "offset", "length", "group"]
PREDICTION = ["image_id", "learner", "fold"]
FAULT = ["image_id", "problem", "remedy", "left_out"]
HOLDOUT = -1
LABELLED = ("train", "holdout")  # of a catalog's split; "test" has no labels


@dataclass(frozen=True)
class Fault:
    """A row of the faults table: what is wrong with a chip, what to do about it, and whether it was left out."""

    image_id: str
    problem: str
    remedy: str
    left_out: bool


Probabilities = npt.NDArray[np.float32]
# The fold of each chip, or HOLDOUT.
Folds = npt.NDArray[np.int64]


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as Parquet, under its final name only when it is whole."""
    with whole(path) as unfinished:
        frame.to_parquet(unfinished, index=False)


def write_parts(frames: Iterable[pd.DataFrame], path: Path) -> None:
    """Write tables of the same columns below one another as one; of them one is in memory at a time."""
    parts = (pa.Table.from_pandas(frame, preserve_index=False) for frame in frames)
    first = next(parts)
    with whole(path) as unfinished, pq.ParquetWriter(unfinished, first.schema) as file:
        for part in itertools.chain([first], parts):
            file.write_table(part)


def read_table(
    path: Path,
    columns: Sequence[str],
    key: Sequence[str] = ("image_id",),
    *,
    only: Sequence[str] | None = None,
    rows: tuple[str, str] | None = None,
) -> pd.DataFrame:
    """Read a table and check it: the columns are there, nothing is missing, no key stands twice.

    Parameters
    ----------
    path
        A Parquet file.
    columns
        Those that it has to have; it may have others.
    key
        The columns whose values together stand once.
    only
        The columns that are read, where others are too large to be read at once; None: all.
    rows
        A column, and the value there of the rows that are read; None: all.

    Raises
    ------
    InputError
        Names the file and the first offending row.
    """
    if not path.exists():
        raise InputError(f"{path}: not found; an earlier step writes it. Run: dvc repro")
    try:
        names = pq.read_schema(path).names
        missing = [column for column in columns if column not in names]
        if missing:
            raise InputError(
                f"{path}: expected a column {missing[0]!r}, found {', '.join(names)}. It was written for other "
                "labels, or by another igarape. Run: dvc repro"
            )
        frame = pd.read_parquet(
            path, columns=None if only is None else list(only), filters=rows and [(rows[0], "=", rows[1])]
        )
    except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
        raise InputError(f"{path}: no Parquet, or cut short: {error}. Remove it, then: dvc repro") from error
    holes = frame.columns[frame.isna().any()]
    if len(holes):
        row = frame[frame[holes[0]].isna()].iloc[0]
        raise InputError(f"{path}: {row[key[0]]}: column {holes[0]!r} holds no value (NaN)")
    twice = frame[frame.duplicated(list(key))]
    if len(twice):
        raise InputError(f"{path}: {' '.join(str(twice.iloc[0][name]) for name in key)} stands twice")
    return frame


def stored(path: Path, column: str) -> Iterator[pa.Array]:
    """Yield a column of a table that read_table has checked, a part at a time."""
    with pq.ParquetFile(path) as table:
        for part in table.iter_batches(columns=[column]):
            yield part.column(0)


def read_catalog(path: Path, labels: Sequence[str]) -> pd.DataFrame:
    """Read a catalog: image_id, split, shard, offset, length, group, and y_<label>..., each 0 or 1.

    split: train; holdout, where the data set says which chips are held out; test, for chips without labels.
    """
    columns = label_columns(labels)
    frame = read_table(path, [*PLACE, *columns])
    for column in columns:
        if not frame[column].isin((0, 1)).all():
            raise InputError(f"{path}: column {column!r} should hold 0 or 1 only")
    return frame


def label_columns(labels: Sequence[str]) -> list[str]:
    """Return the names of a catalog's y_<label> columns: a label may be called as the catalog's own columns are."""
    return [f"y_{label}" for label in labels]


def truth(catalog: pd.DataFrame, labels: Sequence[str]) -> Booleans:
    """Return which labels hold in each row of a catalog: booleans of shape (rows, labels)."""
    return catalog[label_columns(labels)].to_numpy().astype(np.bool_)


def labelled(catalog: pd.DataFrame) -> Booleans:
    """Return which rows of a catalog carry labels, of shape (rows,)."""
    return np.asarray(catalog["split"].isin(LABELLED), dtype=np.bool_)


def read_folds(path: Path) -> pd.DataFrame:
    """Read folds: image_id, fold (0..n-1; -1 is the hold-out)."""
    frame = read_table(path, ["image_id", "fold"])
    if frame["fold"].min() < HOLDOUT:
        raise InputError(f"{path}: fold {frame['fold'].min()}: folds are 0..n-1, and -1 for the hold-out")
    return frame


def read_predictions(
    path: Path, folds: pd.DataFrame, labels: Sequence[str] | None = None, *, learner: str | None = None
) -> pd.DataFrame:
    """Read predictions (image_id, learner, fold, p_<label>...) and check each row's fold against its chip's.

    Every chip of folds must be there once for each learner; probabilities are float32 in [0, 1].

    Parameters
    ----------
    path
        The file.
    folds
        The table of folds.
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


def predictions(
    image_ids: Sequence[str], folds: npt.NDArray[np.int64], *, learner: str, labels: Sequence[str], p: Probabilities
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
