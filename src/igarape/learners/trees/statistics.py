"""Colour and texture statistics: what a learner that wants a table sees of a chip.

Every plane is one of whole numbers, 0..255, and every statistic is taken from counts or sums of them, which are exact
in any order. So a chip turned or mirrored has the same statistics, to the last bit, and test-time augmentation would
add nothing.
"""

from collections.abc import Iterable, Sequence
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from igarape.chips.pictures import Pixels, resize
from igarape.learners.trees.planes import COLOURS, TEXTURE, Plane, Texture, colour_planes, grey_plane, hsv_planes

Table = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

LEVELS = np.arange(256.0)
QUANTILES = {"least": 0.0, "q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95, "most": 1.0}
FIGURES = ("mean", "deviation", "skewness", *QUANTILES)  # of each plane's levels
BLOCK = 8  # pixels to the side of what is one pixel of the coarse planes
HUES = 12
SCALES = (1, 2, 4)  # texture is looked at where this many pixels make one
LAGS = (1, 2, 4, 8, 16)  # pixels
DIRECTIONS = 8  # of edges, in half a turn; those at right angles are DIRECTIONS // 2 apart
# Between directions, the tangents of the angles up to a right one. They are irrational: no slopes lie on a border.
BORDERS = np.tan(np.arange(1, DIRECTIONS, 2) * np.pi / (2 * DIRECTIONS)).astype(np.float32)
RING = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))


def statistics(chips: Iterable[Pixels]) -> Table:
    """Return a row of statistics, in the order of names(), of each chip: (n, statistics).

    chips: RGB, uint8 (size, size, 3), size at least 32.
    """
    rows = [_describe(chip).astype(np.float32) for chip in chips]
    return np.array(rows, dtype=np.float32).reshape(len(rows), len(names()))


@cache
def names() -> tuple[str, ...]:
    """Return the statistics' names."""
    colours, texture = ([f"{plane}_{it}" for plane in planes for it in FIGURES] for planes in (COLOURS, TEXTURE))
    texture += [*(f"direction_{k}" for k in range(DIRECTIONS)), "crossing"]
    texture += [f"pattern_{kind}" for kind in range(len(RING) + 2)]
    return (
        *colours,
        *(f"hue_{hue}" for hue in range(HUES)),
        *(f"coarse_{name}" for name in colours),
        *(f"likeness_{lag}" for lag in LAGS),
        *(f"{name}_{scale}" for scale in SCALES for name in texture),
    )


def _describe(rgb: Pixels) -> Floats:
    """Return a chip's statistics."""
    side = len(rgb)
    hsv, coarse, grey = hsv_planes(rgb), resize(rgb, side // BLOCK), grey_plane(rgb)
    greys = [grey if scale == 1 else grey_plane(resize(rgb, side // scale)) for scale in SCALES]
    textures = [Texture.of(each) for each in greys]
    colours, coarsened, *summaries = _summaries(
        [colour_planes(rgb, hsv), colour_planes(coarse, hsv_planes(coarse)), *(texture.planes for texture in textures)]
    )
    found = [colours, _hues(hsv), coarsened, _likeness(grey)]
    for texture, smaller, summary in zip(textures, greys, summaries, strict=True):
        found += [summary, _directions(texture), _patterns(smaller)]
    return np.concatenate(found)


def _summaries(groups: Sequence[Sequence[Plane]]) -> list[Floats]:
    """Return the FIGURES of each plane's levels, plane by plane, for each group of planes of one size."""
    counts = np.array([_count(plane) for planes in groups for plane in planes])
    totals = np.array([plane.size for planes in groups for plane in planes])
    ends = np.cumsum([len(planes) for planes in groups])[:-1]
    share = counts / totals[:, None]
    # A matrix product may order a sum otherwise for more rows, so that each group has its own.
    mean = np.concatenate([part @ LEVELS for part in np.split(share, ends)])
    away = LEVELS - mean[:, None]
    square = away * away
    deviation = np.sqrt((share * square).sum(axis=1))
    skewness = (share * (square * away)).sum(axis=1) / np.maximum(deviation, 1) ** 3  # ** 3 of negatives takes longer
    # Counted on from plane to plane, so that one search finds all quantiles: a plane's begin where the last one ended.
    ranks = np.maximum(1, np.ceil(np.outer(totals, list(QUANTILES.values())))) + (totals.cumsum() - totals)[:, None]
    quantiles = np.searchsorted(counts.ravel().cumsum(), ranks) - len(LEVELS) * np.arange(len(totals))[:, None]
    table = np.column_stack([mean, deviation, skewness, quantiles])
    return [part.ravel() for part in np.split(table, ends)]


def _count(plane: Plane) -> Floats:
    """Return how many pixels have each of the 256 levels."""
    return np.asarray(cv2.calcHist([plane], [0], None, [256], [0, 256]), dtype=np.float64).ravel()


def _hues(hsv: Pixels) -> Floats:
    """Return the shares of the hues, each pixel counting as much as it is saturated."""
    counts = cv2.calcHist([hsv], [0, 1], None, [HUES, 256], [0, 180, 0, 256])
    shares: Floats = counts.astype(np.float64) @ LEVELS / (255 * hsv[:, :, 0].size)
    return shares


def _likeness(grey: Plane) -> Floats:
    """Return how like each other pixels are that lie some way apart along rows and columns: 1 for the same grey.

    That is the correlation of grey-level co-occurrence, which needs the differences only (Unser, TPAMI 1986).
    """
    share = _count(grey) / grey.size
    variance = max(1.0, share @ LEVELS**2 - (share @ LEVELS) ** 2)
    found = []
    for lag in LAGS:
        pairs = ((grey[lag:], grey[:-lag]), (grey[:, lag:], grey[:, :-lag]))
        squares = sum(cv2.norm(*pair, cv2.NORM_L2SQR) for pair in pairs)
        found.append(1 - squares / sum(one.size for one, _ in pairs) / (2 * variance))
    return np.array(found)


def _directions(texture: Texture) -> Floats:
    """Return the shares of the edges' directions, the most frequent first, and of the best two at right angles."""
    wide, high = (np.abs(slopes).astype(np.float32) for slopes in (texture.across, texture.down))
    turns = np.zeros(wide.shape, dtype=np.uint8)
    for border in BORDERS:
        turns += (high > wide * border).view(np.uint8)
    # Where one slope falls and the other rises, the turns count from the other end: all bits are set there, and
    # (turns ^ falling) - falling is -turns.
    falling = ((texture.across ^ texture.down) >> 15).astype(np.uint8)
    turns ^= falling
    turns -= falling
    turns &= DIRECTIONS - 1
    pairs = cv2.calcHist([turns, texture.planes[0]], [0, 1], None, [DIRECTIONS, 256], [0, DIRECTIONS, 0, 256])
    counts = pairs.astype(np.float64) @ LEVELS
    shares = counts / max(1, counts.sum())
    half = DIRECTIONS // 2
    return np.array([*np.sort(shares)[::-1], (shares[:half] + shares[half:]).max()])


def _patterns(grey: Plane) -> Floats:
    """Return the shares of the local binary patterns, uniform and rotation-invariant (Ojala et al., TPAMI 2002)."""
    rows, columns = grey.shape
    centre = grey[1:-1, 1:-1]
    codes = np.zeros(centre.shape, dtype=np.uint8)
    for bit, (dy, dx) in enumerate(RING):
        neighbour = grey[1 + dy : rows - 1 + dy, 1 + dx : columns - 1 + dx]
        codes |= np.asarray(cv2.compare(neighbour, centre, cv2.CMP_GE), np.uint8) & np.uint8(1 << bit)
    shares: Floats = np.bincount(_kinds(), weights=_count(codes)) / codes.size
    return shares


@cache
def _kinds() -> npt.NDArray[np.int64]:
    """Return the kind of each of the 256 codes: how many neighbours are as bright, 0..8; 9 where they alternate."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    changes = (bits != np.roll(bits, 1, axis=1)).sum(axis=1)
    return np.where(changes <= 2, bits.sum(axis=1), 9)
