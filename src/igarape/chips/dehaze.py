"""Haze removal by the dark channel prior, guarded against what is no haze.

He, Sun, Tang, Single image haze removal using dark channel prior, TPAMI 2011. The prior is that somewhere in each
window of a clear picture one of the colours is dark. From above it often fails: bare soil, sand and roofs are bright
all over. But they have colour where haze is grey, so the colourfulness around a place is set against its dark channel,
and a clear chip is left nearly as it is. Everything up to the transmission is computed on a smaller picture; what is
computed at full size is written to planes that are kept from one chip to the next.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from igarape.chips.pictures import Pixels, is_flat
from igarape.config.params import Haze
from igarape.config.schema import validate

Plane = npt.NDArray[np.float32]
Levels = npt.NDArray[np.uint8]
Light = tuple[float, float, float]

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
    """Invert I = J t + A (1 - t): return the clear picture J, and what was found.

    A picture of one colour, and one without haze, is returned as it is.

    Parameters
    ----------
    rgb
        The hazy picture I, of shape (height, width, 3).
    patch
        Side of the dark channel's window in pixels.
    top, darkest, brightest, tint
        As airlight takes them.
    colour, window, clear, opaque
        As transmission takes them; window is in pixels.
    floor
        The smallest t that is divided by.
    radius, epsilon
        Of the guided filter that refines t: in pixels, and in intensities on [0, 1].
    subsample
        Everything but the last step is done on a picture so many times smaller.

    Returns
    -------
    Pixels
        J, of the shape of rgb.
    Quality
        What was found in the picture and done to it.

    Raises
    ------
    InputError
        When a knob is out of the range that params.yaml has for it.
    """
    validate(Haze, {name: value for name, value in locals().items() if name != "rgb"}, "dehaze")  # in microseconds
    planes = _KEPT.sized(*rgb.shape[:2])
    least, small = _shrunk(rgb, subsample, planes.least)
    patch, window = max(1, round(patch / subsample)), max(1, round(window / subsample))
    lows = cv2.split(least)
    light = airlight(small, _darkest(lows, patch), top=top, darkest=darkest, brightest=brightest, tint=tint)
    dark, chroma = _darkest(_relative(lows, light), patch), _chroma(_relative(cv2.split(small), light))
    rough = transmission(dark, chroma, colour=colour, window=window, clear=clear, opaque=opaque)
    grey = _grey(small)
    low, high, *_ = cv2.minMaxLoc(grey)
    if cv2.minMaxLoc(rough)[0] >= 1 or (low == high and is_flat(rgb)):
        return rgb.copy(), Quality(light, mean_t=1.0, change=0.0)
    t = guided_filter(
        _grey(rgb, planes.luminance),
        grey,
        rough,
        radius=max(1, radius // subsample),
        epsilon=epsilon,
        out=planes.floats,
    )
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


def _relative(channels: Sequence[npt.NDArray[Any]], light: Light) -> list[Plane]:
    """Return the channels of a picture, each divided by the airlight's."""
    return [
        np.multiply(channel, np.float32(1 / (255 * value)), dtype=np.float32)
        for channel, value in zip(channels, light, strict=True)
    ]


def _darkest(channels: Sequence[npt.NDArray[Any]], patch: int) -> npt.NDArray[Any]:
    """Return the dark channel: the minimum over the channels and over a patch x patch window (cut at the border)."""
    red, green, blue = channels
    return np.asarray(cv2.erode(cv2.min(cv2.min(red, green), blue), np.ones((patch, patch), np.uint8)))


def _chroma(channels: Sequence[Plane]) -> Plane:
    """Return the colourfulness: the largest channel less the smallest."""
    red, green, blue = channels
    return np.asarray(cv2.max(cv2.max(red, green), blue) - cv2.min(cv2.min(red, green), blue), np.float32)


def airlight(image: Pixels, dark: Levels, *, top: float, darkest: float, brightest: float, tint: float) -> Light:
    """Estimate the colour of the haze, in steps of 1 / 255.

    It is the mean colour of the pixels that are brightest in the dark channel. A window must be bright all over to
    count, and many pixels vote, so that one bright roof or a glint does not pass for haze. Haze over land is neither
    dark, nor white as the top of a cloud, nor of strong colour.

    Parameters
    ----------
    image
        The picture, of shape (h, w, 3).
    dark
        Its dark channel, of shape (h, w).
    top
        The share of pixels that vote; all that are as bright as the last of these vote too.
    darkest, brightest
        The mean of the channels is kept within these, on [0, 1].
    tint
        Each channel is kept within this share of that mean.
    """
    count = max(1, round(top * dark.size))
    last = np.partition(dark.ravel(), -count)[-count]
    colour = cv2.mean(image, (dark >= last).view(np.uint8))[:3]
    mean = sum(colour) / 3
    shares = [one / mean for one in colour] if mean > 0 else [1.0] * 3  # black is as grey as white
    kept = min(max(mean / 255, darkest), brightest)
    red, green, blue = (round(255 * kept * min(max(one, 1 - tint), 1 + tint)) / 255 for one in shares)
    return red, green, blue


def transmission(dark: Plane, chroma: Plane, *, colour: float, window: int, clear: float, opaque: float) -> Plane:
    """Estimate t from the dark channel and the colourfulness of a picture over its airlight; 1 is no haze.

    The veil 1 - t is the dark channel less what is colourful, of which a picture without haze shows some.

    Parameters
    ----------
    dark, chroma
        Dark channel and colourfulness, each of shape (h, w).
    colour
        How many times the colourfulness, averaged over a window, is taken off.
    window
        Side of that window in pixels.
    clear
        The veil of a picture without haze.
    opaque
        Where t falls below it there is a cloud and no ground to bring back: t goes back to 1 there, reached at t = 0.
    """
    grey = colour * cv2.blur(chroma, (window, window), borderType=cv2.BORDER_REFLECT)
    t = np.clip((1 - dark + grey) / np.float32(1 - clear), 0, 1)
    return np.asarray(1 - np.minimum(t / np.float32(opaque), 1) * (1 - t), np.float32)


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
