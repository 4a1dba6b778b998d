"""TIFs of several bands and of 16 bits, which the common readers narrow, reorder or refuse."""

import io
import logging
from dataclasses import dataclass
from math import isclose
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from igarape.errors import InputError

if TYPE_CHECKING:
    from tifffile import TiffPage

Samples = npt.NDArray[np.unsignedinteger[Any]]  # of 8 or 16 bits

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the last two: BigTIFF
# The codes of TIFF 6.0.
COMPRESSIONS = {1: "nothing", 5: "LZW", 8: "deflate", 32773: "PackBits", 32946: "deflate by its old number"}
WHOLE = ("bool", "uint8", "uint16")  # types of samples that pictures are made of
WHITE_IS_ZERO, RGB, GREY_OR_RGB = 0, 2, (0, 1, 2)  # of the photometric interpretation
PREMULTIPLIED, ALPHA = 1, (1, 2)  # of ExtraSamples
ORIENTATION = 274
MOST_SAMPLES = 16
# Of GeoTIFF 1.1 and EPSG: the unit, and the zones of UTM on WGS 84, NAD83 and SIRGAS 2000, whose unit it is. Other
# systems without a unit may be in feet.
METRE = 9001
UTM = (range(32601, 32661), range(32701, 32761), range(26901, 26924), range(31965, 31986))
SQUARE = 0.01


class _NoPicture(Exception):  # noqa: N818 - what the header says, for read_header's error
    """Sides or samples that no picture has."""


@dataclass(frozen=True)
class Header:
    """What a TIF says about its first picture.

    extra: the meaning of each sample beyond those of the photometric interpretation. rows, columns: of a tile, or of
    the picture. bits: of a sample that is an unsigned integer; 0 for any other. sample: of which type it is, as NumPy
    calls it.
    """

    width: int
    height: int
    bits: int
    sample: str
    samples: int
    extra: tuple[int, ...]
    photometric: int
    orientation: int
    compression: int
    rows: int
    columns: int

    @property
    def alpha(self) -> int | None:
        """The ExtraSamples code of an alpha channel that is the last sample; None where there is none."""
        return self.extra[-1] if self.extra and self.extra[-1] in ALPHA else None


def is_tif(data: bytes) -> bool:
    """Say whether the bytes begin as those of a TIF."""
    return data[:4] in MAGIC


def read_header(data: bytes, where: str) -> Header:
    """Read the header of the first picture; raise InputError when it is damaged, or says what no TIF may say."""
    try:
        return _header(_first_page(data))
    except _NoPicture as error:
        raise InputError(f"{where}: the TIF's header is damaged or cut short ({error})") from error
    except Exception as error:  # whatever a broken header trips the parser over, whose words may repeat the file's
        raise InputError(f"{where}: the TIF's header is damaged or cut short") from error


def _header(page: "TiffPage") -> Header:
    """Gather what matters of a page. A damaged header may hold anything: what should be a number is made one here."""
    width, height, samples = int(page.imagewidth), int(page.imagelength), int(page.samplesperpixel)
    if min(width, height, samples) < 1 or samples > MOST_SAMPLES or int(page.imagedepth) != 1:
        raise _NoPicture(f"{width} x {height} x {page.imagedepth} pixels of {samples} samples")
    orientation = page.tags.get(ORIENTATION)
    return Header(
        width=width,
        height=height,
        bits=int(page.bitspersample) if page.dtype is not None and page.dtype.kind == "u" else 0,
        sample=str(page.dtype),
        samples=samples,
        extra=tuple(int(code) for code in page.extrasamples),
        photometric=int(page.photometric),
        orientation=1 if orientation is None else int(orientation.value),
        compression=int(page.compression),
        rows=int(page.tilelength) or height,
        columns=int(page.tilewidth) or width,
    )


def metres_a_pixel(data: bytes, where: str) -> float | None:
    """Return the side of a pixel on the ground, as a GeoTIFF says it; None where it says none in metres, or no square.

    Raises InputError as read_header does.
    """
    try:
        keys: dict[str, Any] = _first_page(data).geotiff_tags or {}
        width, height = map(float, keys.get("ModelPixelScale", (0, 0))[:2])
        system, unit = (int(keys.get(key, 0)) for key in ("ProjectedCSTypeGeoKey", "ProjLinearUnitsGeoKey"))
    except Exception as error:  # as in read_header
        raise InputError(f"{where}: the TIF's header is damaged or cut short") from error
    in_metres = unit == METRE or (not unit and any(system in zones for zones in UTM))
    return width if in_metres and width > 0 and isclose(width, height, rel_tol=SQUARE) else None


def read_samples(data: bytes, header: Header, where: str) -> Samples:
    """Decode all samples of a TIF of 8 or 16 bits: an array of shape (height, width, samples), in the file's order.

    Black is 0 also where the file says that white is. Raises InputError for a kind of TIF that is not read, and for a
    damaged one.
    """
    if header.bits not in {8, 16} or header.compression not in COMPRESSIONS:
        raise not_read(header, where)
    shape = (header.height, header.width, header.samples)
    try:
        page = _first_page(data)
        samples = page.asarray(maxworkers=1)
        if page.axes.startswith("S"):  # the bands one after the other
            samples = np.moveaxis(samples, 0, -1)
        samples = samples.reshape(shape)
    except Exception as error:  # the decoders' complaints, which may repeat the file's words, and the arithmetic's
        raise InputError(f"{where}: the picture is damaged or cut short") from error
    whole: Samples = samples.astype(samples.dtype.newbyteorder("="), copy=False)
    return ~whole if header.photometric == WHITE_IS_ZERO else whole


def not_read(header: Header, where: str) -> InputError:
    """Return the error for a TIF whose samples or whose compression nobody here reads."""
    from tifffile import COMPRESSION

    known = {member.value: member.name for member in COMPRESSION}
    return InputError(
        f"{where}: expected a TIF of 8 or 16 bits a sample, without a sign, compressed by "
        f"{' or '.join(COMPRESSIONS.values())}; found samples of {header.sample}, compression "
        f"{known.get(header.compression, header.compression)}",
        "convert it first: fractions and negative numbers to uint16, reflectances from 0 to 1 times 10000",
    )


def _first_page(data: bytes) -> "TiffPage":
    """Parse the first directory of a TIF; its pixels are read from the same bytes."""
    from tifffile import TiffFile, logger  # a quarter of a second, for those who meet a TIF

    logger().setLevel(logging.CRITICAL)  # what is wrong with a file is said once, in the error
    page = TiffFile(io.BytesIO(data)).pages.first
    page.keyframe = page
    return page
