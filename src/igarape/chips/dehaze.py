"""Haze removal by the dark channel prior.

He, Sun, Tang, Single image haze removal using dark channel prior, TPAMI 2011.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from igarape.chips.pictures import Picture, is_flat

Plane = npt.NDArray[np.float32]

# Below this a division by the airlight would blow noise up: no hazy sky is that dark.
DARKEST_AIRLIGHT = 0.1


@dataclass(frozen=True)
class Quality:
    """What dehazing found in a chip and did to it.

    airlight: colour of the haze (red, green, blue in [0, 1]). mean_t: mean transmission in [0, 1], 1 is no haze.
    change: mean absolute change of a pixel's channel, in grey levels of 255.
    """

    airlight: tuple[float, float, float]
    mean_t: float
    change: float


def dehaze(
    rgb: Picture,
    *,
    patch: int,
    omega: float,
    floor: float,
    top: float,
    radius: int,
    epsilon: float,
    subsample: int,
) -> tuple[Picture, Quality]:
    """Invert I = J t + A (1 - t): return the clear picture J of shape (height, width, 3), and what was found.

    patch: side of the dark channel's window in pixels. omega: share of the haze removed. floor: the smallest t that is
    divided by. top: share of pixels, by dark channel, that the airlight is taken from. radius (pixels), epsilon
    (intensities on [0, 1]), subsample: the guided filter that refines t. A picture of one colour is returned as it is.
    """
    light = airlight(rgb, patch=patch, top=top)
    if is_flat(rgb):
        return rgb.copy(), Quality((float(light[0]), float(light[1]), float(light[2])), mean_t=1.0, change=0.0)
    # dark(I / A): the 255 turns A into grey levels, and a minimum over channels is a minimum over planes.
    relative = np.float32(1) / (255 * light)
    planes = [np.multiply(rgb[:, :, channel], relative[channel], dtype=np.float32) for channel in range(3)]
    rough = np.asarray(1 - omega * _darkest(planes, patch), dtype=np.float32)
    guide = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255)
    refined = guided_filter(guide, rough, radius=radius, epsilon=epsilon, subsample=subsample)
    t = np.clip(refined, floor, 1)
    # (I - A) / t + A, in grey levels, in place.
    clear = rgb.astype(np.float32)
    clear -= 255 * light
    clear /= t[:, :, np.newaxis]
    clear += 255 * light
    result = np.clip(np.rint(clear), 0, 255).astype(np.uint8)
    change = float(cv2.norm(rgb, result, cv2.NORM_L1)) / rgb.size
    return result, Quality((float(light[0]), float(light[1]), float(light[2])), float(t.mean()), change)


def _darkest(planes: Sequence[npt.NDArray[Any]], patch: int) -> npt.NDArray[Any]:
    """Return the dark channel: the minimum over the planes and over a patch x patch window (cut at the border)."""
    lowest = cv2.min(cv2.min(planes[0], planes[1]), planes[2])
    return cv2.erode(lowest, cv2.getStructuringElement(cv2.MORPH_RECT, (patch, patch)))


def airlight(rgb: Picture, *, patch: int, top: float) -> Plane:
    """Estimate the colour of the haze, of shape (3,) in [0.1, 1].

    The mean colour of the `top` share of pixels that are brightest in the dark channel: a window must be bright all
    over to count, and many pixels vote, so that one bright roof or a glint does not pass for haze.
    """
    dark = _darkest(cv2.split(rgb), patch)
    count = max(1, round(top * dark.size))
    brightest_first = np.bincount(dark.ravel(), minlength=256)[::-1].cumsum()
    threshold = 255 - int(np.searchsorted(brightest_first, count))
    mean = cv2.mean(rgb, mask=(dark >= threshold).astype(np.uint8))[:3]
    return np.clip(np.array(mean, dtype=np.float32) / 255, DARKEST_AIRLIGHT, 1)


def guided_filter(guide: Plane, plane: Plane, *, radius: int, epsilon: float, subsample: int) -> Plane:
    """Smooth a plane along the edges of a guide, both of shape (height, width) on [0, 1].

    He, Sun, Fast guided filter, arXiv 1505.00996: the local line plane = a guide + b is fitted on both shrunk by
    `subsample`, and applied at full size.
    """
    height, width = guide.shape
    small = (max(1, width // subsample), max(1, height // subsample))
    guide_small = cv2.resize(guide, small, interpolation=cv2.INTER_AREA)
    plane_small = cv2.resize(plane, small, interpolation=cv2.INTER_AREA)
    side = 2 * max(1, radius // subsample) + 1

    def mean(values: npt.NDArray[Any]) -> Plane:
        return np.asarray(cv2.boxFilter(values, -1, (side, side), borderType=cv2.BORDER_REFLECT), dtype=np.float32)

    mean_guide, mean_plane = mean(guide_small), mean(plane_small)
    covariance = mean(guide_small * plane_small) - mean_guide * mean_plane
    variance = mean(guide_small * guide_small) - mean_guide * mean_guide
    slope = covariance / (variance + np.float32(epsilon))
    offset = mean_plane - slope * mean_guide
    slope_full = cv2.resize(mean(slope), (width, height), interpolation=cv2.INTER_LINEAR)
    offset_full = cv2.resize(mean(offset), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(slope_full * guide + offset_full, dtype=np.float32)
