"""Borders that fit: which chips lie beside each other, sought among all borders, or in cells of similar ones."""

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
import numpy.typing as npt

Lines = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]

WINDOW = 9  # samples of a border over which its lightness is taken to change smoothly
EXHAUSTIVE = 2**16  # chips up to which each border is compared with all
CELLS = 8  # times the root of the number of chips
NEAR = 128  # cells whose borders are compared with those of a cell: those nearest to it
LEARNT = 16  # borders of each cell that its centre is learnt from
ROUNDS = 4
BLOCK = 2**24  # distances in memory at once


def fitting(ours: Lines, theirs: Lines, *, ratio: float, correlation: float) -> tuple[Rows, Rows, Floats]:
    """Find the chips whose facing borders fit: mutual nearest neighbours, far nearer than the second nearest.

    Nearest by Euclidean distance and each other's choice (the "best buddies" of Pomeranz et al., 2011); by the ratio
    test (Lowe, Distinctive image features from scale-invariant keypoints, IJCV 2004) the second nearest on either side
    has to be at least 1 / ratio as far. So water, cloud and even forest, which fit many others, are paired with none.
    Last, what a smooth course of lightness does not explain of the two has to correlate.

    Up to EXHAUSTIVE chips each border is compared with all. Of more, borders lie in cells of similar ones, and those of
    a cell are compared with those of the cells near to it: a nearest or second nearest one that lies elsewhere is
    missed. Distances are exact in either case: grey levels are whole numbers, and so are all sums here, below 2^24,
    where float32 makes no error.

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

    Returns
    -------
    tuple
        Rows of ours, rows of theirs, and the root mean square between them.
    """
    if len(ours) < 3:  # there is no second nearest
        return np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0, np.float32)
    one, other = _nearest(ours, theirs, _cells(ours, theirs) if len(ours) > EXHAUSTIVE else _all(ours), ratio=ratio)
    agree = _agreement(ours[one], theirs[other]) >= correlation
    one, other = one[agree], other[agree]
    return one, other, np.sqrt(np.mean((ours[one].astype(np.float32) - theirs[other]) ** 2, axis=1))


def _nearest(ours: Lines, theirs: Lines, blocks: Iterable[tuple[Rows, Rows]], *, ratio: float) -> tuple[Rows, Rows]:
    """Return the rows of mutual, distinct nearest neighbours: a product of matrices has a block's distances, both ways.

    Where the choice is not mutual, the nearest one of theirs has a nearer one of ours, which counts as second nearest.
    blocks: which rows of ours are compared with which of theirs, in their order; a row of ours is in one block.
    """
    left, right = _left(ours), _right(theirs)
    nearest = np.zeros(len(ours), dtype=np.intp)
    best, second, back, back_second = np.full((4, len(ours)), np.inf, dtype=np.float32)
    for rows, columns in blocks:
        distance = left[rows] @ right[columns].T
        own = np.minimum(np.searchsorted(columns, rows), len(columns) - 1)
        itself = columns[own] == rows  # a chip is never its own neighbour
        distance[itself, own[itself]] = np.inf
        there, there_second = back[columns], back_second[columns]
        for row in distance:
            np.minimum(there_second, np.maximum(there, row), out=there_second)
            np.minimum(there, row, out=there)
        back[columns], back_second[columns] = there, there_second
        each, choice = np.arange(len(rows)), distance.argmin(axis=1)
        nearest[rows], best[rows] = columns[choice], distance[each, choice]
        distance[each, choice] = np.inf
        second[rows] = distance.min(axis=1)
    others = np.where(back[nearest] == best, back_second[nearest], back[nearest])
    one = np.flatnonzero(best < ratio**2 * np.minimum(second, others))
    return one, nearest[one]


def _left(lines: Lines) -> Floats:
    """Return a matrix whose product with _right's of other lines is the squared distance of each to each."""
    a = lines.astype(np.float32) - 128
    return np.hstack([-2 * a, (a * a).sum(axis=1, keepdims=True), np.ones((len(a), 1), dtype=np.float32)])


def _right(lines: Lines) -> Floats:
    b = lines.astype(np.float32) - 128
    return np.hstack([b, np.ones((len(b), 1), dtype=np.float32), (b * b).sum(axis=1, keepdims=True)])


def _all(lines: Lines) -> Iterator[tuple[Rows, Rows]]:
    """Yield blocks that compare all with all."""
    every = np.arange(len(lines))
    for rows in _parts(every, len(lines)):
        yield rows, every


def _parts(rows: Rows, width: int) -> Iterator[Rows]:
    """Yield rows, as many at once as make a block of a width."""
    step = max(1, BLOCK // width)
    for start in range(0, len(rows), step):
        yield rows[start : start + step]


def _cells(ours: Lines, theirs: Lines) -> Iterator[tuple[Rows, Rows]]:
    """Yield blocks that compare the borders of each cell with those of the cells near to it."""
    centres = _centres(theirs)
    left, right = (_members(_assigned(lines, centres), len(centres)) for lines in (ours, theirs))
    for rows, near in zip(left, _near(centres), strict=True):
        columns = np.sort(np.concatenate([right[cell] for cell in near]))
        if len(columns):
            for part in _parts(rows, len(columns)):
                yield part, columns


def _near(centres: Lines) -> list[Rows]:
    """Return the cells near to each: the NEAR nearest ones, and those to which it is so near itself."""
    distance = _left(centres) @ _right(centres).T
    last = np.partition(distance, min(NEAR, len(centres)) - 1, axis=1)[:, min(NEAR, len(centres)) - 1]
    near = distance <= np.maximum(last[:, None], last)
    return [np.flatnonzero(row) for row in near]


def _members(cell: Rows, cells: int) -> list[Rows]:
    """Return the rows that lie in each cell."""
    order = np.argsort(cell, kind="stable")
    return np.split(order, np.searchsorted(cell[order], np.arange(1, cells)))


def _assigned(lines: Lines, centres: Lines) -> Rows:
    """Return the cell of each line: that whose centre is nearest to it."""
    left, right = _left(lines), _right(centres)
    parts = _parts(np.arange(len(lines)), len(centres))
    return np.concatenate([(left[part] @ right.T).argmin(axis=1) for part in parts])


def _centres(lines: Lines) -> Lines:
    """Learn the centres of cells of similar lines, by Lloyd's k-means in whole numbers.

    A k-means that sums fractions does so in an order that depends on the threads: two machines would find other cells.
    """
    number = 2 ** round(np.log2(CELLS * np.sqrt(len(lines))))
    rng = np.random.default_rng(0)
    sample = lines[rng.choice(len(lines), min(len(lines), LEARNT * number), replace=False)]
    centres = np.unique(sample[:number], axis=0)
    for _ in range(ROUNDS):
        cell = _assigned(sample, centres)
        order = np.argsort(cell, kind="stable")
        present, first = np.unique(cell[order], return_index=True)
        sums = np.add.reduceat(sample[order].astype(np.int64), first, axis=0)
        sizes = np.diff([*first, len(order)])[:, None]
        centres[present] = (2 * sums + sizes) // (2 * sizes)
    return centres


def _agreement(ours: Lines, theirs: Lines) -> Floats:
    """Return how far the detail of each two lines correlates."""
    return np.asarray((_detail(ours) * _detail(theirs)).sum(axis=1), dtype=np.float32)


def _detail(lines: Lines) -> Floats:
    """Return what a moving mean leaves of each line, of length 1."""
    every = lines.astype(np.float32)
    left = every - cv2.blur(every, (WINDOW, 1), borderType=cv2.BORDER_REFLECT) if len(lines) else every
    return np.asarray(left / np.maximum(np.linalg.norm(left, axis=1, keepdims=True), 1e-6), dtype=np.float32)
