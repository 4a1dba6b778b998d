"""TIFs as Planet's are: blue, green, red and near-infrared in 16 bits, of a place that a picture shows as well."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from igarape.chips.nir import Bands
from igarape.chips.pictures import Pixels

DARK = np.array([4000, 3400, 2200])  # of a black pixel: the air scatters blue light most
SPAN = 8000
NOISE = 60
LEAVES = 6400


def sensed(rgb: Pixels, seed: int = 0) -> Bands:
    """Return the bands (height, width, 4) of what a picture shows: another tone curve, noise, and green that shines."""
    rng = np.random.default_rng(seed)
    light = (rgb / 255) ** 1.6
    nir = LEAVES + 3000 * (light[:, :, 1] - light[:, :, 0])
    bands = np.dstack([DARK + SPAN * light[:, :, ::-1], nir]) + rng.normal(0, NOISE, (*rgb.shape[:2], 4))
    return bands.clip(0, 65535).round().astype(np.uint16)


def cut(scene: Pixels, *, margin: int, dx: int = 0, dy: int = 0) -> tuple[Pixels, Bands]:
    """Cut a chip out of a scene, and its bands so that they lie dx pixels to the right of it, and dy below it."""
    high, wide = scene.shape[0] - 2 * margin, scene.shape[1] - 2 * margin
    rows, columns = slice(margin - dy, margin - dy + high), slice(margin - dx, margin - dx + wide)
    return scene[margin : margin + high, margin : margin + wide].copy(), sensed(scene)[rows, columns].copy()


def written(bands: npt.NDArray[Any], **how: Any) -> bytes:
    """Write a TIF of bands (height, width, n); planarconfig="separate" lays them out one after the other."""
    file = io.BytesIO()
    laid = np.moveaxis(bands, 2, 0) if how.get("planarconfig") == "separate" else bands
    tifffile.imwrite(file, laid, **{"photometric": "minisblack", "planarconfig": "contig"} | how)
    return file.getvalue()
