"""The table that learners on statistics learn from."""

from collections.abc import Iterator

from igarape.code import code_hash
from igarape.learners.examples import Images, Rows
from igarape.learners.feature_cache import cached_rows
from igarape.learners.trees.statistics import Table, statistics

AT_ONCE = 1024  # chips
MODULE = statistics.__module__  # which, with what it imports, says what a statistic is


def statistics_of(images: Images, rows: Rows) -> Table:
    """Return the statistics of rows of pictures: float32 (rows, statistics).

    Those of pictures that load_pictures has mapped are taken once, for all folds, trials and learners.

    Parameters
    ----------
    images
        Pictures, uint8 (n, size, size, 3).
    rows
        Those that are wanted.

    Raises
    ------
    InputError
        When the disk is full.
    """

    def compute(wanted: Rows) -> Iterator[Table]:
        yield statistics([])
        for start in range(0, len(wanted), AT_ONCE):
            yield statistics(images[row] for row in wanted[start : start + AT_ONCE])

    return cached_rows(images, rows, name="statistics", key=code_hash(MODULE), compute=compute)
