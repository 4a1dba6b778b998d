"""Codes within a Hamming distance of each other: all pairs of them, found exactly and without comparing all with all.

Two codes that differ in at most h bits differ, in one of m bands of their bits, in at most h // m (the pigeonhole
principle; Norouzi, Punjani, Fleet, Fast exact search in Hamming space with multi-index hashing, TPAMI 2014). So codes
lie in a bucket for each value of a band, and are compared with those in buckets of nearby values only.
"""

from collections.abc import Iterator
from itertools import combinations
from math import comb

import faiss
import numpy as np
import numpy.typing as npt
from faiss.contrib.ivf_tools import add_preassigned, range_search_preassigned

from igarape.errors import InputError

Codes = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.intp]
Words = npt.NDArray[np.int64]

WIDEST = 20  # bits of a band: 2 ** 20 buckets
BUCKET, PROBE, COMPARISON = 600, 15, 3  # nanoseconds each, roughly: they choose the bands, and change no result
AT_ONCE = 2**26  # pairs that one call may find, at worst
MOST = 20_000_000  # pairs that are borne: their table has to fit into memory


def close_pairs(codes: Codes, hamming: int) -> tuple[Rows, Rows, Rows]:
    """Find the pairs of codes, uint8 (n, bytes), that differ in at most hamming bits.

    Return for each pair the row that comes first, the other one, and the bits that differ, in the order of rows. Of
    codes that are equal, each is paired with the first only, and only the first with those that differ: thousands of
    pictures with one and the same code make thousands of pairs, not millions.

    Raises InputError when there are more than MOST pairs.
    """
    first_of = first_equal(codes)
    rows = np.arange(len(codes))
    others = rows[first_of != rows]
    kept = rows[first_of == rows]
    one, two = (kept[side] for side in _differing(np.ascontiguousarray(codes[kept]), hamming))
    first, second = np.concatenate([first_of[others], one]), np.concatenate([others, two])
    order = np.lexsort((second, first))
    first, second = first[order], second[order]
    bits = np.bitwise_count(codes[first] ^ codes[second]).sum(axis=1, dtype=np.intp)
    return first, second, bits


def first_equal(codes: Codes) -> Rows:
    """Return for each code, uint8 (n, bytes), the first row that holds it."""
    whole = np.ascontiguousarray(codes).view(np.dtype((np.void, codes.shape[1]))).ravel()
    _, first, member = np.unique(whole, return_index=True, return_inverse=True)
    found: Rows = first[member]
    return found


def bands(count: int, bits: int, hamming: int) -> tuple[int, int]:
    """Choose the bits of a band (0: one bucket holds all codes), and in how many of them nearby values may differ."""
    choices = [(0, 1, 0), *((width, bits // width, hamming // (bits // width)) for width in range(1, WIDEST + 1))]

    def cost(choice: tuple[int, int, int]) -> float:
        width, number, flips = choice
        probes = sum(comb(width, flipped) for flipped in range(min(flips, width) + 1))
        return float(number * (BUCKET * 2**width + count * probes * (PROBE + COMPARISON * count / 2**width)))

    width, _, flips = min(choices, key=cost)
    return width, flips


def _differing(codes: Codes, hamming: int) -> tuple[Rows, Rows]:
    """Return the two rows of each pair of codes, all different, that differ in at most hamming bits."""
    count, bits = len(codes), 8 * codes.shape[1]
    width, flips = bands(count, bits, hamming)
    found = np.empty(0, dtype=np.int64)
    for values in _values(codes, width):
        for near in _near(codes, values, width=width, flips=flips, hamming=hamming):
            found = np.union1d(found, near)
            if len(found) > MOST:
                raise InputError(
                    f"split: more than {MOST} pairs of chips look alike, so near-duplicates tell nothing here. Set "
                    "split.hamming lower, or leave out chips that show the same, such as water and cloud"
                )
    return found // max(1, count), found % max(1, count)


def _values(codes: Codes, width: int) -> Iterator[Words]:
    """Yield each code's value in one band after the other, (n,); a band's bits are spread over the whole code.

    Bits that lie beside each other say much the same: a band of them would have few, full buckets.
    """
    if not width:
        yield np.zeros(len(codes), dtype=np.int64)
        return
    number = 8 * codes.shape[1] // width
    for band in range(number):
        values = np.zeros(len(codes), dtype=np.int64)
        for place in range(width):
            byte, bit = divmod(band + place * number, 8)
            values |= (codes[:, byte].astype(np.int64) >> (7 - bit) & 1) << place
        yield values


def _near(codes: Codes, values: Words, *, width: int, flips: int, hamming: int) -> Iterator[Words]:
    """Yield the pairs whose values in a band differ in at most flips bits, each as first row x count + second row."""
    # Neighbouring queries probe the same buckets, which then are in the cache.
    order = np.argsort(values, kind="stable")
    index = faiss.IndexBinaryIVF(faiss.IndexBinaryFlat(8 * codes.shape[1]), 8 * codes.shape[1], 2**width)
    index.is_trained = True  # its buckets are given, not learnt
    add_preassigned(index, codes[order], values[order])
    flipped = [places for number in range(flips + 1) for places in combinations(range(width), number)]
    masks = np.array([sum(1 << place for place in places) for places in flipped], dtype=np.int64)
    # Of two buckets one asks the other: that whose value lacks the highest of the bits in which they differ.
    highest = np.array([1 << places[-1] if places else 0 for places in flipped], dtype=np.int64)
    index.nprobe = len(masks)
    worst = min(len(codes), len(masks) * int(np.bincount(values).max(initial=1)))
    step = max(1, min(2**14, AT_ONCE // max(1, worst)))
    for start in range(0, len(codes), step):
        asking = order[start : start + step]
        value = values[asking, None]
        buckets = np.where(value & highest, -1, value ^ masks)
        ends, _, place = range_search_preassigned(index, codes[asking], hamming + 1, buckets)
        one, two = np.repeat(asking, np.diff(ends.astype(np.int64))), order[place]
        other = one != two
        one, two = one[other], two[other]
        yield np.unique(np.minimum(one, two) * len(codes) + np.maximum(one, two))
