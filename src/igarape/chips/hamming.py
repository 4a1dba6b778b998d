"""Codes within a Hamming distance of each other: all pairs of them, found exactly and without comparing all with all.

Two codes that differ in at most h bits differ, in one of m bands of their bits, in at most h // m: in one of the first
h % m + 1 bands, or else in at most h // m - 1 in one of the others (the pigeonhole principle; Norouzi, Punjani, Fleet,
Fast exact search in Hamming space with multi-index hashing, TPAMI 2014). So codes lie in a bucket for each value of a
band, and are compared with those in buckets of nearby values only. Each band is a task, so processes share them.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, combinations
from math import comb
from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt
from faiss.contrib.ivf_tools import add_preassigned, range_search_preassigned
from threadpoolctl import threadpool_limits

from igarape.errors import InputError
from igarape.executors import Callback, Executor, Here, in_turn

Codes = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.intp]
Words = npt.NDArray[np.int64]
# The bits of a band (0: one bucket holds all codes), and for each band in how many of them nearby values may differ.
Bands = tuple[int, tuple[int, ...]]

WIDEST = 20  # bits of a band: 2 ** 20 buckets
# Nanoseconds each, roughly: they choose the bands, and change no result. Buckets of real codes are not equally full: a
# comparison counts twice.
BUCKET, PROBE, COMPARISON = 600, 30, 1.5
AT_ONCE = 2**26  # pairs that one call may find, at worst
MOST = 20_000_000  # pairs that are borne: their table has to fit into memory
ALONE = 2**18  # codes up to which this process seeks alone: it takes 6 s, and to start another one 1 to 2 s


def close_pairs(codes: Codes, hamming: int, *, executor: Executor, folder: Path) -> tuple[Rows, Rows, Rows]:
    """Find the pairs of codes that differ in at most hamming bits.

    Of codes that are equal, each is paired with the first only, and only the first with those that differ: thousands of
    pictures with one and the same code make thousands of pairs, not millions.

    Parameters
    ----------
    codes
        uint8 (n, bytes).
    hamming
        Bits that may differ.
    executor
        Does the tasks, where there is more than one.
    folder
        For what tasks map: whoever does them sees it.

    Returns
    -------
    tuple
        For each pair the row that comes first, the other one, and the bits that differ, in the order of rows.

    Raises
    ------
    InputError
        When there are more than MOST pairs.
    """
    first_of = first_equal(codes)
    rows = np.arange(len(codes))
    others = rows[first_of != rows]
    kept = rows[first_of == rows]
    one, two = (kept[side] for side in _differing(codes[kept], hamming, executor, folder / "codes.npy"))
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


def bands(count: int, bits: int, hamming: int) -> Bands:
    """Choose the bands in which so many codes are sought."""

    def cost(choice: Bands) -> float:
        width, flips = choice
        probes = sum(comb(width, flipped) for most in flips for flipped in range(most + 1))
        return float(len(flips) * BUCKET * 2**width + count * probes * (PROBE + COMPARISON * count / 2**width))

    return min((bands_of(width, bits, hamming) for width in range(WIDEST + 1)), key=cost)


def bands_of(width: int, bits: int, hamming: int) -> Bands:
    """Return the bands of some width, without those that no pair needs: in one of them its values are near."""
    if not width:
        return 0, (0,)
    number = bits // width
    flips, rest = divmod(min(hamming, bits), number)
    less = [flips - 1] * (number - rest - 1) if flips else []
    return width, tuple(min(most, width) for most in [flips] * (rest + 1) + less)


def band_tasks(count: int, bits: int, hamming: int) -> int:
    """Return how many tasks the search among so many codes is dealt into; 1 where this process seeks alone."""
    return len(bands(count, bits, hamming)[1]) if count > ALONE else 1


def _differing(codes: Codes, hamming: int, executor: Executor, path: Path) -> tuple[Rows, Rows]:
    """Return the two rows of each pair of codes, all different, that differ in at most hamming bits.

    path: where the codes are written, for tasks to map.
    """
    np.save(path, codes)
    count, bits = len(codes), 8 * codes.shape[1]
    width, flips = bands(count, bits, hamming)
    task = partial(_near_in, path=path, width=width, flips=flips, hamming=hamming)
    every = range(len(flips))
    shared = band_tasks(count, bits, hamming) > 1
    shares, executor = ([[band] for band in every], executor) if shared else ([every], Here())
    futures = in_turn(executor, [executor.submit(task, share, name=f"band {share[0]}") for share in shares])
    found = _united(future.result() for future in futures)
    return found // max(1, count), found % max(1, count)


def _near_in(
    _send: Callback, some: Sequence[int], *, path: Path, width: int, flips: Sequence[int], hamming: int
) -> Words:
    """Return the pairs, as _near yields them, of codes that are near in one of some bands."""
    codes = np.asarray(np.load(path, mmap_mode="r"))
    near = (_near(codes, _values(codes, width, band), width=width, flips=flips[band], hamming=hamming) for band in some)
    with threadpool_limits(1):
        return _united(chain.from_iterable(near))


def _united(parts: Iterable[Words]) -> Words:
    """Return the pairs of all parts, each once and in order; raise InputError when there are more than MOST."""
    found = np.empty(0, dtype=np.int64)
    for part in parts:
        found = np.union1d(found, part)
        if len(found) > MOST:
            raise InputError(
                f"split: more than {MOST} pairs of chips look alike, so near-duplicates tell nothing here. Set "
                "split.hamming lower, or leave out chips that show the same, such as water and cloud"
            )
    return found


def _values(codes: Codes, width: int, band: int) -> Words:
    """Return each code's value in a band, (n,); a band's bits are spread over the whole code.

    Bits that lie beside each other say much the same: a band of them would have few, full buckets.
    """
    values = np.zeros(len(codes), dtype=np.int64)
    number = 8 * codes.shape[1] // max(1, width)
    for place in range(width):
        byte, bit = divmod(band + place * number, 8)
        values |= (codes[:, byte].astype(np.int64) >> (7 - bit) & 1) << place
    return values


def _near(codes: Codes, values: Words, *, width: int, flips: int, hamming: int) -> Iterator[Words]:
    """Yield the pairs whose values in a band differ in at most flips bits, each as first row x count + second row."""
    # Neighbouring queries probe the same buckets, which then are in the cache. 16 bits are sorted by radix.
    order = np.argsort(values.astype(np.uint16) if width <= 16 else values, kind="stable")
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
        distinct, which = np.unique(values[asking], return_inverse=True)
        buckets = np.where(distinct[:, None] & highest, -1, distinct[:, None] ^ masks)
        ends, _, place = range_search_preassigned(index, codes[asking], hamming + 1, buckets.take(which, axis=0))
        one, two = np.repeat(asking, np.diff(ends.astype(np.int64))), order[place]
        other = one != two
        one, two = one[other], two[other]
        yield np.unique(np.minimum(one, two) * len(codes) + np.maximum(one, two))
