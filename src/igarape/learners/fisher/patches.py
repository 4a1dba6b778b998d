"""Descriptors of a chip's patches: its colours and textures at places side by side, each with what lies around it."""

import cv2
import numpy as np
import numpy.typing as npt

from igarape.chips.pictures import Pixels
from igarape.learners.trees.planes import COLOURS, TEXTURE, Texture, colour_planes, grey_plane, hsv_planes

Descriptors = npt.NDArray[np.float32]

CELL = 4  # pixels to the side of a place
WINDOWS = (1, 3, 5)  # places to the side of what is described of each: itself, and two surroundings
SEEN = ("redness", "yellowness", "saturation", "darkest", "excess_green")  # of the colours, beside grey
WIDTH = 2 * len(WINDOWS) * (1 + len(SEEN) + len(TEXTURE))  # of a descriptor


def descriptors(rgb: Pixels) -> Descriptors:
    """Return the descriptor of each place of a chip: float32 (places, WIDTH).

    That is the mean and the standard deviation of each plane in each of the windows. A chip turned or mirrored has the
    same descriptors, to the last bit, in another order: the sums are exact.

    rgb: uint8 (size, size, 3), size a multiple of CELL.
    """
    planes = _planes(rgb)
    cells = (planes.shape[1] // CELL, planes.shape[0] // CELL)
    means, squares = (cv2.resize(each, cells, interpolation=cv2.INTER_AREA) for each in (planes, planes * planes))
    both = np.concatenate([means, squares], axis=2).astype(np.float64)
    found = []
    for window in WINDOWS:
        around = cv2.boxFilter(both, cv2.CV_64F, (window, window), normalize=False, borderType=cv2.BORDER_REFLECT)
        mean, square = np.split(np.asarray(around) / window**2, 2, axis=2)
        found += [mean, np.sqrt(np.maximum(square - mean * mean, 0.0))]
    return np.concatenate(found, axis=2).astype(np.float32).reshape(-1, WIDTH)


def _planes(rgb: Pixels) -> npt.NDArray[np.float32]:
    """Return what is looked at of a chip, pixel by pixel: float32 (size, size, planes)."""
    colours = dict(zip(COLOURS, colour_planes(rgb, hsv_planes(rgb)), strict=True))
    grey = grey_plane(rgb)
    return np.dstack([grey, *(colours[name] for name in SEEN), *Texture.of(grey).planes]).astype(np.float32)
