"""Colour and texture statistics: what a learner that wants a table sees of a chip.

Every plane is one of whole numbers, 0..255, and every statistic is taken from counts or sums of them, which are exact
in any order. So a chip turned or mirrored has the same statistics, to the last bit, and test-time augmentation would
add nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from igarape.chips.pictures import Pixels, resize

Plane = npt.NDArray[np.uint8]
Table = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Slopes = npt.NDArray[np.int16]
Products = npt.NDArray[np.int32]

LEVELS = np.arange(256.0)
QUANTILES = {"least": 0.0, "q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95, "most": 1.0}
FIGURES = ("mean", "deviation", "skewness", *QUANTILES)  # of each plane's levels
INDICES = ("excess_green", "greenness")
COLOURS = ("red", "green", "blue", "saturation", "brightest", "darkest", "redness", "yellowness", *INDICES)
TEXTURE = ("edges", "roughness", "straightness")
BLOCK = 8  # pixels to the side of what is one pixel of the coarse planes
HUES = 12
SCALES = (1, 2, 4)  # texture is looked at where this many pixels make one
LAGS = (1, 2, 4, 8, 16)  # pixels
AROUND = 5  # side of the window of a local deviation
ALONG = 9  # and of that in which edges are straight or are not
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
    hsv, coarse, grey = _hsv(rgb), resize(rgb, side // BLOCK), _grey(rgb)
    greys = [grey if scale == 1 else _grey(resize(rgb, side // scale)) for scale in SCALES]
    textures = [_Texture.of(each) for each in greys]
    colours, coarsened, *summaries = _summaries(
        [_colours(rgb, hsv), _colours(coarse, _hsv(coarse)), *(texture.planes for texture in textures)]
    )
    found = [colours, _hues(hsv), coarsened, _likeness(grey)]
    for texture, smaller, summary in zip(textures, greys, summaries, strict=True):
        found += [summary, _directions(texture), _patterns(smaller)]
    return np.concatenate(found)


def _grey(rgb: Pixels) -> Plane:
    """Return how bright the pixels are."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def _hsv(rgb: Pixels) -> Pixels:
    """Return hue (0..179), saturation and the brightest channel."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV), dtype=np.uint8)


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


def _colours(rgb: Pixels, hsv: Pixels) -> list[Plane]:
    """Return planes of a picture's colours: as they are, as people see them, and two indices of vegetation.

    darkest: the least of the channels, which haze and clouds raise. Excess green is 2 G - R - B (Woebbecke et al.,
    1995), greenness (G - R) / (G + R) (Tucker, 1979).
    """
    planes = cv2.split(rgb)
    red, green, blue = (np.asarray(plane, dtype=np.int16) for plane in planes)
    excess = 2 * green - red - blue
    excess += 510
    excess >>= 2
    greenness = _greenness().take(cv2.merge(planes[:2]).view("<u2")[:, :, 0], mode="wrap")  # which checks no index
    _, saturation, brightest = cv2.split(hsv)
    _, redness, yellowness = cv2.split(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB))
    darkest = cv2.min(cv2.min(*planes[:2]), planes[2])
    seen = (*planes, saturation, brightest, darkest, redness, yellowness, excess.astype(np.uint8), greenness)
    return [np.asarray(plane, dtype=np.uint8) for plane in seen]


@cache
def _greenness() -> Plane:
    """Return the greenness of each red and green, at 256 times green and red: a division a pixel would take longer."""
    green, red = np.divmod(np.arange(256 * 256), 256)
    table: Plane = ((1 + (green - red) / np.maximum(green + red, 1)) * 127.5).astype(np.uint8)
    return table


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


@dataclass(frozen=True)
class _Texture:
    """A grey picture's slopes along rows and down columns, and planes of its edges, local deviations and directions.

    Slopes are whole numbers, as are their products, whose sums are so exact, whichever end they are begun at.
    """

    across: Slopes
    down: Slopes
    planes: tuple[Plane, Plane, Plane]

    @classmethod
    def of(cls, grey: Plane) -> "_Texture":
        """Look at a picture."""
        across, down = (np.asarray(slopes, dtype=np.int16) for slopes in cv2.spatialGradient(grey))
        return cls(across, down, (_edges(across, down), _roughness(grey), _straightness(across, down)))


def _edges(across: Slopes, down: Slopes) -> Plane:
    """Return how steep it is at each pixel; the sum of the squares of its slopes is exact in 32 bits."""
    steep, high = across.astype(np.float32), down.astype(np.float32)
    steep *= steep
    high *= high
    steep += high
    np.sqrt(steep, out=steep)
    steep /= 4
    return np.minimum(steep, 255, out=steep).astype(np.uint8)


def _roughness(grey: Plane) -> Plane:
    """Return twice the standard deviation around each pixel."""
    window, area = (AROUND, AROUND), AROUND**2
    total = np.asarray(cv2.boxFilter(grey, cv2.CV_32F, window, normalize=False), dtype=np.float32)
    rough = np.asarray(cv2.sqrBoxFilter(grey, cv2.CV_32F, window, normalize=False), dtype=np.float32)
    rough *= area
    rough -= total * total
    np.sqrt(np.maximum(rough, 0, out=rough), out=rough)
    rough *= 2
    rough /= area
    return rough.astype(np.uint8)


def _straightness(across: Slopes, down: Slopes) -> Plane:
    """Return how much the slopes around each pixel have one direction: 255 where they all have it, as along a road.

    That is the structure tensor's coherence (Bigun and Granlund, ICCV 1987), from the products of the slopes. Slopes
    of a pixel are at most 765 both: so what is squared here is below 2 ** 26.5, and its square exact in 64 bits.
    """
    xx, yy, xy = (_around(*each) for each in ((across, across), (down, down), (across, down)))
    mixed = xy.astype(np.float64)
    mixed *= 2
    straight = np.asarray(cv2.magnitude((xx - yy).astype(np.float64), mixed), dtype=np.float64)
    straight *= 255
    straight /= np.maximum(xx + yy, 1)
    return straight.astype(np.uint8)


def _around(one: Slopes, other: Slopes) -> Products:
    """Return the sum of the products of slopes around each pixel."""
    products = np.multiply(one, other, dtype=np.int32)
    return np.asarray(cv2.boxFilter(products, cv2.CV_32S, (ALONG, ALONG), normalize=False), dtype=np.int32)


def _directions(texture: _Texture) -> Floats:
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
