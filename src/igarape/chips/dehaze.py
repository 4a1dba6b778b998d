"""Haze removal by the dark channel prior, guarded against what is no haze.

He, Sun, Tang, Single image haze removal using dark channel prior, TPAMI 2011. The prior is that somewhere in each
window of a clear picture one of the colours is dark. From above it often fails: bare soil, sand and roofs are bright
all over. But they have colour where haze is grey, so the colourfulness around a place is set against its dark channel,
and a clear chip is left nearly as it is. Everything up to the transmission is computed on a smaller picture.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from igarape.chips.pictures import Picture, is_flat

Plane = npt.NDArray[np.float32]
Light = tuple[float, float, float]


@dataclass(frozen=True)
class Quality:
    """What dehazing found in a chip and did to it.

    airlight: colour of the haze (red, green, blue in [0, 1]). mean_t: mean transmission in [0, 1], 1 is no haze.
    change: mean absolute change of a pixel's channel, in grey levels of 255.
    """

    airlight: Light
    mean_t: float
    change: float


def dehaze(
    rgb: Picture,
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
) -> tuple[Picture, Quality]:
    """Invert I = J t + A (1 - t): return the clear picture J of shape (height, width, 3), and what was found.

    patch: side of the dark channel's window in pixels. top, darkest, brightest, tint: as airlight takes them. colour,
    window, clear, opaque: as transmission takes them. floor: the smallest t that is divided by. radius (pixels),
    epsilon (intensities on [0, 1]): the guided filter that refines t. subsample: everything but the last step is done
    on a picture so many times smaller. A picture of one colour, and one without haze, is returned as it is.
    """
    lowest = cv2.erode(rgb, np.ones((subsample, subsample), np.uint8), anchor=(0, 0))[::subsample, ::subsample]
    small = cv2.resize(rgb, (lowest.shape[1], lowest.shape[0]), interpolation=cv2.INTER_AREA)
    flat = not cv2.meanStdDev(small)[1].any() and is_flat(rgb)
    lowest, small = _on_one(lowest), _on_one(small)
    shrunk = max(1, round(patch / subsample))
    light = airlight(small, _darkest(lowest, shrunk), top=top, darkest=darkest, brightest=brightest, tint=tint)
    share = np.float32(1) / np.array(light, np.float32)
    spread = max(1, round(window / subsample))
    rough = transmission(
        small * share, _darkest(lowest * share, shrunk), colour=colour, window=spread, clear=clear, opaque=opaque
    )
    if flat or cv2.minMaxLoc(rough)[0] >= 1:
        return rgb.copy(), Quality(light, mean_t=1.0, change=0.0)
    guide = _on_one(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))
    t = guided_filter(guide, rough, radius=max(1, radius // subsample), epsilon=epsilon)
    np.clip(t, np.float32(floor), np.float32(1), out=t)
    result = _invert(rgb, t, light)
    change = cv2.norm(rgb, result, cv2.NORM_L1) / rgb.size
    return result, Quality(light, float(cv2.mean(t)[0]), change)


def _on_one(picture: npt.NDArray[Any]) -> Plane:
    """Scale grey levels to [0, 1]."""
    return np.asarray(np.multiply(picture, np.float32(1 / 255), dtype=np.float32))


def _darkest(picture: Plane, patch: int) -> Plane:
    """Return the dark channel: the minimum over the channels and over a patch x patch window (cut at the border)."""
    red, green, blue = cv2.split(picture)
    return np.asarray(cv2.erode(cv2.min(cv2.min(red, green), blue), np.ones((patch, patch), np.uint8)), np.float32)


def airlight(picture: Plane, dark: Plane, *, top: float, darkest: float, brightest: float, tint: float) -> Light:
    """Estimate the colour of the haze, in steps of 1 / 255, from a picture (h, w, 3) and its dark channel (h, w).

    The mean colour of the `top` share of pixels that are brightest in the dark channel: a window must be bright all
    over to count, and many pixels vote, so that one bright roof or a glint does not pass for haze. Haze over land is
    neither dark, nor white as the top of a cloud, nor of strong colour: the mean of the channels is kept within darkest
    and brightest, and each channel within a share of `tint` of that mean.
    """
    count = max(1, round(top * dark.size))
    brightest_pixels = np.argpartition(dark.ravel(), -count)[-count:]
    colour = picture.reshape(-1, 3)[brightest_pixels].mean(axis=0)
    mean = float(colour.mean())
    shares = colour / mean if mean > 0 else np.ones(3)  # black is as grey as white
    kept = min(max(mean, darkest), brightest)
    red, green, blue = (round(255 * kept * min(max(float(one), 1 - tint), 1 + tint)) / 255 for one in shares)
    return red, green, blue


def transmission(relative: Plane, dark: Plane, *, colour: float, window: int, clear: float, opaque: float) -> Plane:
    """Estimate t from a picture relative to the airlight, (h, w, 3), and its dark channel (h, w); 1 is no haze.

    The veil 1 - t is the dark channel less `colour` times the colourfulness (the largest channel less the smallest
    one, averaged over a window), of which `clear` is what a picture without haze shows. Where t falls below `opaque`
    there is a cloud and no ground to bring back: t goes back to 1 there, to be reached at t = 0.
    """
    red, green, blue = cv2.split(relative)
    chroma = cv2.max(cv2.max(red, green), blue) - cv2.min(cv2.min(red, green), blue)
    grey = colour * cv2.blur(chroma, (window, window), borderType=cv2.BORDER_REFLECT)
    t = np.clip((1 - dark + grey) / np.float32(1 - clear), 0, 1)
    return np.asarray(1 - np.minimum(t / np.float32(opaque), 1) * (1 - t), np.float32)


def guided_filter(guide: Plane, plane: Plane, *, radius: int, epsilon: float) -> Plane:
    """Enlarge a plane to the size of a guide, smooth but along the guide's edges; both hold values on [0, 1].

    He, Sun, Fast guided filter, arXiv 1505.00996: the local line plane = a guide + b is fitted on the small plane and
    the guide shrunk to its size, over windows of `radius` of its pixels, and applied at full size.
    """
    height, width = plane.shape
    small = cv2.resize(guide, (width, height), interpolation=cv2.INTER_AREA)
    side = (2 * radius + 1, 2 * radius + 1)
    products = cv2.merge([small, plane, cv2.multiply(small, plane), cv2.multiply(small, small)])
    mean_guide, mean_plane, mean_product, mean_square = cv2.split(
        cv2.blur(products, side, borderType=cv2.BORDER_REFLECT)
    )
    covariance = mean_product - mean_guide * mean_plane
    variance = mean_square - mean_guide * mean_guide
    slope = covariance / (variance + np.float32(epsilon))
    offset = mean_plane - slope * mean_guide
    # One by one and in place: arrays of this size are given back to the system and faulted in again each time.
    full: Plane
    full, added = (
        np.asarray(cv2.resize(cv2.blur(one, side, borderType=cv2.BORDER_REFLECT), guide.shape[::-1]), np.float32)
        for one in (slope, offset)
    )
    full *= guide
    full += added
    return full


def _invert(rgb: Picture, t: Plane, light: Light) -> Picture:
    """Return (I - A) / t + A, rounded and kept within 0..255: I / t less A (1 / t - 1)."""
    gain = np.float32(1) / t
    lit = np.empty_like(t)
    channels = []
    for channel, value in zip(cv2.split(rgb), light, strict=True):
        cv2.multiply(channel, gain, dst=lit, dtype=cv2.CV_32F)
        channels.append(cv2.addWeighted(lit, 1, gain, -255 * value, 255 * value, dtype=cv2.CV_8U))
    return np.asarray(cv2.merge(channels), np.uint8)
