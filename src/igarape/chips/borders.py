"""Borders that fit: which chips lie beside each other, sought among all borders, or in cells of similar ones.

The search is dealt into tasks. Each finds what is nearest to some of our borders, and which of these is nearest to each
of theirs. Whose distance is least, and what the next one is, does not depend on the order in which all are looked at.
So what is found is the same however many tasks there are, and whoever does them.
"""

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from igarape.chips.cells import Floats, Lines, Rows, asked, asking, assigned, learnt, near, reach
from igarape.executors import Callback, Executor, Here, Task, in_turn

WINDOW = 9  # samples of a border over which its lightness is taken to change smoothly
EXHAUSTIVE = 2**16  # chips up to which each border is compared with all
TASK = 2**15  # borders of a task at most: 5 s alone, and to start another process takes 1 to 2 s
PART = 2**8  # borders that are compared at once, with others
BLOCK = 2**20  # distances in memory at once: 4 MB stay in a processor's cache
LAID_OUT = ("ours", "theirs", "own", "starts", "centres", "reach")


def fitting(
    ours: Lines, theirs: Lines, *, ratio: float, correlation: float, executor: Executor, folder: Path
) -> tuple[Rows, Rows, Floats]:
    """Find the chips whose facing borders fit: mutual nearest neighbours, far nearer than the second nearest.

    Nearest by Euclidean distance and each other's choice (the "best buddies" of Pomeranz et al., 2011); by the ratio
    test (Lowe, Distinctive image features from scale-invariant keypoints, IJCV 2004) the second nearest on either side
    has to be at least 1 / ratio as far. So water, cloud and even forest, which fit many others, are paired with none.
    Last, what a smooth course of lightness does not explain of the two has to correlate.

    Up to EXHAUSTIVE chips each border is compared with all. Of more, borders lie in cells of similar ones, and those of
    a cell are compared with those of the cells near to it: a nearest or second nearest one that lies elsewhere is
    missed. Distances are exact in either case.

    Parameters
    ----------
    ours
        The borders on one side of the chips, (n, samples).
    theirs
        The borders on the side that faces it.
    ratio
        How far the nearest may lie, as a share of the distance to the second nearest.
    correlation
        How far the detail of the two has to agree.
    executor
        Does the tasks, where there is more than one.
    folder
        Empty, for what tasks map; whoever does them sees it.

    Returns
    -------
    tuple
        Rows of ours, rows of theirs, and the root mean square between them.
    """
    if len(ours) < 3:  # there is no second nearest
        return np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0, np.float32)
    several = border_tasks(len(ours)) > 1
    one, other = _distinct(ours, theirs, ratio=ratio, executor=executor if several else Here(), folder=folder)
    agree = _agreement(ours[one], theirs[other]) >= correlation
    one, other = one[agree], other[agree]
    return one, other, np.sqrt(np.mean((ours[one].astype(np.float32) - theirs[other]) ** 2, axis=1))


def border_tasks(count: int) -> int:
    """Return how many tasks the search among so many borders is dealt into; 1: this process seeks alone."""
    return -(-count // TASK)


def _distinct(ours: Lines, theirs: Lines, *, ratio: float, executor: Executor, folder: Path) -> tuple[Rows, Rows]:
    """Return the rows of mutual, distinct nearest neighbours.

    Where the choice is not mutual, the nearest one of theirs has a nearer one of ours, which counts as second nearest.
    """
    order, their_order = _lay_out(ours, theirs, executor, folder)
    nearest = np.zeros(len(ours), dtype=np.intp)
    best, second, back, back_second = np.full((4, len(ours)), np.inf, dtype=np.float32)
    for rows, found, least, next_to_it, there in _dealt(executor, partial(_seek, folder=folder), len(ours)):
        nearest[rows], best[rows], second[rows] = found, least, next_to_it
        back, back_second = _two_least(back, back_second, *there)
    others = np.where(back[nearest] == best, back_second[nearest], back[nearest])
    chosen = np.flatnonzero(best < ratio**2 * np.minimum(second, others))
    one, other = order[chosen], their_order[nearest[chosen]]
    in_order = np.argsort(one)
    return one[in_order], other[in_order]


def _lay_out(ours: Lines, theirs: Lines, executor: Executor, folder: Path) -> npt.NDArray[np.intp]:
    """Write what tasks map, the borders of both sides in the order of their cells, and return these orders, (2, n)."""
    folder.mkdir()
    centres, cells = theirs[:1], np.zeros((2, len(ours)), dtype=np.intp)
    if len(ours) > EXHAUSTIVE:
        centres = learnt(theirs)
        np.save(folder / "centres.npy", centres)
        np.save(folder / "lines.npy", np.concatenate([ours, theirs]))
        for rows, found in _dealt(executor, partial(_place, folder=folder), cells.size):
            cells.reshape(-1)[rows] = found
    orders = np.argsort(cells, axis=1, kind="stable")
    ends = np.arange(len(centres) + 1)
    laid_out = (
        ours[orders[0]],
        theirs[orders[1]],
        np.argsort(orders[1])[orders[0]],
        np.stack([np.searchsorted(cell[order], ends) for cell, order in zip(cells, orders, strict=True)]),
        centres,
        reach(centres),
    )
    for name, array in zip(LAID_OUT, laid_out, strict=True):
        np.save(folder / f"{name}.npy", array)
    return orders


def _dealt(executor: Executor, task: Task, count: int) -> Iterator[Any]:
    """Yield what a task returns that is given some of so many rows: the first one, and the one after the last."""
    number = border_tasks(count)
    bounds = pairwise(count * share // number for share in range(number + 1))
    # Nobody else keeps a future: what came of a million borders' tasks would be a quarter of a gigabyte.
    for future in in_turn(executor, [executor.submit(task, *rows, name=f"borders from {rows[0]}") for rows in bounds]):
        yield future.result()


def _mapped(folder: Path, *names: str) -> list[npt.NDArray[Any]]:
    """Map arrays that were laid out."""
    return [np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r")) for name in names]


def _place(_send: Callback, start: int, stop: int, *, folder: Path) -> tuple[slice, Rows]:
    """Return some rows of the lines of both sides, and in which cell each lies."""
    lines, centres = _mapped(folder, "lines", "centres")
    with threadpool_limits(1):
        return slice(start, stop), assigned(lines[start:stop], centres)


def _seek(_send: Callback, start: int, stop: int, *, folder: Path) -> tuple[slice, Rows, Floats, Floats, Floats]:
    """Return some rows of ours as laid out, the nearest of theirs to each, how far that is, and what comes next.

    What comes next is as _compared says. Last, (2, n), the least two distances of each of theirs to parts of our rows.
    """
    ours, theirs, own, (starts, their_starts), centres, reaches = _mapped(folder, *LAID_OUT)
    nearest = np.zeros(stop - start, dtype=np.intp)
    best, second = np.full((2, stop - start), np.inf, dtype=np.float32)
    back = np.full((2, len(theirs)), np.inf, dtype=np.float32)
    first, last = np.searchsorted(starts, (start, stop - 1), side="right") - 1
    with threadpool_limits(1):
        for cell, others in enumerate(near(centres, reaches, slice(first, last + 1)), first):
            columns = np.concatenate([np.arange(*their_starts[other : other + 2]) for other in others])
            if not len(columns):
                continue
            lines, end = theirs[columns], min(stop, starts[cell + 1])
            for part in range(max(start, starts[cell]), end, PART):
                rows = slice(part, min(part + PART, end))
                here = slice(rows.start - start, rows.stop - start)
                place = np.minimum(np.searchsorted(columns, own[rows]), len(columns) - 1)
                itself = np.where(columns[place] == own[rows], place, -1)
                found, best[here], second[here], least = _compared(ours[rows], lines, itself)
                nearest[here] = columns[found]
                back[:, columns] = _two_least(back[0, columns], back[1, columns], least)
    return slice(start, stop), nearest, best, second, back


def _compared(ours: Lines, theirs: Lines, itself: Rows) -> tuple[Rows, Floats, Floats, Floats]:
    """Compare each of ours with all of theirs, but for the same chip's, which is no neighbour: -1 where there is none.

    Return which one is nearest, how far it is, and the next: the second nearest one, or another one of ours that is
    nearer to it. Last, the least distance of each of theirs.
    """
    asks, each = asking(ours), np.arange(len(ours))
    nearest = np.zeros(len(ours), dtype=np.intp)
    best, second = np.full((2, len(ours)), np.inf, dtype=np.float32)
    least = np.empty(len(theirs), dtype=np.float32)
    step = max(1, BLOCK // len(ours))
    room = np.empty((len(ours), min(step, len(theirs))), dtype=np.float32)  # asked for anew, it costs a seventh more
    for start in range(0, len(theirs), step):
        some = asked(theirs[start : start + step])
        distance = np.matmul(asks, some.T, out=room[:, : len(some)])
        same = np.flatnonzero((itself >= start) & (itself < start + step))
        distance[same, itself[same] - start] = np.inf
        least[start : start + step] = distance.min(axis=0)
        choice = distance.argmin(axis=1)
        found = distance[each, choice]
        distance[each, choice] = np.inf
        nearest = np.where(found < best, start + choice, nearest)
        best, second = _two_least(best, second, found, distance.min(axis=1))
    rivals = asks @ asked(theirs[nearest]).T
    rivals[(each[:, None] == each) | (itself[:, None] == nearest)] = np.inf
    return nearest, best, np.minimum(second, rivals.min(axis=0)), least


def _two_least(
    best: Floats, second: Floats, other: Floats, other_second: float | Floats = np.inf
) -> tuple[Floats, Floats]:
    """Return the least two of four numbers, of which the first two are in order, and the last two."""
    return np.minimum(best, other), np.minimum(np.minimum(second, other_second), np.maximum(best, other))


def _agreement(ours: Lines, theirs: Lines) -> Floats:
    """Return how far the detail of each two lines correlates."""
    return np.asarray((_detail(ours) * _detail(theirs)).sum(axis=1), dtype=np.float32)


def _detail(lines: Lines) -> Floats:
    """Return what a moving mean leaves of each line, of length 1."""
    every = lines.astype(np.float32)
    left = every - cv2.blur(every, (WINDOW, 1), borderType=cv2.BORDER_REFLECT) if len(lines) else every
    return np.asarray(left / np.maximum(np.linalg.norm(left, axis=1, keepdims=True), 1e-6), dtype=np.float32)
