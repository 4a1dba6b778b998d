"""What a chip's bytes show: decode and encode pictures, resize them, turn and mirror them."""

import io
from pathlib import PurePath
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, TiffImagePlugin

from igarape.errors import InputError

Picture = npt.NDArray[np.uint8]
Scalar = TypeVar("Scalar", bound=np.generic)

MAX_BYTES = 64 * 2**20
MAX_SIDE = 4096
SUFFIXES = {"JPEG": "jpg", "MPO": "jpg", "PNG": "png", "TIFF": "tif"}
NAMED = (".jpg", ".jpeg", ".png", ".tif", ".tiff")
_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr")
_PNG_DEPTH = 24  # offset of the byte in a PNG's first chunk that holds the bits per sample
_TIFF_DEPTH = 258  # the TIFF tag BitsPerSample


def decode(data: bytes, where: str) -> Picture:
    """Decode a JPEG, PNG or 8-bit TIF into RGB of shape (height, width, 3).

    Raises InputError that names `where` for bytes that are no such picture, a truncated one, one of 16 bit, or one
    that is too large; the bounds are checked on the header, before any pixel is decoded.
    """
    image = _open(data, where)
    try:
        # Planet's original JPEGs have four components (R, G, B, 255): Pillow opens them as CMYK and inverts them as
        # Adobe does, so its conversion gives the colours that were meant.
        return np.array(image.convert("RGB"))
    except Exception as error:  # Pillow's decoders raise whatever a broken file trips them over
        raise InputError(f"{where}: the picture is damaged or cut short ({error})") from error


def _open(data: bytes, where: str) -> Image.Image:
    """Read the header of a picture and check that it is one we take; no pixel is decoded yet."""
    if len(data) > MAX_BYTES:
        raise InputError(f"{where}: expected a picture of at most {MAX_BYTES // 2**20} MB, found a larger file")
    try:
        image = Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "TIFF"))
        depth = _depth(image, data)
    except Image.DecompressionBombError as error:
        raise InputError(f"{where}: expected at most {MAX_SIDE} pixels a side; {error}") from error
    except Exception as error:
        found = "an empty file" if not data else f"{len(data)} bytes that are neither"
        raise InputError(f"{where}: expected a JPEG, PNG or TIF, found {found}") from error
    if max(image.size) > MAX_SIDE:
        raise InputError(f"{where}: expected at most {MAX_SIDE} pixels a side, found {image.width} x {image.height}")
    if depth > 8 or image.mode not in _MODES:
        raise InputError(f"{where}: expected 8 bits per channel, found {depth} (mode {image.mode}). Convert it first")
    return image


def _depth(image: Image.Image, data: bytes) -> int:
    """Return the largest bits per sample that the header states: Pillow itself narrows 16 bits without a word."""
    if image.format == "PNG":
        return data[_PNG_DEPTH]
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return int(max(image.tag_v2.get(_TIFF_DEPTH, (1,))))
    return 8


def suffix(data: bytes, where: str) -> str:
    """Return the file suffix of the picture's real format, whatever its file was called: jpg, png or tif."""
    return SUFFIXES[str(_open(data, where).format)]


def stem(name: str) -> str:
    """Return a file's name without the suffix of a picture; a name without one is returned as it is."""
    path = PurePath(name)
    return name[: -len(path.suffix)] if path.suffix.lower() in NAMED else name


def encode_jpeg(rgb: Picture, quality: int) -> bytes:
    """Encode RGB of shape (height, width, 3) as a three-component JPEG; the same pixels give the same bytes."""
    _, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.tobytes()


def resize(rgb: Picture, size: int) -> Picture:
    """Resize RGB to (size, size, 3): the mean over pixels when it shrinks, bilinear when it grows."""
    if rgb.shape[:2] == (size, size):
        return rgb
    how = cv2.INTER_AREA if size < max(rgb.shape[:2]) else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(rgb, (size, size), interpolation=how), dtype=np.uint8)


def is_flat(rgb: Picture) -> bool:
    """Say whether a picture shows one colour only: black where a decoder failed, or nothing at all."""
    return bool((rgb == rgb[0, 0]).all())


def symmetries(batch: npt.NDArray[Scalar]) -> list[npt.NDArray[Scalar]]:
    """Return the eight ways to turn and mirror square pictures of shape (n, h, w, c), the identity first."""
    mirrored = batch[:, :, ::-1]
    return [np.rot90(view, turns, axes=(1, 2)) for view in (batch, mirrored) for turns in range(4)]
