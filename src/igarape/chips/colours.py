"""From samples to upright RGB of 8 bits: which band is which, how bright is white, what alpha hides."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from igarape.chips.tif import (
    COMPRESSIONS,
    GREY_OR_RGB,
    PREMULTIPLIED,
    RGB,
    WHOLE,
    Header,
    Samples,
    not_read,
    read_samples,
)
from igarape.errors import InputError

Pixels = npt.NDArray[np.uint8]
Scalar = TypeVar("Scalar", bound=np.generic)

COLOURS = ("red", "green", "blue")
NIR = "nir"
MOST_PARTLY = 0.5  # of the pixels: a mask's edges may be soft
SAY = (
    "Say which is which: in the data set's YAML, such as source.bands: [blue, green, red, nir], or to igarape add, "
    "such as --bands blue,green,red,nir"
)


class NoMaskError(InputError):
    """What a header calls alpha hides nothing: it is a band like the others."""


def tif_pixels(data: bytes, header: Header, where: str, *, names: Sequence[str], white: int | None) -> Pixels | None:
    """Decode a TIF of 8 or 16 bits into upright RGB (height, width, 3); None where it is one for Pillow to read.

    Parameters
    ----------
    data, header
        The file, and what it says of itself.
    where
        What an error begins with.
    names
        As tif_colours takes them.
    white
        As narrow takes it.

    Raises
    ------
    InputError
        As tif_colours and read_samples do, and for what Pillow would read wrongly.
    """
    plain = header.photometric in GREY_OR_RGB
    if plain and header.bits in {8, 16} and header.compression in COMPRESSIONS:
        colours = tif_colours(read_samples(data, header, where), header, where, names=names)
        return upright(narrow(colours, white), header.orientation)
    # Pillow would narrow 16 bits, and know neither the names of bands nor a white.
    several = header.samples > len(COLOURS) or tuple(names) not in {(), COLOURS}
    if header.sample not in WHOLE or (plain and (header.bits == 16 or several)):
        raise not_read(header, where)
    return None


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
        When neither names nor header say which band is red, and for what the header calls alpha and is none.
    """
    alpha = header.alpha if not names else None
    count = header.samples - (alpha is not None)
    colours = samples[:, :, :count]
    if alpha not in {None, PREMULTIPLIED}:
        _check_mask(samples[:, :, count:], where)
        colours = on_black(colours, samples[:, :, count:])
    return colours[:, :, [0, 0, 0] if count == 1 else band_places(header, where, names=names, wanted=COLOURS)]


def _check_mask(alpha: Samples, where: str) -> None:
    """Refuse an alpha that shines through nearly everywhere: writers call any fourth band so, near-infrared too."""
    full = np.iinfo(alpha.dtype).max
    partly = float(((alpha > 0) & (alpha < full)).mean())
    if partly > MOST_PARTLY:
        raise NoMaskError(
            f"{where}: expected alpha to be a mask of 0 and {full}, found other values on {partly:.0%} of the pixels: "
            "its header calls a band alpha that is none",
            SAY,
        )


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
