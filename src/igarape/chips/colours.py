"""From samples to upright RGB of 8 bits: which band is which, how bright is white, what alpha hides."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from igarape.chips.tif import PREMULTIPLIED, RGB, Header, Samples
from igarape.errors import InputError

Pixels = npt.NDArray[np.uint8]
Scalar = TypeVar("Scalar", bound=np.generic)

COLOURS = ("red", "green", "blue")
NIR = "nir"
SAY = (
    "Say which is which: in the data set's YAML, such as source.bands: [blue, green, red, nir], or to igarape add, "
    "such as --bands blue,green,red,nir"
)


def tif_colours(samples: Samples, header: Header, where: str, *, names: Sequence[str]) -> Samples:
    """Return the colours among the samples of a TIF as RGB.

    Parameters
    ----------
    samples
        Of shape (height, width, samples).
    header
        What the TIF says of itself.
    where
        What an error begins with.
    names
        What the bands are called, in the file's order; empty where only the header is asked.

    Returns
    -------
    Samples
        Of shape (height, width, 3), of as many bits as the samples have.

    Raises
    ------
    InputError
        When neither names nor header say which band is red.
    """
    alpha = header.alpha if not names else None
    count = header.samples - (alpha is not None)
    colours = samples[:, :, :count]
    if alpha not in {None, PREMULTIPLIED}:
        colours = on_black(colours, samples[:, :, count:])
    return colours[:, :, [0, 0, 0] if count == 1 else band_places(header, where, names=names, wanted=COLOURS)]


def band_places(header: Header, where: str, *, names: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Return at which places of a TIF's samples some bands lie, by their names or else by its header.

    Parameters
    ----------
    header
        What the TIF says of itself.
    where
        What an error begins with.
    names
        What the bands are called, in the file's order; empty where only the header is asked.
    wanted
        The bands that are looked for.

    Raises
    ------
    InputError
        When there are not as many bands as names, and for a wanted band that neither names nor header know.
    """
    if names and len(names) != header.samples:
        raise InputError(f"{where}: expected {len(names)} bands, {', '.join(names)}, found {header.samples}", SAY)
    # Three bands without a word are red, green, blue everywhere; beyond three, only a header that says RGB tells.
    known = header.photometric == RGB or header.samples - (header.alpha is not None) == len(COLOURS)
    said = list(names) or ([*COLOURS, NIR][: header.samples] if known else [])
    missing = [band for band in wanted if band not in said]
    if missing:
        raise InputError(
            f"{where}: expected bands whose colours are known; found {header.samples}, and nothing says which of them "
            f"is {missing[0]}",
            SAY,
        )
    return [said.index(band) for band in wanted]


def on_black(colours: Samples, alpha: Samples) -> Samples:
    """Lay colours of shape (h, w, n) on black: what alpha (h, w, 1) hides is black, whatever colour lies under it."""
    full = np.iinfo(colours.dtype).max
    laid = (colours.astype(np.uint32) * alpha + full // 2) // full
    return laid.astype(colours.dtype)


def narrow(samples: Samples, white: int | None = None) -> Pixels:
    """Scale 16 bits to 8, rounded, so that white (65535 where none is given) is 255; leave 8 bits as they are."""
    if samples.dtype == np.uint8:
        return samples.astype(np.uint8, copy=False)
    if white is None:
        return ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return ((np.minimum(samples, white).astype(np.uint32) * 510 + white) // (2 * white)).astype(np.uint8)


def upright(image: npt.NDArray[Scalar], orientation: int) -> npt.NDArray[Scalar]:
    """Turn and mirror a picture of shape (h, w, n) as its EXIF orientation, 1 to 8, asks."""
    if orientation in {5, 6, 7, 8}:
        image = image.swapaxes(0, 1)
    if orientation in {2, 3, 6, 7}:
        image = image[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        image = image[::-1]
    return np.ascontiguousarray(image)
