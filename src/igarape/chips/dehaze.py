"""Haze removal by the dark channel prior, guarded against what is no haze.

A clear chip is left nearly as it is. The haze is found on a smaller picture (chips.haze); what is computed at full size
is written to planes that are kept from one chip to the next.
"""

import threading
from dataclasses import dataclass

import cv2
import numpy as np

from igarape.chips.haze import Levels, Light, Plane, find_haze
from igarape.chips.pictures import Pixels, is_flat
from igarape.config.params import Haze
from igarape.config.schema import validate

KEPT = 2**20  # pixels; planes for a larger picture are not kept


@dataclass(frozen=True)
class Quality:
    """What dehazing found in a chip and did to it.

    airlight: colour of the haze (red, green, blue in [0, 1]). mean_t: mean transmission in [0, 1], 1 is no haze.
    change: mean absolute change of a pixel's channel, in grey levels of 255.
    """

    airlight: Light
    mean_t: float
    change: float


class Planes:
    """Memory for what is written at full size: a picture's least, luminance and channels, and two planes of floats."""

    def __init__(self, height: int, width: int) -> None:
        """Take about 15 bytes for each pixel."""
        self.shape = (height, width)
        self.least = np.empty((height, width, 3), np.uint8)
        self.luminance = np.empty(self.shape, np.uint8)
        self.channels = [np.empty(self.shape, np.uint8) for _ in range(3)]
        self.floats = (np.empty(self.shape, np.float32), np.empty(self.shape, np.float32))


class _Kept(threading.local):
    """The planes of a thread's last chip: memory that is asked for anew for each is faulted in anew, page by page."""

    planes = Planes(0, 0)

    def sized(self, height: int, width: int) -> Planes:
        """Return planes of a size, those of the last chip if it had the same."""
        if self.planes.shape == (height, width):
            return self.planes
        planes = Planes(height, width)
        if height * width <= KEPT:
            self.planes = planes
        return planes


_KEPT = _Kept()


def dehaze(
    rgb: Pixels,
    *,
    patch: int,
    top: float,
    darkest: float,
    brightest: float,
    tint: float,
    colour: float,
    window: int,
    clear: float,
    opaque: float,
    floor: float,
    radius: int,
    epsilon: float,
    subsample: int,
) -> tuple[Pixels, Quality]:
    """Invert I = J t + A (1 - t): return the clear picture J, of the shape of I, and what was found.

    A picture of one colour, and one without haze, is returned as it is.

    Parameters
    ----------
    rgb
        The hazy picture I, of shape (height, width, 3).
    patch
        Side of the dark channel's window in pixels.
    top, darkest, brightest, tint
        As haze.airlight takes them.
    colour, window, clear, opaque
        As haze.transmission takes them; window is in pixels.
    floor
        The smallest t that is divided by.
    radius, epsilon
        Of the guided filter that refines t: in pixels, and in intensities on [0, 1].
    subsample
        Everything but the last step is done on a picture so many times smaller.

    Raises
    ------
    InputError
        When a knob is out of the range that params.yaml has for it.
    """
    given = {name: value for name, value in locals().items() if name != "rgb"}
    knobs = validate(Haze, given, "dehaze")  # in microseconds
    planes = _KEPT.sized(*rgb.shape[:2])
    least, small = _shrunk(rgb, subsample, planes.least)
    light, rough = find_haze(least, small, knobs)
    grey = _grey(small)
    low, high, *_ = cv2.minMaxLoc(grey)
    if cv2.minMaxLoc(rough)[0] >= 1 or (low == high and is_flat(rgb)):
        return rgb.copy(), Quality(light, mean_t=1.0, change=0.0)
    luminance, reach = _grey(rgb, planes.luminance), max(1, radius // subsample)
    t = guided_filter(luminance, grey, rough, radius=reach, epsilon=epsilon, out=planes.floats)
    np.clip(t, np.float32(floor), np.float32(1), out=t)
    mean_t = cv2.mean(t)[0]
    result = _invert(rgb, t, light, planes)
    return result, Quality(light, mean_t, change=cv2.norm(rgb, result, cv2.NORM_L1) / rgb.size)


def _shrunk(rgb: Pixels, factor: int, scratch: Pixels) -> tuple[Pixels, Pixels]:
    """Return the least and the mean of each channel over blocks of factor x factor pixels, those at the border cut.

    The mean is taken by halves as long as that goes: OpenCV is quick at halves, and at nothing else.
    """
    least = cv2.erode(rgb, np.ones((factor, factor), np.uint8), dst=scratch, anchor=(0, 0))
    small = rgb
    while factor > 1:
        step = 2 if factor % 2 == 0 else factor
        height, width = small.shape[:2]
        size = (-(-width // step), -(-height // step))
        small = np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_AREA), np.uint8)
        factor //= step
    return np.asarray(cv2.resize(least, small.shape[1::-1], interpolation=cv2.INTER_NEAREST), np.uint8), small


def _grey(rgb: Pixels, room: Levels | None = None) -> Levels:
    """Return the luminance of a picture, written to a plane if one is given."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY, dst=room), np.uint8)


def guided_filter(
    guide: Levels, small: Levels, plane: Plane, *, radius: int, epsilon: float, out: tuple[Plane, Plane]
) -> Plane:
    """Enlarge a plane to the size of a guide, smooth but along the guide's edges.

    He, Sun, Fast guided filter, arXiv 1505.00996: the local line plane = a guide + b is fitted on the small plane and
    the guide shrunk to its size, and applied at full size.

    Parameters
    ----------
    guide
        Luminance at full size.
    small
        The guide, shrunk to the plane's size.
    plane
        What is enlarged.
    radius
        The line is fitted over windows that reach so many pixels of the small plane to each side.
    epsilon
        Of intensities on [0, 1]: the variance of the guide below which the plane is smoothed.
    out
        Two planes of full size to work in, of which the first is returned.
    """
    side = (2 * radius + 1, 2 * radius + 1)
    shrunk = np.multiply(small, np.float32(1 / 255), dtype=np.float32)
    products = cv2.merge([shrunk, plane, shrunk * plane, shrunk * shrunk])
    mean_guide, mean_plane, mean_product, mean_square = cv2.split(
        cv2.blur(products, side, borderType=cv2.BORDER_REFLECT)
    )
    covariance = mean_product - mean_guide * mean_plane
    slope = covariance / (mean_square - mean_guide * mean_guide + np.float32(epsilon))
    offset = mean_plane - slope * mean_guide
    size = guide.shape[::-1]
    full, added = (
        cv2.resize(cv2.blur(one, side, borderType=cv2.BORDER_REFLECT), size, dst=room)
        for one, room in zip((slope * np.float32(1 / 255), offset), out, strict=True)
    )
    np.multiply(full, guide, out=full)
    return np.add(full, added, out=full)


def _invert(rgb: Pixels, t: Plane, light: Light, planes: Planes) -> Pixels:
    """Return (I - A) / t + A, rounded and kept within 0..255: I / t less A (1 / t - 1). Both planes of floats go."""
    lit, gain = planes.floats
    np.divide(np.float32(1), t, out=gain)
    channels = cv2.split(rgb, planes.channels)
    for channel, value in zip(channels, light, strict=True):
        cv2.multiply(channel, gain, dst=lit, dtype=cv2.CV_32F)
        cv2.addWeighted(lit, 1, gain, -255 * value, 255 * value, dst=channel, dtype=cv2.CV_8U)
    return np.asarray(cv2.merge(channels), np.uint8)
