"""What haze a picture has, by the dark channel prior: its colour, the airlight, and how much of the light gets through.

He, Sun, Tang, Single image haze removal using dark channel prior, TPAMI 2011. The prior is that somewhere in each
window of a clear picture one of the colours is dark. From above it often fails: bare soil, sand and roofs are bright
all over. But they have colour where haze is grey, so the colourfulness around a place is set against its dark channel.
"""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from igarape.chips.pictures import Pixels
from igarape.config.params import Haze

Plane = npt.NDArray[np.float32]
Levels = npt.NDArray[np.uint8]
Light = tuple[float, float, float]


def find_haze(least: Pixels, mean: Pixels, knobs: Haze) -> tuple[Light, Plane]:
    """Return the airlight and the transmission (h, w) of a picture.

    least, mean: of each channel over blocks of knobs.subsample pixels to a side, each of shape (h, w, 3).
    """
    patch, window = (max(1, round(side / knobs.subsample)) for side in (knobs.patch, knobs.window))
    lows = cv2.split(least)
    light = airlight(
        mean,
        _darkest(lows, patch),
        top=knobs.top,
        darkest=knobs.darkest,
        brightest=knobs.brightest,
        tint=knobs.tint,
    )
    dark, chroma = _darkest(_relative(lows, light), patch), _chroma(_relative(cv2.split(mean), light))
    return light, transmission(dark, chroma, colour=knobs.colour, window=window, clear=knobs.clear, opaque=knobs.opaque)


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
