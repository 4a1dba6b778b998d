"""Chips that belong together: the same pixels, near-duplicates, and neighbours whose borders fit."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from threadpoolctl import threadpool_limits

from igarape.chips.borders import border_tasks, fitting
from igarape.chips.fingerprints import BITS, SAMPLES, SIDES, Fingerprints
from igarape.chips.hamming import band_tasks, close_pairs, first_equal
from igarape.executors import Executor

Rows = npt.NDArray[np.intp]

KINDS = ("same", "alike", "right", "below")
FACING = {"right": ("right", "left"), "below": ("bottom", "top")}  # other lies to the right of image, or below it


def find_pairs(
    prints: Fingerprints,
    *,
    hamming: int,
    ratio: float,
    correlation: float,
    borders: bool,
    executor: Executor,
    folder: Path,
) -> pd.DataFrame:
    """Find the pairs of chips that belong together; they are the same, whoever looks for them.

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
    executor
        Does the tasks, each with one thread, where there are several: pair_tasks says how many.
    folder
        Empty, for what tasks map: whoever does them sees it.

    Returns
    -------
    DataFrame
        image_id, other, kind, distance, in the order of names. kind says how other stands to image_id: "same" pixels;
        "alike", with the number of bits in which their hashes differ, where each of several equal hashes is paired with
        the first of them only; with borders, "right" of it or "below" it, with
        the root mean square between their borders in grey levels.
    """
    prints = prints.take(np.argsort(np.asarray(prints.image_ids, dtype=np.str_), kind="stable"))
    with threadpool_limits(1):
        first, other = _same(prints)
        found = [_pairs(prints, first, other, "same", np.zeros(len(first)))]
        prints = _without(prints, other)
        first, other, bits = close_pairs(prints.phash, hamming, executor=executor, folder=folder)
        found.append(_pairs(prints, first, other, "alike", bits))
        prints = _without(prints, other)
        for kind, facing in FACING.items() if borders else ():
            ours, theirs = (np.ascontiguousarray(prints.borders[:, SIDES.index(side)]) for side in facing)
            how = {"ratio": ratio, "correlation": correlation}
            first, other, distance = fitting(ours, theirs, **how, executor=executor, folder=folder / kind)
            found.append(_pairs(prints, first, other, kind, distance))
    return pd.concat(found, ignore_index=True)


def pair_tasks(count: int, *, hamming: int, borders: bool) -> int:
    """Return into how many tasks find_pairs deals the search among so many chips at most; 1: it does all by itself."""
    return max(band_tasks(count, BITS, hamming), border_tasks(count) if borders else 1)


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


def _pairs(prints: Fingerprints, first: Rows, second: Rows, kind: str, distance: npt.ArrayLike) -> pd.DataFrame:
    """Tabulate pairs of rows of fingerprints."""
    every = np.array(prints.image_ids, dtype=object)
    pairs = pd.DataFrame({"image_id": every[first], "other": every[second], "kind": kind, "distance": distance})
    return pairs.astype({"image_id": str, "other": str, "distance": np.float32})


def _without(prints: Fingerprints, others: Rows) -> Fingerprints:
    """Leave rows out."""
    return prints.take(np.delete(np.arange(len(prints)), others))


def _same(prints: Fingerprints) -> tuple[Rows, Rows]:
    """Pair each chip with the first one that has its pixels: return the rows of the first ones, and of the others."""
    again = np.flatnonzero(pd.Series(prints.pixels).duplicated(keep=False))  # others may have one CRC by chance
    columns = (prints.pixels[:, None].view(np.uint8), prints.phash, prints.borders.reshape(-1, len(SIDES) * SAMPLES))
    original = again[first_equal(np.hstack([column[again] for column in columns]))]
    other = original != again
    return original[other], again[other]
