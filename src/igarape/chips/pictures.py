"""What a chip's bytes show: decode and encode pictures, resize them, turn and mirror them."""

import io
from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from igarape.chips.colours import (
    COLOURS,
    NIR,
    Pixels,
    Scalar,
    band_places,
    narrow,
    on_black,
    tif_pixels,
    upright,
)
from igarape.chips.formats import suffix
from igarape.chips.tif import COMPRESSIONS, RGB, Header, Samples, not_read, read_header, read_samples
from igarape.errors import InputError, reason

__all__ = [  # and what those who deal with pictures find here too
    "Pixels",
    "Resize",
    "bands",
    "decode",
    "encode_jpeg",
    "encode_png",
    "is_deep",
    "is_flat",
    "resize",
    "symmetries",
    "to_size",
]

Resize = Literal["fit", "crop", "pad", "refuse"]

MAX_BYTES = 64 * 2**20
MAX_SIDE = 4096
PLANETS = ("blue", "green", "red", "nir")  # as the competition's TIFs are, which say nothing about it
_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr")
_PNG_DEPTH = 24  # offset of the byte in a PNG's first chunk that holds the bits per sample
_ORIENTATION = 274  # the EXIF tag


def decode(data: bytes, where: str, *, bands: Sequence[str] = (), white: int | None = None) -> Pixels:
    """Decode a JPEG, PNG or TIF into upright RGB of shape (height, width, 3).

    16 bits become 8 linearly. What an alpha channel hides is black, as if laid on black. The bounds are checked on the
    header, before any pixel is decoded.

    Parameters
    ----------
    data
        What the file holds.
    where
        What an error begins with.
    bands
        Names of a TIF's bands, in its order; without them its header tells which is red.
    white
        Of 16 bits, the value that becomes 255; None: 65535.

    Raises
    ------
    InputError
        For bytes that are no such picture, a truncated one, one that is too large, and a TIF whose colours nobody
        names.
    """
    _check_bytes(data, where)
    kind = suffix(data, where)
    header = _tif_header(data, where) if kind == "tif" else None
    if header and (rgb := tif_pixels(data, header, where, names=bands, white=white)) is not None:
        return rgb
    try:
        image = _open(data, where)
    except InputError as error:
        if header and header.compression not in COMPRESSIONS:  # a sound file that Pillow does not read either
            raise not_read(header, where) from error
        raise
    try:
        image.load()
        rgb = narrow(_deep_png(data, image), white) if is_deep(data) and kind == "png" else _rgb(image)
        return upright(rgb, image.getexif().get(_ORIENTATION, 1))
    except Exception as error:  # Pillow's decoders raise whatever a broken file trips them over
        raise InputError(f"{where}: the picture is damaged or cut short ({reason(error)})") from error


def is_deep(data: bytes) -> bool:
    """Say whether a picture has 16 bits a sample, so that a white has a say."""
    kind = suffix(data, "picture")
    if kind == "tif":
        return read_header(data, "picture").bits == 16
    return kind == "png" and len(data) > _PNG_DEPTH and data[_PNG_DEPTH] == 16


def bands(data: bytes, where: str, names: Sequence[str] = ()) -> npt.NDArray[np.uint16]:
    """Decode a TIF into blue, green, red, near-infrared: uint16 of shape (height, width, 4).

    8 bits are scaled, so that 255 becomes 65535. names: of the TIF's bands, in its order. Without them the header
    counts: RGB means red, green, blue and then near-infrared, anything else Planet's order. Whether the header calls a
    fourth band alpha, as some writers do, makes no difference. Raises InputError as decode does, and for too few bands.
    """
    _check_bytes(data, where)
    kind = suffix(data, where)
    if kind != "tif":
        raise InputError(f"{where}: expected a TIF of four bands, found a {kind}")
    header = _tif_header(data, where)
    if not names and header.samples != len(PLANETS):
        raise InputError(f"{where}: expected a TIF of four bands, near-infrared the last, found {header.samples}")
    named = names or ([*COLOURS, NIR] if header.photometric == RGB else PLANETS)
    places = band_places(header, where, names=named, wanted=PLANETS)
    samples = read_samples(data, header, where)[:, :, places]
    return upright(samples.astype(np.uint16) * (257 if header.bits == 8 else 1), header.orientation)


def _check_bytes(data: bytes, where: str) -> None:
    if len(data) > MAX_BYTES:
        raise InputError(f"{where}: expected a picture of at most {MAX_BYTES // 2**20} MB, found a larger file")


def _open(data: bytes, where: str) -> Image.Image:
    """Read the header of a picture and check that it is one we take; no pixel is decoded yet."""
    try:
        image = Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "TIFF"))
    except Image.DecompressionBombError as error:
        raise InputError(f"{where}: expected at most {MAX_SIDE} pixels a side; {reason(error)}") from error
    except Exception as error:
        raise InputError(f"{where}: the picture's header is damaged or cut short ({reason(error)})") from error
    _check_sides(image.width, image.height, where)
    if image.mode not in _MODES and not image.mode.startswith("I;16"):
        raise InputError(f"{where}: expected 8 or 16 bits per channel, found mode {image.mode}", "convert it first")
    return image


def _tif_header(data: bytes, where: str) -> Header:
    """Read the header of a TIF and check its sides, and those of its tiles."""
    header = read_header(data, where)
    _check_sides(max(header.width, header.columns), max(header.height, header.rows), where)
    return header


def _check_sides(width: int, height: int, where: str) -> None:
    if max(width, height) > MAX_SIDE:
        raise InputError(f"{where}: expected at most {MAX_SIDE} pixels a side, found {width} x {height}")


def _rgb(image: Image.Image) -> Pixels:
    """Return the pixels of a decoded picture of 8 bits as RGB."""
    if image.has_transparency_data:
        rgba: Pixels = np.asarray(image.convert("RGBA"))
        return narrow(on_black(rgba[:, :, :3], rgba[:, :, 3:]))
    # Planet's original JPEGs have four components (R, G, B, 255): Pillow opens them as CMYK and inverts them as Adobe
    # does, so its conversion gives the colours that were meant.
    return np.array(image if image.mode == "RGB" else image.convert("RGB"))


def _deep_png(data: bytes, image: Image.Image) -> Samples:
    """Return RGB of 16 bits: OpenCV keeps them, where Pillow, which has found the file to be whole, keeps 8."""
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None:
        raise ValueError("its 16 bits cannot be read")
    pixels = decoded.astype(np.uint16, copy=False)
    if pixels.ndim == 2:
        seen = pixels != image.info.get("transparency", -1)  # one shade may stand for transparent
        return np.repeat((pixels * seen)[:, :, None], 3, axis=2)
    colours = pixels[:, :, 2::-1]
    return colours if pixels.shape[2] == 3 else on_black(colours, pixels[:, :, 3:])


def encode_jpeg(rgb: Pixels, quality: int) -> bytes:
    """Encode RGB of shape (height, width, 3) as a three-component JPEG; the same pixels give the same bytes."""
    _, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.tobytes()


def encode_png(image: Pixels) -> bytes:
    """Encode a picture of three planes without loss; the same pixels give the same bytes."""
    # Run lengths: noise has little else to find, and looking for more takes thrice the time.
    how = [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE, cv2.IMWRITE_PNG_COMPRESSION, 6]
    _, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), how)
    return data.tobytes()


def resize(rgb: Pixels, size: int) -> Pixels:
    """Resize RGB to (size, size, 3): the mean over pixels when it shrinks, bilinear when it grows."""
    return rgb if rgb.shape[:2] == (size, size) else _scaled(rgb, size, size)


def to_size(image: Pixels, size: int, *, resize: Resize, where: str = "picture") -> Pixels:
    """Bring a picture to (size, size, 3), as its data set says.

    Parameters
    ----------
    image
        The picture, of any sides.
    size
        The side that is wanted, in pixels.
    resize
        fit scales each side by itself; crop scales the shorter side and cuts the middle out; pad scales the longer side
        and lays the picture on the middle of black; refuse takes no other size.
    where
        What an error begins with.

    Raises
    ------
    InputError
        Where resize is refuse, for any other size.
    """
    height, width = image.shape[:2]
    if (height, width) == (size, size):
        return image
    if resize == "refuse":
        raise InputError(f"{where}: expected {size} x {size}, found {width} x {height}")
    if resize == "fit":
        return _scaled(image, size, size)
    factor = size / (min(height, width) if resize == "crop" else max(height, width))
    scaled = _scaled(image, max(1, round(height * factor)), max(1, round(width * factor)))
    rows, columns = (abs(side - size) // 2 for side in scaled.shape[:2])
    if resize == "crop":
        return np.ascontiguousarray(scaled[rows : rows + size, columns : columns + size])
    laid = np.zeros((size, size, 3), dtype=np.uint8)
    laid[rows : rows + scaled.shape[0], columns : columns + scaled.shape[1]] = scaled
    return laid


def _scaled(image: Pixels, height: int, width: int) -> Pixels:
    """Scale both sides of a picture: the mean over pixels where one shrinks, bilinear otherwise."""
    shrinks = height < image.shape[0] or width < image.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=how), dtype=np.uint8)


def is_flat(rgb: Pixels) -> bool:
    """Say whether a picture shows one colour only: black where a decoder failed, or nothing at all."""
    return bool((rgb == rgb[0, 0]).all())


def symmetries(batch: npt.NDArray[Scalar]) -> list[npt.NDArray[Scalar]]:
    """Return the eight ways to turn and mirror square pictures of shape (n, h, w, c), the identity first."""
    mirrored = batch[:, :, ::-1]
    return [np.rot90(view, turns, axes=(1, 2)) for view in (batch, mirrored) for turns in range(4)]
