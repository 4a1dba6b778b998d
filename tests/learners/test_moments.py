"""Figures of columns are NumPy's, to the bit, without its copies."""

import tracemalloc

import numpy as np
import pytest

from igarape.learners.moments import ROWS, WIDE, deviation, parts


@pytest.mark.parametrize("width", [1, 2, 3, 17, 64, 129])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_deviations_are_those_of_numpy(width: int, dtype: type[np.floating]) -> None:
    """However many parts there are, and whatever is left for the last one."""
    for count in (1, 7, ROWS, ROWS + 1, 3 * ROWS - 1):
        table = np.random.default_rng(width).normal(3, 2, (count, width)).astype(np.float32)
        for each in (table, table.astype(np.float64)):
            if each.dtype == np.float32 or dtype == np.float64:
                np.testing.assert_array_equal(deviation(each, dtype=dtype), each.std(axis=0, dtype=dtype))


def test_parts_are_all_rows_once_in_their_order() -> None:
    """None is wider than it may be; of no row there is one part, of none, so that what is computed has its shape."""
    for count in (0, 1, WIDE - 1, WIDE, WIDE + 1, 3 * WIDE):
        found = list(parts(count))
        assert [row for part in found for row in range(count)[part]] == list(range(count))
        assert len(found) == max(1, -(-count // WIDE)) and all(part.stop - part.start <= WIDE for part in found)


def test_no_second_table_is_made() -> None:
    """NumPy makes one, of what lies between each value and its column's mean."""
    table = np.ones((16 * ROWS, 40), dtype=np.float32)
    tracemalloc.start()
    deviation(table, dtype=np.float32)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < table.nbytes / 4
