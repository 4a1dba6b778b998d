"""Large tables, part by part: figures of their columns, without another table of their size."""

from collections.abc import Iterator
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

T = TypeVar("T", bound=np.floating)

ROWS = 4096  # of which copies are in memory, however wide they are
WIDE = 2**16  # rows of which another table, as wide as a kernel's landmarks or a head's vectors, is in memory


def deviation(table: npt.NDArray[Any], *, dtype: type[T]) -> npt.NDArray[T]:
    """Return each column's standard deviation, to the bit that of table.std(axis=0), of which NumPy copies the table.

    NumPy sums columns row by row, so that sums can be gone on with, but for a single column.

    Parameters
    ----------
    table
        Of shape (n, columns), the rows one after the other in memory or in a file.
    dtype
        In which it is computed.
    """
    count, width = table.shape
    if count <= ROWS or width == 1:
        return np.asarray(table.std(axis=0, dtype=dtype))
    rows = [table[part] for part in parts(count, ROWS)]
    mean = _total(iter(rows), dtype) / dtype(count)
    return np.sqrt(_total(((part - mean) ** 2 for part in rows), dtype) / dtype(count))


def parts(count: int, most: int = WIDE) -> Iterator[slice]:
    """Yield the rows of a table in parts of at most so many, in order: one part of none where there is none."""
    for row in range(0, max(1, count), most):
        yield slice(row, min(row + most, count))


def _total(parts: Iterator[npt.NDArray[Any]], dtype: type[T]) -> npt.NDArray[T]:
    """Return the sums of the columns of a table that comes in parts."""
    total: npt.NDArray[T] = np.add.reduce(next(parts), axis=0, dtype=dtype)
    for part in parts:
        total = np.add.reduce(np.concatenate([total[None], part]), axis=0, dtype=dtype)
    return total
