"""Borders that fit: which chips lie beside each other, sought among all borders, or in cells of similar ones."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import cv2
import faiss
import numpy as np
import numpy.typing as npt
from faiss.contrib.ivf_tools import add_preassigned

Lines = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]

WINDOW = 9  # samples of a border over which its lightness is taken to change smoothly
EXHAUSTIVE = 2**16  # chips up to which each border is compared with all
CELLS = 8  # times the root of the number of chips
PROBED = 32  # cells that a border is compared with: those nearest to it
CONFIRMED = 128  # where a pair is to be confirmed
LEARNT = 16  # borders of each cell that its centre is learnt from
ROUNDS = 4
AT_ONCE = 2**14  # borders of one call
BLOCK = 2**24  # distances in memory at once

# From borders, and how many cells to look into, to rows and squared distances, (borders, 3), nearest first.
Search = Callable[[Floats, int], tuple[Rows, Floats]]


def fitting(ours: Lines, theirs: Lines, *, ratio: float, correlation: float) -> tuple[Rows, Rows, Floats]:
    """Find the chips whose facing borders fit: mutual nearest neighbours, far nearer than the second nearest.

    Nearest by Euclidean distance and each other's choice (the "best buddies" of Pomeranz et al., 2011); by the ratio
    test (Lowe, Distinctive image features from scale-invariant keypoints, IJCV 2004) the second nearest on either side
    has to be at least 1 / ratio as far. So water, cloud and even forest, which fit many others, are paired with none.
    Last, what a smooth course of lightness does not explain of the two has to correlate.

    Up to EXHAUSTIVE chips each border is compared with all. Of more, only with those of the cells that are nearest to
    it: a nearest or second nearest one that lies in another cell is missed. Distances are exact in either case: grey
    levels are whole numbers, and so are all sums here, below 2^24, where float32 makes no error.

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
    if len(ours) > EXHAUSTIVE:
        one, other = _in_cells(ours, theirs, ratio=ratio, correlation=correlation)
    else:
        one, other = _among_all(ours, theirs, ratio=ratio)
    agree = _agreement(ours[one], theirs[other]) >= correlation
    one, other = one[agree], other[agree]
    return one, other, np.sqrt(np.mean((ours[one].astype(np.float32) - theirs[other]) ** 2, axis=1))


def _among_all(ours: Lines, theirs: Lines, *, ratio: float) -> tuple[Rows, Rows]:
    """Return the rows of mutual, distinct nearest neighbours: one product of matrices has all distances, both ways.

    Where the choice is not mutual, the nearest one of theirs has a nearer one of ours, which counts as second nearest.
    """
    left, right = _factors(ours, theirs)
    count = len(ours)
    nearest, best, second = np.empty(count, np.intp), np.empty(count, np.float32), np.empty(count, np.float32)
    back, back_second = np.full((2, count), np.inf, dtype=np.float32)
    step = max(1, BLOCK // count)
    block = np.empty((step, count), dtype=np.float32)
    for start in range(0, count, step):
        rows = np.arange(start, min(start + step, count))
        distance = np.matmul(left[rows], right.T, out=block[: len(rows)])
        distance[rows - start, rows] = np.inf  # a chip is never its own neighbour
        for row in distance:
            np.minimum(back_second, np.maximum(back, row), out=back_second)
            np.minimum(back, row, out=back)
        nearest[rows] = distance.argmin(axis=1)
        best[rows] = distance[rows - start, nearest[rows]]
        distance[rows - start, nearest[rows]] = np.inf
        second[rows] = distance.min(axis=1)
    others = np.where(back[nearest] == best, back_second[nearest], back[nearest])
    one = np.flatnonzero(best < ratio**2 * np.minimum(second, others))
    return one, nearest[one]


def _factors(ours: Lines, theirs: Lines) -> tuple[Floats, Floats]:
    """Return two matrices whose product is the squared distance of each row of ours to each row of theirs."""
    a, b = (lines.astype(np.float32) - 128 for lines in (ours, theirs))
    ones = np.ones((len(a), 1), dtype=np.float32)
    squares = [(x * x).sum(axis=1, keepdims=True) for x in (a, b)]
    return np.hstack([-2 * a, squares[0], ones]), np.hstack([b, ones, squares[1]])


def _in_cells(ours: Lines, theirs: Lines, *, ratio: float, correlation: float) -> tuple[Rows, Rows]:
    """Return the rows of mutual, distinct nearest neighbours, as far as cells of similar borders show them."""
    search = _cells(theirs)
    one, other = _distinct(search, ours, np.arange(len(ours)), ratio=ratio, probed=PROBED)
    one = one[_agreement(ours[one], theirs[other]) >= correlation]
    one, other = _distinct(search, ours, one, ratio=ratio, probed=CONFIRMED)  # few are left: more can be looked at
    chosen_by = np.full(len(ours), -1, dtype=np.intp)
    there, back = _distinct(_cells(ours), theirs, np.unique(other), ratio=ratio, probed=CONFIRMED)
    chosen_by[there] = back
    mutual = chosen_by[other] == one
    return one[mutual], other[mutual]


def _distinct(search: Search, lines: Lines, rows: Rows, *, ratio: float, probed: int) -> tuple[Rows, Rows]:
    """Ask for the borders nearest to some rows of lines; return the rows whose nearest one is distinct, and that.

    Distinct is what is far nearer than the second nearest. A chip is never its own neighbour.
    """
    found = [(np.empty(0, np.intp), np.empty(0, np.intp))]
    for start in range(0, len(rows), AT_ONCE):
        asked = rows[start : start + AT_ONCE]
        near, distance = search(lines[asked].astype(np.float32), probed)
        distance = np.where((near == asked[:, None]) | (near < 0), np.inf, distance)
        order = np.argsort(distance, axis=1, kind="stable")
        best, second = np.take_along_axis(distance, order[:, :2], axis=1).T
        clear = np.isfinite(best) & (best < ratio**2 * second)
        found.append((asked[clear], near[clear, order[clear, 0]]))
    one, other = (np.concatenate(side) for side in zip(*found, strict=True))
    return one, other


def _cells(stock: Lines) -> Search:
    """Return a search among the rows of stock in the cells nearest to a line; it keeps a byte a sample."""
    centres = _centres(stock)
    quantizer = faiss.IndexFlatL2(stock.shape[1])
    quantizer.add(centres)
    index = faiss.IndexIVFScalarQuantizer(
        quantizer, stock.shape[1], len(centres), faiss.ScalarQuantizer.QT_8bit_direct, faiss.METRIC_L2, False
    )
    index.is_trained = True  # its cells are given
    for part in _parts(stock):
        add_preassigned(index, part, quantizer.assign(part, 1).ravel())

    def search(lines: Floats, probed: int) -> tuple[Rows, Floats]:
        index.nprobe = probed
        distance, row = index.search(lines, 3)
        return row, distance

    return search


def _centres(stock: Lines) -> Floats:
    """Learn the centres of cells of similar lines, by Lloyd's k-means in whole numbers.

    faiss's own k-means sums fractions, in an order that depends on the threads: two machines would find other cells.
    """
    number = 2 ** round(np.log2(CELLS * np.sqrt(len(stock))))
    rng = np.random.default_rng(0)
    sample = stock[rng.choice(len(stock), min(len(stock), LEARNT * number), replace=False)]
    centres = np.unique(sample[:number], axis=0).astype(np.float32)
    for _ in range(ROUNDS):
        cell = np.concatenate([faiss.knn(part, centres, 1)[1].ravel() for part in _parts(sample)])
        order = np.argsort(cell, kind="stable")
        present, first = np.unique(cell[order], return_index=True)
        sums = np.add.reduceat(sample[order].astype(np.int64), first, axis=0)
        sizes = np.diff([*first, len(order)])[:, None]
        centres[present] = (2 * sums + sizes) // (2 * sizes)
    return centres


def _parts(lines: Lines) -> Iterator[Floats]:
    """Yield lines as numbers, AT_ONCE at a time."""
    for start, end in pairwise([*range(0, len(lines), AT_ONCE), len(lines)]):
        yield lines[start:end].astype(np.float32)


def _agreement(ours: Lines, theirs: Lines) -> Floats:
    """Return how far the detail of each two lines correlates."""
    return np.asarray((_detail(ours) * _detail(theirs)).sum(axis=1), dtype=np.float32)


def _detail(lines: Lines) -> Floats:
    """Return what a moving mean leaves of each line, of length 1."""
    every = lines.astype(np.float32)
    left = every - cv2.blur(every, (WINDOW, 1), borderType=cv2.BORDER_REFLECT) if len(lines) else every
    return np.asarray(left / np.maximum(np.linalg.norm(left, axis=1, keepdims=True), 1e-6), dtype=np.float32)
