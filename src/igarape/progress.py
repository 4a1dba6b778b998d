"""A step's progress bar: what it is at, and how long still."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

Report = Callable[[int, int], None]  # done, of how many
DetailedReport = Callable[[int, int, str], None]  # and what is going on

SECONDS_BETWEEN_LINES = 10.0


def no_report(_done: int, _total: int, _text: str = "") -> None:
    """Report to nobody."""


class Lines:
    """A log in the place of a terminal: each state of a bar is a line of its own, not one that overwrites the last."""

    def write(self, text: str) -> None:
        """Write to stderr what a bar writes; it begins each state with a carriage return, and ends with a new line."""
        if text.strip():
            sys.stderr.write(f"{text.strip()}\n")

    def flush(self) -> None:
        """Flush stderr."""
        sys.stderr.flush()


@contextmanager
def progress(title: str, unit: str) -> Iterator[Callable[..., None]]:
    """Show a bar on stderr and give report(done, total, text=""), the plain callback of domain code.

    It is shown from the first report on, and not at all where there is nothing to do. Where stderr is no terminal (a
    log file), a line is written at most every ten seconds.
    """
    terminal = sys.stderr.isatty()
    interval = 0.2 if terminal else SECONDS_BETWEEN_LINES
    bar: tqdm[Any] | None = None

    def report(done: int, total: int, text: str = "") -> None:
        nonlocal bar
        if bar is None and total:
            bar = tqdm(
                desc=title,
                unit=unit,
                total=total,
                mininterval=interval,
                maxinterval=interval,
                dynamic_ncols=True,
                file=None if terminal else Lines(),
            )
        if bar is not None:
            bar.total = total
            bar.set_postfix_str(text, refresh=False)
            bar.update(done - bar.n)

    try:
        yield report
    finally:
        if bar is not None:
            bar.close()
