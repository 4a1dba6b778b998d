"""Colour and texture statistics: what a learner that wants a table sees of a chip.

Every plane is one of whole numbers, 0..255, and every statistic is taken from counts or sums of them, which are exact
in any order. So a chip turned or mirrored has the same statistics, to the last bit, and test-time augmentation would
add nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from igarape.chips.pictures import Pixels, resize
from igarape.errors import InputError
from igarape.tables import Probabilities

Plane = npt.NDArray[np.uint8]
Table = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

LEVELS = np.arange(256.0)
QUANTILES = {"least": 0.0, "q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95, "most": 1.0}
BLOCK = 8  # pixels to the side of what is one pixel of the coarse planes
HUES = 12
SCALES = (1, 2, 4)  # texture is looked at where this many pixels make one
LAGS = (1, 2, 4, 8, 16)  # pixels
AROUND = 5  # side of the window of a local deviation
ALONG = 9  # and of that in which edges are straight or are not
DIRECTIONS = 8  # of edges, in half a turn; those at right angles are DIRECTIONS // 2 apart
RING = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))


def statistics(chips: Iterable[Pixels]) -> Table:
    """Return a row of statistics, in the order of names(), of each chip: (n, statistics).

    chips: RGB, uint8 (size, size, 3), size at least 32.
    """
    rows = [np.fromiter(_describe(chip).values(), np.float32) for chip in chips]
    return np.array(rows, dtype=np.float32).reshape(len(rows), len(names()))


@cache
def names() -> tuple[str, ...]:
    """Return the statistics' names."""
    return tuple(_describe(np.zeros((32, 32, 3), dtype=np.uint8)))


def check_names(known: Sequence[str], path: Path, *, what: str) -> None:
    """Refuse a model, what is in path, that was fitted on other statistics than those of names().

    Raises InputError that names what is not in both.
    """
    if tuple(known) == names():
        return
    odd = sorted(set(known) ^ set(names()))[:3]
    raise InputError(
        f"{path}: expected {what} on the {len(names())} statistics that this igarape takes of a chip, found "
        f"{len(known)}; not in both, or in another order: {', '.join(odd) or 'their order'}. "
        "Run: dvc repro train, or use the igarape that made it"
    )


class OnStatistics(Protocol):
    """A model of a chip's statistics. size: the side of its chips in pixels. outputs: how many labels it predicts."""

    @property
    def size(self) -> int:
        """Return the side of its chips."""

    @property
    def outputs(self) -> int:
        """Return its number of labels."""

    def answer(self, table: Table) -> Probabilities:
        """Return probabilities (n, labels) for statistics (n, statistics)."""


class MeanOnStatistics:
    """The mean of models of a chip's statistics, which are taken once. shapes: as those of networks."""

    def __init__(self, models: Sequence[OnStatistics]) -> None:
        self._models = models
        self.shapes = [(model.size, model.outputs) for model in models]

    def mean(self, images: Pixels, *, tta: bool) -> Floats:
        """Average over the models: (n, labels). With tta or without: all views have the same statistics."""
        table = statistics(images)
        total = np.zeros((len(images), self.shapes[0][1]))
        for model in self._models:
            total += model.answer(table)
        return total / len(self._models)


def _describe(rgb: Pixels) -> dict[str, float]:
    """Return a chip's statistics by name."""
    side = len(rgb)
    found = _summary(_colours(rgb)) | _hues(rgb) | _summary(_colours(resize(rgb, side // BLOCK)), "coarse_")
    found |= _likeness(_grey(rgb))
    for scale in SCALES:
        texture = _texture(_grey(resize(rgb, side // scale)))
        found |= {f"{name}_{scale}": value for name, value in texture.items()}
    return found


def _grey(rgb: Pixels) -> Plane:
    """Return how bright the pixels are."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def _summary(planes: Mapping[str, Plane], prefix: str = "") -> dict[str, float]:
    """Return mean, deviation, skewness and quantiles of each plane's levels."""
    counts = np.stack([_count(plane) for plane in planes.values()])
    total = counts[0].sum()
    share = counts / total
    mean = share @ LEVELS
    away = LEVELS - mean[:, None]
    deviation = np.sqrt((share * away**2).sum(axis=1))
    figures = {
        "mean": mean,
        "deviation": deviation,
        "skewness": (share * away**3).sum(axis=1) / np.maximum(deviation, 1) ** 3,
    }
    below = counts.cumsum(axis=1)
    for name, quantile in QUANTILES.items():
        figures[name] = (below < max(1, np.ceil(quantile * total))).sum(axis=1)
    return {f"{prefix}{plane}_{name}": values[k] for k, plane in enumerate(planes) for name, values in figures.items()}


def _count(plane: Plane) -> Floats:
    """Return how many pixels have each of the 256 levels."""
    return np.asarray(cv2.calcHist([plane], [0], None, [256], [0, 256]), dtype=np.float64).ravel()


def _colours(rgb: Pixels) -> dict[str, Plane]:
    """Return planes of a picture's colours: as they are, as people see them, and two indices of vegetation.

    darkest: the least of the channels, which haze and clouds raise. Excess green is 2 G - R - B (Woebbecke et al.,
    1995), greenness (G - R) / (G + R) (Tucker, 1979).
    """
    saturation, brightest = cv2.split(cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV))[1:]
    redness, yellowness = cv2.split(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB))[1:]
    planes = cv2.split(rgb)
    red, green, blue = (np.asarray(plane, dtype=np.int16) for plane in planes)
    greenness = 127.5 * (1 + (green - red) / np.maximum(green + red, 1))
    return {
        "red": planes[0],
        "green": planes[1],
        "blue": planes[2],
        "saturation": saturation,
        "brightest": brightest,
        "darkest": cv2.min(cv2.min(*planes[:2]), planes[2]),
        "redness": redness,
        "yellowness": yellowness,
        "excess_green": ((2 * green - red - blue + 510) >> 2).astype(np.uint8),
        "greenness": greenness.astype(np.uint8),
    }


def _hues(rgb: Pixels) -> dict[str, float]:
    """Return the shares of the hues, each pixel counting as much as it is saturated."""
    hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)
    counts = cv2.calcHist([hsv], [0, 1], None, [HUES, 256], [0, 180, 0, 256])
    shares = counts.astype(np.float64) @ LEVELS / (255 * rgb[:, :, 0].size)
    return {f"hue_{hue}": shares[hue] for hue in range(HUES)}


def _likeness(grey: Plane) -> dict[str, float]:
    """Return how like each other pixels are that lie some way apart along rows and columns: 1 for the same grey.

    That is the correlation of grey-level co-occurrence, which needs the differences only (Unser, TPAMI 1986).
    """
    share = _count(grey) / grey.size
    variance = max(1.0, share @ LEVELS**2 - (share @ LEVELS) ** 2)
    found = {}
    for lag in LAGS:
        pairs = ((grey[lag:], grey[:-lag]), (grey[:, lag:], grey[:, :-lag]))
        squares = sum(cv2.norm(*pair, cv2.NORM_L2SQR) for pair in pairs)
        found[f"likeness_{lag}"] = 1 - squares / sum(one.size for one, _ in pairs) / (2 * variance)
    return found


def _texture(grey: Plane) -> dict[str, float]:
    """Return statistics of a grey picture's edges, local deviations and local patterns."""
    across, down = (np.asarray(cv2.Sobel(grey, cv2.CV_32F, *order), np.float32) for order in ((1, 0), (0, 1)))
    edges = np.minimum(255, np.sqrt(across**2 + down**2) / 4).astype(np.uint8)
    planes = {
        "edges": edges,
        "roughness": _roughness(grey),
        "straightness": _straightness(across, down),
    }
    return _summary(planes) | _directions(across, down, edges) | _patterns(grey)


def _roughness(grey: Plane) -> Plane:
    """Return twice the standard deviation around each pixel."""
    window, area = (AROUND, AROUND), AROUND**2
    total = cv2.boxFilter(grey, cv2.CV_32F, window, normalize=False)
    squares = cv2.sqrBoxFilter(grey, cv2.CV_32F, window, normalize=False)
    return np.asarray(2 * np.sqrt(np.maximum(squares * area - total**2, 0)) / area, dtype=np.uint8)


def _straightness(across: Table, down: Table) -> Plane:
    """Return how much the slopes around each pixel have one direction: 255 where they all have it, as along a road.

    That is the structure tensor's coherence (Bigun and Granlund, ICCV 1987).
    """
    products = (across * across, down * down, across * down)
    # In 64 bits the sums are exact, whichever end of the picture they are begun at.
    xx, yy, xy = (cv2.boxFilter(each, cv2.CV_64F, (ALONG, ALONG), normalize=False) for each in products)
    return np.asarray(255 * np.sqrt((xx - yy) ** 2 + 4 * xy**2) / np.maximum(xx + yy, 1), dtype=np.uint8)


def _directions(across: Table, down: Table, edges: Plane) -> dict[str, float]:
    """Return the shares of the edges' directions, the most frequent first, and of the best two at right angles."""
    turns = np.rint(np.arctan2(down, across, dtype=np.float64) * (DIRECTIONS / np.pi)).astype(np.int64) % DIRECTIONS
    counts = np.bincount(turns.ravel(), weights=edges.ravel(), minlength=DIRECTIONS)
    shares = counts / max(1, counts.sum())
    half = DIRECTIONS // 2
    found = {f"direction_{k}": share for k, share in enumerate(np.sort(shares)[::-1])}
    return found | {"crossing": (shares[:half] + shares[half:]).max()}


def _patterns(grey: Plane) -> dict[str, float]:
    """Return the shares of the local binary patterns, uniform and rotation-invariant (Ojala et al., TPAMI 2002)."""
    rows, columns = grey.shape
    centre = grey[1:-1, 1:-1]
    codes = np.zeros(centre.shape, dtype=np.uint8)
    for bit, (dy, dx) in enumerate(RING):
        neighbour = grey[1 + dy : rows - 1 + dy, 1 + dx : columns - 1 + dx]
        codes |= (neighbour >= centre).view(np.uint8) << bit
    shares = np.bincount(_kinds(), weights=_count(codes)) / codes.size
    return {f"pattern_{kind}": share for kind, share in enumerate(shares)}


@cache
def _kinds() -> npt.NDArray[np.int64]:
    """Return the kind of each of the 256 codes: how many neighbours are as bright, 0..8; 9 where they alternate."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    changes = (bits != np.roll(bits, 1, axis=1)).sum(axis=1)
    return np.where(changes <= 2, bits.sum(axis=1), 9)
