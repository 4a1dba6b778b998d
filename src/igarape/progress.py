"""A step's progress bar: what it is at, and how long still."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def progress(title: str, unit: str) -> Iterator[Callable[..., None]]:
    """Show a bar on stderr and give report(done, total, text=""), the plain callback of domain code.

    Where stderr is no terminal (a log file), a line is written at most every ten seconds.
    """
    interval = 0.2 if sys.stderr.isatty() else SECONDS_BETWEEN_LINES
    with tqdm(desc=title, unit=unit, mininterval=interval, maxinterval=interval, dynamic_ncols=True) as bar:

        def report(done: int, total: int, text: str = "") -> None:
            bar.total = total
            bar.set_postfix_str(text, refresh=False)
            bar.update(done - bar.n)

        yield report
