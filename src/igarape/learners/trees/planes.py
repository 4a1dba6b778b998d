"""Planes of a chip: what is looked at at each pixel, colours and texture, as whole numbers from 0 to 255.

A chip turned or mirrored has the same planes, turned or mirrored, to the last bit: they are made of exact numbers.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from igarape.chips.pictures import Pixels

Plane = npt.NDArray[np.uint8]
Slopes = npt.NDArray[np.int16]
Products = npt.NDArray[np.int32]

INDICES = ("excess_green", "greenness")
COLOURS = ("red", "green", "blue", "saturation", "brightest", "darkest", "redness", "yellowness", *INDICES)
TEXTURE = ("edges", "roughness", "straightness")
AROUND = 5  # side of the window of a local deviation
ALONG = 9  # and of that in which edges are straight or are not


def grey_plane(rgb: Pixels) -> Plane:
    """Return how bright the pixels are."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def hsv_planes(rgb: Pixels) -> Pixels:
    """Return hue (0..179), saturation and the brightest channel."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV), dtype=np.uint8)


def colour_planes(rgb: Pixels, hsv: Pixels) -> list[Plane]:
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


@dataclass(frozen=True)
class Texture:
    """A grey picture's slopes along rows and down columns, and planes of its edges, local deviations and directions.

    Slopes are whole numbers, as are their products, whose sums are so exact, whichever end they are begun at.
    """

    across: Slopes
    down: Slopes
    planes: tuple[Plane, Plane, Plane]

    @classmethod
    def of(cls, grey: Plane) -> "Texture":
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
