"""Dehazing as its papers and the docstrings of chips/dehaze.py say it, in float64 and at full size: oracle and peer.

It is written to be right and plain, with OpenCV's filters for all windows. Nothing of chips/dehaze.py is used.
"""

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def dehaze(
    rgb: npt.NDArray[np.uint8],
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
) -> npt.NDArray[np.uint8]:
    """Return the picture without haze, uint8 (h, w, 3)."""
    hazy = rgb.astype(np.float64) / 255
    light = _airlight(hazy, patch, top, (darkest, brightest), tint)
    relative = hazy / light
    chroma = relative.max(axis=2) - relative.min(axis=2)
    grey = colour * _mean(chroma, window)
    t = np.clip((1 - _dark_channel(relative, patch) + grey) / (1 - clear), 0, 1)
    t = np.where(t < opaque, 1 - t / opaque * (1 - t), t)
    guide = hazy @ np.array([0.299, 0.587, 0.114])
    refined = np.clip(_guided_filter(guide, t, radius, epsilon), floor, 1)[:, :, None]
    if (t == 1).all():
        return rgb.copy()
    return np.rint(np.clip((hazy - light) / refined + light, 0, 1) * 255).astype(np.uint8)


def _dark_channel(image: Floats, patch: int) -> Floats:
    """He, Sun, Tang 2011, equation 5."""
    return np.asarray(cv2.erode(image.min(axis=2), np.ones((patch, patch))), np.float64)


def _airlight(hazy: Floats, patch: int, top: float, bounds: tuple[float, float], tint: float) -> Floats:
    """He, Sun, Tang 2011, section 4.3, with bounds; of pixels that are as dark, all count."""
    dark = _dark_channel(hazy, patch)
    last = np.sort(dark, axis=None)[-max(1, round(top * dark.size))]
    colour = hazy[dark >= last].mean(axis=0)
    mean = colour.mean()
    return np.asarray(np.clip(mean, *bounds) * np.clip(colour / mean, 1 - tint, 1 + tint), np.float64)


def _guided_filter(guide: Floats, plane: Floats, radius: int, epsilon: float) -> Floats:
    """He, Sun, Tang, Guided image filtering, TPAMI 2013, algorithm 1."""
    side = 2 * radius + 1
    mean_guide, mean_plane = _mean(guide, side), _mean(plane, side)
    covariance = _mean(guide * plane, side) - mean_guide * mean_plane
    slope = covariance / (_mean(guide * guide, side) - mean_guide**2 + epsilon)
    return _mean(slope, side) * guide + _mean(mean_plane - slope * mean_guide, side)


def _mean(plane: Floats, side: int) -> Floats:
    """Return the mean over a window of side x side pixels."""
    return np.asarray(cv2.blur(plane, (side, side), borderType=cv2.BORDER_REFLECT), np.float64)
