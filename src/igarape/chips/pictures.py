"""What a chip's bytes show: decode and encode pictures, resize them, turn and mirror them."""

import io
from pathlib import PurePath
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from igarape.chips.tif import (
    COMPRESSIONS,
    GREY_OR_RGB,
    PREMULTIPLIED,
    Header,
    Samples,
    is_tif,
    read_header,
    read_samples,
)
from igarape.errors import InputError

Pixels = npt.NDArray[np.uint8]
Scalar = TypeVar("Scalar", bound=np.generic)

MAX_BYTES = 64 * 2**20
MAX_SIDE = 4096
NAMED = (".jpg", ".jpeg", ".png", ".tif", ".tiff")
_SIGNATURES = {b"\xff\xd8\xff": "jpg", b"\x89PNG\r\n\x1a\n": "png"}
_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr")
_PNG_DEPTH = 24  # offset of the byte in a PNG's first chunk that holds the bits per sample
_ORIENTATION = 274  # the EXIF tag


def decode(data: bytes, where: str) -> Pixels:
    """Decode a JPEG, PNG or TIF into upright RGB of shape (height, width, 3).

    16 bits become 8 linearly: 65535 is 255. What an alpha channel hides is black, as if laid on black. A TIF of four
    bands and no alpha holds blue, green, red and near-infrared, as Planet's do. Raises InputError that names `where`
    for bytes that are no such picture, a truncated one, or one that is too large; the bounds are checked on the
    header, before any pixel is decoded.
    """
    _check_bytes(data, where)
    kind = suffix(data, where)
    if kind == "tif":
        header = _tif_header(data, where)
        if header.photometric in GREY_OR_RGB and header.bits in {8, 16} and header.compression in COMPRESSIONS:
            return _upright(_narrow(_tif_colours(data, header, where)), header.orientation)
    image = _open(data, where)
    try:
        image.load()
        deep = kind == "png" and data[_PNG_DEPTH] == 16
        rgb = _narrow(_deep_png(data, image)) if deep else _rgb(image)
        return _upright(rgb, image.getexif().get(_ORIENTATION, 1))
    except Exception as error:  # Pillow's decoders raise whatever a broken file trips them over
        raise InputError(f"{where}: the picture is damaged or cut short ({error})") from error


def bands(data: bytes, where: str) -> npt.NDArray[np.uint16]:
    """Decode a TIF of four bands into uint16 of shape (height, width, 4), in the file's order.

    Planet's order is blue, green, red, near-infrared. 8 bits are scaled, so that 255 becomes 65535. Whether the header
    calls the fourth band alpha, as some writers do, makes no difference. Raises InputError as decode does, and for
    another number of bands.
    """
    _check_bytes(data, where)
    kind = suffix(data, where)
    if kind != "tif":
        raise InputError(f"{where}: expected a TIF of four bands, found a {kind}")
    header = _tif_header(data, where)
    if header.samples != 4:
        raise InputError(f"{where}: expected a TIF of four bands, near-infrared the last, found {header.samples}")
    samples = read_samples(data, header, where)
    return _upright(samples.astype(np.uint16) * (257 if header.bits == 8 else 1), header.orientation)


def _check_bytes(data: bytes, where: str) -> None:
    if len(data) > MAX_BYTES:
        raise InputError(f"{where}: expected a picture of at most {MAX_BYTES // 2**20} MB, found a larger file")


def _open(data: bytes, where: str) -> Image.Image:
    """Read the header of a picture and check that it is one we take; no pixel is decoded yet."""
    try:
        image = Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "TIFF"))
    except Image.DecompressionBombError as error:
        raise InputError(f"{where}: expected at most {MAX_SIDE} pixels a side; {error}") from error
    except Exception as error:
        raise InputError(f"{where}: the picture's header is damaged or cut short ({error})") from error
    _check_sides(image.width, image.height, where)
    if image.mode not in _MODES and not image.mode.startswith("I;16"):
        raise InputError(f"{where}: expected 8 or 16 bits per channel, found mode {image.mode}. Convert it first")
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
        return _narrow(_on_black(rgba[:, :, :3], rgba[:, :, 3:]))
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
    return colours if pixels.shape[2] == 3 else _on_black(colours, pixels[:, :, 3:])


def _tif_colours(data: bytes, header: Header, where: str) -> Samples:
    """Return the colours of a TIF as RGB, of as many bits as it has."""
    count = header.samples - (header.alpha is not None)
    if count not in {1, 3, 4}:
        raise InputError(f"{where}: expected 1, 3 or 4 bands besides alpha, found {count}. Convert it first")
    samples = read_samples(data, header, where)
    colours = samples[:, :, :count]
    if header.alpha not in {None, PREMULTIPLIED}:
        colours = _on_black(colours, samples[:, :, count:])
    return colours[:, :, {1: [0, 0, 0], 3: [0, 1, 2], 4: [2, 1, 0]}[count]]


def _on_black(colours: Samples, alpha: Samples) -> Samples:
    """Lay colours of shape (h, w, n) on black: what alpha (h, w, 1) hides is black, whatever colour lies under it."""
    full = np.iinfo(colours.dtype).max
    laid = (colours.astype(np.uint32) * alpha + full // 2) // full
    return laid.astype(colours.dtype)


def _narrow(samples: Samples) -> Pixels:
    """Scale 16 bits to 8, rounded; leave 8 bits as they are."""
    return (samples if samples.dtype == np.uint8 else (samples.astype(np.uint32) + 128) // 257).astype(
        np.uint8, copy=False
    )


def _upright(image: npt.NDArray[Scalar], orientation: int) -> npt.NDArray[Scalar]:
    """Turn and mirror a picture of shape (h, w, n) as its EXIF orientation, 1 to 8, asks."""
    if orientation in {5, 6, 7, 8}:
        image = image.swapaxes(0, 1)
    if orientation in {2, 3, 6, 7}:
        image = image[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        image = image[::-1]
    return np.ascontiguousarray(image)


def suffix(data: bytes, where: str) -> str:
    """Return the file suffix of the picture's real format, whatever its file was called: jpg, png or tif."""
    if is_tif(data):
        return "tif"
    for signature, name in _SIGNATURES.items():
        if data.startswith(signature):
            return name
    found = "an empty file" if not data else f"{len(data)} bytes that are neither"
    raise InputError(f"{where}: expected a JPEG, PNG or TIF, found {found}")


def stem(name: str) -> str:
    """Return a file's name without the suffix of a picture; a name without one is returned as it is."""
    path = PurePath(name)
    return name[: -len(path.suffix)] if path.suffix.lower() in NAMED else name


def encode_jpeg(rgb: Pixels, quality: int) -> bytes:
    """Encode RGB of shape (height, width, 3) as a three-component JPEG; the same pixels give the same bytes."""
    _, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.tobytes()


def resize(rgb: Pixels, size: int) -> Pixels:
    """Resize RGB to (size, size, 3): the mean over pixels when it shrinks, bilinear when it grows."""
    if rgb.shape[:2] == (size, size):
        return rgb
    how = cv2.INTER_AREA if size < max(rgb.shape[:2]) else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(rgb, (size, size), interpolation=how), dtype=np.uint8)


def is_flat(rgb: Pixels) -> bool:
    """Say whether a picture shows one colour only: black where a decoder failed, or nothing at all."""
    return bool((rgb == rgb[0, 0]).all())


def symmetries(batch: npt.NDArray[Scalar]) -> list[npt.NDArray[Scalar]]:
    """Return the eight ways to turn and mirror square pictures of shape (n, h, w, c), the identity first."""
    mirrored = batch[:, :, ::-1]
    return [np.rot90(view, turns, axes=(1, 2)) for view in (batch, mirrored) for turns in range(4)]
