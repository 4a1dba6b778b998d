"""The statistics of a chip as they were first written: one plane and one figure after the other, by name.

The oracle of the tests, and the peer of the bench `tabular`: igarape.learners.trees.statistics takes less time for the
same numbers.
"""

from collections.abc import Mapping
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from igarape.chips.pictures import Pixels, resize

Plane = npt.NDArray[np.uint8]
Table = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

LEVELS = np.arange(256.0)
QUANTILES = {"least": 0.0, "q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95, "most": 1.0}
BLOCK = 8
HUES = 12
SCALES = (1, 2, 4)
LAGS = (1, 2, 4, 8, 16)
AROUND = 5
ALONG = 9
DIRECTIONS = 8
RING = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))


def describe(rgb: Pixels) -> dict[str, float]:
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
