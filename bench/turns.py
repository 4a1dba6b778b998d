"""Two ways of doing one work, timed by turns, so that what else the machine does is no one's advantage."""

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

Work = Callable[[Path], object]


def by_turns(ours: Work, peer: Work, *, rounds: int, clock: Callable[[], float] = time.perf_counter) -> dict[str, Any]:
    """Return an overhead's row: the seconds of both, the best of some rounds, and what each round took.

    ours, peer: called with an empty folder. clock: time.process_time for the processor's seconds of this process.
    """

    def seconds(work: Work) -> float:
        with TemporaryDirectory() as folder:
            start = clock()
            work(Path(folder))
            return clock() - start

    each = [{"peer": seconds(peer), "ours": seconds(ours)} for _ in range(rounds)]
    best = {name: min(one[name] for one in each) for name in ("ours", "peer")}
    return {**best, "ratio": best["ours"] / best["peer"], "unit": "s", "rounds": each}
