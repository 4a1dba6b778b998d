"""Cells of similar lines of grey levels: in which a line lies, and which cells are near to each other.

All distances are exact. Grey levels are whole numbers, and so are all sums here, below 2^24, where float32 makes no
error. So neither threads nor the size of a block changes what is found.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Lines = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]

CELLS = 8  # times the root of the number of lines
NEAR = 128  # cells that are near to a cell: those nearest to it
LEARNT = 16  # lines of each cell that its centre is learnt from
ROUNDS = 4
BLOCK = 2**20  # distances at once: 4 MB stay in a processor's cache


def asking(lines: Lines) -> Floats:
    """Return a matrix whose product with asked's of other lines is the squared distance of each to each."""
    matrix = asked(lines)
    matrix[:, :-2] *= -2
    matrix[:, -2], matrix[:, -1] = matrix[:, -1].copy(), 1
    return matrix


def asked(lines: Lines) -> Floats:
    """Return the other factor of that product, transposed: the lines, 1, and the squared length of each."""
    matrix = np.empty((len(lines), lines.shape[1] + 2), dtype=np.float32)
    levels = matrix[:, :-2]
    levels[:] = lines
    matrix[:, -2] = 1
    np.vecdot(levels, levels, out=matrix[:, -1])
    return matrix


def assigned(lines: Lines, centres: Lines) -> Rows:
    """Return the cell of each line: that whose centre is nearest to it."""
    theirs = asked(centres).T
    found = [(asking(part) @ theirs).argmin(axis=1) for part in parts(lines, len(centres))]
    return np.concatenate([np.empty(0, np.intp), *found])


def parts(lines: Lines, width: int) -> Iterator[Lines]:
    """Yield lines, as many at once as have BLOCK distances to so many others."""
    step = max(1, BLOCK // width)
    for start in range(0, len(lines), step):
        yield lines[start : start + step]


def learnt(lines: Lines) -> Lines:
    """Learn the centres of cells of similar lines, by Lloyd's k-means in whole numbers.

    A k-means that sums fractions does so in an order that depends on the threads: two machines would find other cells.
    """
    number = 2 ** round(np.log2(CELLS * np.sqrt(len(lines))))
    rng = np.random.default_rng(0)
    sample = lines[rng.choice(len(lines), min(len(lines), LEARNT * number), replace=False)]
    centres = np.unique(sample[:number], axis=0)
    for _ in range(ROUNDS):
        cell = assigned(sample, centres)
        order = np.argsort(cell, kind="stable")
        present, first = np.unique(cell[order], return_index=True)
        sums = np.add.reduceat(sample[order].astype(np.int64), first, axis=0)
        sizes = np.diff([*first, len(order)])[:, None]
        centres[present] = (2 * sums + sizes) // (2 * sizes)
    return centres


def reach(centres: Lines) -> Floats:
    """Return for each cell the squared distance within which others are near to it: NEAR of them, itself included."""
    last, theirs = min(NEAR, len(centres)) - 1, asked(centres).T
    found = [np.partition(asking(part) @ theirs, last, axis=1)[:, last] for part in parts(centres, len(centres))]
    return np.concatenate(found)


def near(centres: Lines, reaches: Floats, some: slice) -> Iterator[Rows]:
    """Yield the cells near to each of some: those within its reach, and those within whose reach it lies itself."""
    distance = asking(centres[some]) @ asked(centres).T
    for row, own in zip(distance, reaches[some], strict=True):
        yield np.flatnonzero(row <= np.maximum(own, reaches))
