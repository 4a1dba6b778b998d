"""The tables that flow between the steps: their columns, their checks, how they are read and written."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from igarape.errors import InputError
from igarape.files import atomic_path
from igarape.labels import Booleans

PLACE = ["image_id", "split", "shard", "offset", "length", "group"]
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
    with atomic_path(path) as unfinished:
        frame.to_parquet(unfinished, index=False)


def write_parts(frames: Iterable[pd.DataFrame], path: Path) -> None:
    """Write tables of the same columns below one another as one; of them one is in memory at a time."""
    parts = (pa.Table.from_pandas(frame, preserve_index=False) for frame in frames)
    first = next(parts)
    with atomic_path(path) as unfinished, pq.ParquetWriter(unfinished, first.schema) as file:
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


def read_groups(path: Path, image_ids: Sequence[str]) -> list[str]:
    """Read the group of each of some images: those of one group belong together, and were dealt together.

    Raises InputError for an image without a group.
    """
    table = read_table(path, ["image_id", "group"])
    rows = pd.Index(table["image_id"]).get_indexer(pd.Index(image_ids))
    if (rows < 0).any():
        raise InputError(f"{path}: holds no group of {image_ids[int(rows.argmin())]}. Run: dvc repro split")
    groups: list[str] = table["group"].to_numpy()[rows].astype(str).tolist()
    return groups


def read_folds(path: Path) -> pd.DataFrame:
    """Read folds: image_id, fold (0..n-1; -1 is the hold-out)."""
    frame = read_table(path, ["image_id", "fold"])
    if frame["fold"].min() < HOLDOUT:
        raise InputError(f"{path}: fold {frame['fold'].min()}: folds are 0..n-1, and -1 for the hold-out")
    return frame
