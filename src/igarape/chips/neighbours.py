"""Chips that belong together: the same pixels, near-duplicates, and neighbours whose borders fit."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from igarape.chips.fingerprints import BITS, SAMPLES, SIDES, Fingerprint

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]
Fingerprints = Mapping[str, Fingerprint]

KINDS = ("same", "alike", "right", "below")
FACING = {"right": ("right", "left"), "below": ("bottom", "top")}  # other lies to the right of image, or below it
BLOCK = 2**24  # distances in memory at once
WINDOW = 9  # samples of a border over which its lightness is taken to change smoothly


def find_pairs(prints: Fingerprints, *, hamming: int, ratio: float, correlation: float, borders: bool) -> pd.DataFrame:
    """Find the pairs of chips that belong together.

    Of chips that are the same or alike only the first one's borders are compared: a border that stands twice is no
    longer distinctive.

    Parameters
    ----------
    prints
        The chips' fingerprints.
    hamming
        Bits that the perceptual hashes of two chips that are alike may differ in.
    ratio
        How far the borders of neighbours may lie apart, as a share of the distance to the next best.
    correlation
        How far the detail along their borders has to agree.
    borders
        Whether neighbours are looked for.

    Returns
    -------
    DataFrame
        image_id, other, kind, distance, in the order of names. kind says how other stands to image_id: "same" pixels;
        "alike", with the number of bits in which their hashes differ; with borders, "right" of it or "below" it, with
        the root mean square between their borders in grey levels.
    """
    prints = dict(sorted(prints.items()))
    same = _same(prints)
    prints = _without(prints, same)
    alike = _alike(prints, hamming)
    prints = _without(prints, alike)
    beside = [_adjacent(prints, kind, ratio=ratio, correlation=correlation) for kind in FACING] if borders else []
    return pd.concat([same, alike, *beside], ignore_index=True)


def join(image_ids: Sequence[str], pairs: pd.DataFrame, *, named: Sequence[str]) -> list[str]:
    """Return each image's group: the first name among all images that pairs or a common name of `named` connect."""
    index = pd.Index(image_ids)
    names, member = np.unique(np.asarray(named, dtype=np.str_), return_inverse=True)
    first = np.concatenate([index.get_indexer(pd.Index(pairs["image_id"])), np.arange(len(image_ids))])
    second = np.concatenate([index.get_indexer(pd.Index(pairs["other"])), len(image_ids) + member])
    nodes = len(image_ids) + len(names)
    links = coo_array((np.ones(len(first), dtype=np.bool_), (first, second)), shape=(nodes, nodes))
    _, component = connected_components(links, directed=False)
    return list(pd.Series(image_ids, dtype=str).groupby(component[: len(image_ids)]).transform("min"))


def _pairs(names: Sequence[str], first: Rows, second: Rows, kind: str, distance: npt.ArrayLike) -> pd.DataFrame:
    """Tabulate pairs of rows of names."""
    every = np.array(names, dtype=object)
    pairs = pd.DataFrame({"image_id": every[first], "other": every[second], "kind": kind, "distance": distance})
    return pairs.astype({"image_id": str, "other": str, "distance": np.float32})


def _without(prints: Fingerprints, pairs: pd.DataFrame) -> dict[str, Fingerprint]:
    """Leave out the others of pairs."""
    others = set(pairs["other"])
    return {image_id: one for image_id, one in prints.items() if image_id not in others}


def _same(prints: Fingerprints) -> pd.DataFrame:
    """Pair each chip with the first one that has its pixels."""
    first: dict[Fingerprint, int] = {}
    originals = np.array([first.setdefault(one, row) for row, one in enumerate(prints.values())], dtype=np.intp)
    rows = np.flatnonzero(originals != np.arange(len(prints)))
    return _pairs(list(prints), originals[rows], rows, "same", np.zeros(len(rows)))


def _alike(prints: Fingerprints, hamming: int) -> pd.DataFrame:
    """Pair the chips whose hashes differ in at most hamming bits."""
    hashes = np.frombuffer(b"".join(one.phash for one in prints.values()), dtype=np.uint64)
    words = np.ascontiguousarray(hashes.reshape(len(prints), BITS // 64).T)
    found: list[tuple[Rows, Rows, npt.NDArray[np.uint16]]] = []
    step = max(1, BLOCK // 16 // max(1, len(prints)))
    for start in range(0, max(1, len(prints)), step):
        bits = np.zeros((min(step, len(prints) - start), len(prints) - start), dtype=np.uint16)
        for word in words:
            bits += np.bitwise_count(word[start : start + step, None] ^ word[start:])
        first, second = np.nonzero(bits <= hamming)
        above = second > first
        found.append((first[above] + start, second[above] + start, bits[first[above], second[above]]))
    first, second, distance = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return _pairs(list(prints), first, second, "alike", distance)


def _adjacent(prints: Fingerprints, kind: str, *, ratio: float, correlation: float) -> pd.DataFrame:
    """Pair the chips whose facing borders fit: mutual nearest neighbours, far nearer than the second nearest.

    Nearest by Euclidean distance and each other's choice (the "best buddies" of Pomeranz et al., 2011); by the ratio
    test (Lowe, Distinctive image features from scale-invariant keypoints, IJCV 2004) the second nearest on either side
    has to be at least 1 / ratio as far. So water, cloud and even forest, which fit many others, are paired with none.
    Last, what a smooth course of lightness does not explain of the two has to correlate.
    """
    if len(prints) < 3:  # there is no second nearest
        return _pairs([], np.empty(0, np.intp), np.empty(0, np.intp), kind, [])
    borders = np.frombuffer(b"".join(one.borders for one in prints.values()), dtype=np.uint8)
    sides = borders.reshape(len(prints), len(SIDES), SAMPLES).astype(np.float32)
    ours, theirs = (np.ascontiguousarray(sides[:, SIDES.index(side)]) for side in FACING[kind])
    nearest, best, second = _nearest(ours, theirs)
    first = np.flatnonzero(best < ratio**2 * second)
    other = nearest[first]
    fits = (_detail(ours[first]) * _detail(theirs[other])).sum(axis=1) >= correlation
    first, other = first[fits], other[fits]
    return _pairs(list(prints), first, other, kind, np.sqrt(np.mean((ours[first] - theirs[other]) ** 2, axis=1)))


def _nearest(ours: Floats, theirs: Floats) -> tuple[Rows, Floats, Floats]:
    """Find the row of theirs nearest to each of ours, of shape (n, samples); a row is never its own neighbour.

    Return it, the squared distance to it, and the least squared distance of either one to any third row. Where the
    choice is not mutual, the last is the smaller one.
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
        distance[rows - start, rows] = np.inf
        for row in distance:
            np.minimum(back_second, np.maximum(back, row), out=back_second)
            np.minimum(back, row, out=back)
        nearest[rows] = distance.argmin(axis=1)
        best[rows] = distance[rows - start, nearest[rows]]
        distance[rows - start, nearest[rows]] = np.inf
        second[rows] = distance.min(axis=1)
    others = np.where(back[nearest] == best, back_second[nearest], back[nearest])
    return nearest, best, np.minimum(second, others)


def _factors(ours: Floats, theirs: Floats) -> tuple[Floats, Floats]:
    """Return two matrices whose product is the squared distance of each row of ours to each row of theirs.

    Grey levels are whole numbers, and so are all sums here, far below 2^24: float32 makes no error.
    """
    a, b = ours - 128, theirs - 128
    ones = np.ones((len(a), 1), dtype=np.float32)
    squares = [(x * x).sum(axis=1, keepdims=True) for x in (a, b)]
    return np.hstack([-2 * a, squares[0], ones]), np.hstack([b, ones, squares[1]])


def _detail(lines: Floats) -> Floats:
    """Return what a moving mean leaves of each line, of length 1."""
    left = lines - cv2.blur(lines, (WINDOW, 1), borderType=cv2.BORDER_REFLECT) if len(lines) else lines
    return np.asarray(left / np.maximum(np.linalg.norm(left, axis=1, keepdims=True), 1e-6), dtype=np.float32)
