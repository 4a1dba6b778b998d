"""Figures of a large table's columns, without another table of its size."""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

T = TypeVar("T", bound=np.floating)

COLUMNS = 16  # at once; never one alone, whose sum NumPy takes in another order


def deviation(table: npt.NDArray[Any], *, dtype: type[T]) -> npt.NDArray[T]:
    """Return each column's standard deviation, to the bit that of table.std(axis=0), of which NumPy copies the table.

    dtype: in which it is computed.
    """
    parts = np.array_split(np.arange(table.shape[1]), max(1, table.shape[1] // COLUMNS))
    return np.concatenate([table[:, part[0] : part[-1] + 1].std(axis=0, dtype=dtype) for part in parts if len(part)])
