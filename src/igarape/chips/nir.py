"""Near-infrared: the planes that a network sees of a chip's four bands, and how well the bands lie over its picture."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from igarape.chips.pictures import Pixels

Bands = npt.NDArray[np.uint16]

_BLUE, GREEN, RED, NIR = range(4)


@dataclass(frozen=True)
class Shift:
    """By how many pixels the bands lie to the right of (dx) and below (dy) the picture; response: how sure that is.

    response: the share of the correlation that lies in its peak, in [0, 1].
    """

    dx: float
    dy: float
    response: float

    def far(self, *, pixels: float, response: float) -> bool:
        """Say whether the bands lie more than so many pixels off, or cannot be told to lie at their place."""
        return self.response < response or float(np.hypot(self.dx, self.dy)) > pixels


def planes(bands: Bands, *, white: int) -> Pixels:
    """Return near-infrared, NDVI and NDWI as a picture of three planes, uint8 (height, width, 3).

    bands: blue, green, red, near-infrared, uint16 (height, width, 4). white: the near-infrared value that becomes 255.
    NDVI = (NIR - R) / (NIR + R) (Rouse et al. 1974) and NDWI = (G - NIR) / (G + NIR) (McFeeters 1996), from -1..1 to
    0..255; where both bands are 0 an index is 0, the middle.
    """
    green, red, nir = (bands[:, :, band].astype(np.float32) for band in (GREEN, RED, NIR))
    indices = [np.rint(127.5 + 127.5 * _contrast(one, other)) for one, other in ((nir, red), (green, nir))]
    return np.dstack([np.rint(np.minimum(nir * (255 / white), 255)), *indices]).astype(np.uint8)


def _contrast(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return (one - other) / (one + other), 0 where both are 0."""
    total = one + other
    contrast = np.zeros_like(total)
    np.divide(one - other, total, out=contrast, where=total > 0)
    return contrast


def measure_shift(rgb: Pixels, bands: Bands) -> Shift:
    """Measure how far the bands lie from the picture that they should lie on, by phase correlation.

    rgb: uint8 (height, width, 3). bands: blue, green, red, near-infrared of the same height and width. The brightness
    of their visible part is compared with the picture's, within a Hann window (Kuglin, Hines, The phase correlation
    image alignment method, 1975). Where the response is low, dx and dy say nothing.
    """
    image = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    visible = cv2.cvtColor(bands[:, :, :NIR], cv2.COLOR_BGR2GRAY).astype(np.float32)
    window = cv2.createHanningWindow((image.shape[1], image.shape[0]), cv2.CV_32F)
    (dx, dy), response = cv2.phaseCorrelate(_centred(image), _centred(visible), window)
    return Shift(float(dx), float(dy), float(np.clip(response, 0, 1)))


def _centred(plane: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Subtract the mean, and divide by the spread where there is one: a flat plane correlates with nothing."""
    spread = plane.std()
    return np.asarray((plane - plane.mean()) / (spread if spread > 0 else 1), dtype=np.float32)
