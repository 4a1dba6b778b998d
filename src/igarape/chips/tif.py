"""TIFs of several bands and of 16 bits, which the common readers narrow, reorder or refuse.

Pillow reads the header, and libtiff (through Pillow) undoes the compression; the samples are laid out here.
"""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from igarape.errors import InputError

Samples = npt.NDArray[np.unsignedinteger[Any]]  # of 8 or 16 bits

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the last two: BigTIFF
COMPRESSIONS = {1: "nothing", 5: "LZW", 8: "deflate", 32773: "PackBits", 32946: "deflate by its old number"}
PLAIN, HORIZONTAL, UNSIGNED, SEPARATE = 1, 2, 1, 2
WHITE_IS_ZERO, GREY_OR_RGB = 0, (0, 1, 2)  # of the photometric interpretation
PREMULTIPLIED, ALPHA = 1, (1, 2)  # of ExtraSamples
MOST_SAMPLES = 16
# The tags that are read (TIFF 6.0, section 8).
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, ORIENTATION = 256, 257, 258, 259, 262, 274
STRIP_OFFSETS, SAMPLES, STRIP_ROWS, STRIP_COUNTS, PLANAR, PREDICTOR = 273, 277, 278, 279, 284, 317
TILE_WIDTH, TILE_ROWS, TILE_OFFSETS, TILE_COUNTS, EXTRA, FORMAT = 322, 323, 324, 325, 338, 339


@dataclass(frozen=True)
class Header:
    """What a TIF says about its first picture.

    extra: the meaning of each sample beyond those of the photometric interpretation. rows, columns: of a block (a strip
    or a tile). blocks: offset and length of each, in bytes. order: "<" or ">", the byte order.
    """

    width: int
    height: int
    bits: int
    samples: int
    extra: tuple[int, ...]
    photometric: int
    orientation: int
    compression: int
    predictor: int
    planes: int
    rows: int
    columns: int
    tiled: bool
    blocks: tuple[tuple[int, int], ...]
    order: Literal["<", ">"]

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
        return _header(_tags(data), ">" if data[:2] == b"MM" else "<")
    except Exception as error:  # whatever a broken header trips Pillow's parser or the arithmetic over
        raise InputError(f"{where}: the TIF's header is damaged or cut short ({error})") from error


def _tags(data: bytes) -> ImageFileDirectory_v2:
    """Parse the first directory of tags."""
    start = data[:16] if data[2:4] in {b"+\0", b"\0+"} else data[:8]
    tags = ImageFileDirectory_v2(start)
    file = io.BytesIO(data)
    file.seek(tags.next)
    tags.load(file)
    return tags


def _header(tags: ImageFileDirectory_v2, order: Literal["<", ">"]) -> Header:
    """Gather what the tags say, with TIFF's defaults for those that may be missing."""
    width, height, samples = int(tags[WIDTH]), int(tags[HEIGHT]), int(tags.get(SAMPLES, 1))
    if min(width, height, samples) < 1 or samples > MOST_SAMPLES:
        raise ValueError(f"{width} x {height} pixels of {samples} samples")
    tiled = TILE_OFFSETS in tags
    rows = int(tags[TILE_ROWS]) if tiled else min(height, int(tags.get(STRIP_ROWS, height)))
    columns = int(tags[TILE_WIDTH]) if tiled else width
    offsets, counts = (tags[TILE_OFFSETS], tags[TILE_COUNTS]) if tiled else (tags[STRIP_OFFSETS], tags[STRIP_COUNTS])
    # Of a sample format that is not unsigned integers, no depth is one we know.
    unsigned = set(tags.get(FORMAT, (UNSIGNED,))) == {UNSIGNED}
    bits = set(tags.get(BITS, (1,))) if unsigned else {0}
    return Header(
        width=width,
        height=height,
        bits=int(bits.pop()) if len(bits) == 1 else 0,
        samples=samples,
        extra=tuple(int(code) for code in tags.get(EXTRA, ())),
        photometric=int(tags.get(PHOTOMETRIC, 1)),
        orientation=int(tags.get(ORIENTATION, 1)),
        compression=int(tags.get(COMPRESSION, PLAIN)),
        predictor=int(tags.get(PREDICTOR, 1)),
        planes=samples if int(tags.get(PLANAR, 1)) == SEPARATE else 1,
        rows=rows,
        columns=columns,
        tiled=tiled,
        blocks=tuple((int(offset), int(count)) for offset, count in zip(offsets, counts, strict=True)),
        order=order,
    )


def read_samples(data: bytes, header: Header, where: str) -> Samples:
    """Decode all samples of a TIF of 8 or 16 bits: an array of shape (height, width, samples), in the file's order.

    Black is 0 also where the file says that white is. Raises InputError for a kind of TIF that is not read, and for a
    damaged one.
    """
    if header.bits not in {8, 16} or header.compression not in COMPRESSIONS or header.predictor not in {1, HORIZONTAL}:
        raise InputError(
            f"{where}: expected 8 or 16 bits a sample, compressed by {' or '.join(COMPRESSIONS.values())}; found "
            f"{header.bits} bits, compression {header.compression}, predictor {header.predictor}. Convert it first"
        )
    try:
        share = len(header.blocks) // header.planes
        planes = [
            _plane(data, header, header.blocks[plane * share : (plane + 1) * share]) for plane in range(header.planes)
        ]
    except Exception as error:  # libtiff's complaints, and the arithmetic's
        raise InputError(f"{where}: the picture is damaged or cut short ({error})") from error
    samples = planes[0] if len(planes) == 1 else np.concatenate(planes, axis=2)
    return ~samples if header.photometric == WHITE_IS_ZERO else samples


def _plane(data: bytes, header: Header, blocks: Sequence[tuple[int, int]]) -> Samples:
    """Decode the blocks that hold one plane: an array of shape (height, width, samples in it)."""
    down, across = math.ceil(header.height / header.rows), math.ceil(header.width / header.columns)
    if len(blocks) != down * across:
        raise ValueError(f"{len(blocks)} strips or tiles, not {down * across}")
    parts = [data[offset : offset + length] for offset, length in blocks]
    depth = header.samples // header.planes
    wide = header.columns * depth * header.bits // 8
    rows = header.rows * len(blocks) if header.tiled else header.height
    raw = _decompress(parts, header.compression, rows=rows, wide=wide, block=header.rows)
    kind = np.dtype(np.uint8) if header.bits == 8 else np.dtype(np.uint16)
    pixels: Samples = (
        raw.view(kind.newbyteorder(header.order)).reshape(rows, header.columns, depth).astype(kind, copy=False)
    )
    if header.predictor == HORIZONTAL:
        pixels = np.cumsum(pixels, axis=1, dtype=kind)  # each sample was stored as what it adds to the one before
    if header.tiled:
        tiles = pixels.reshape(down, across, header.rows, header.columns, depth).swapaxes(1, 2)
        pixels = tiles.reshape(down * header.rows, across * header.columns, depth)
    return pixels[: header.height, : header.width]


def _decompress(parts: Sequence[bytes], compression: int, *, rows: int, wide: int, block: int) -> npt.NDArray[np.uint8]:
    """Undo a compression: an array of bytes of shape (rows, wide), from parts of `block` rows each, the last of fewer.

    libtiff is told that the parts are the strips of a picture with one band of bytes, so that it does not care what
    they mean.
    """
    if compression == PLAIN:
        lengths = [min(block, rows - row) * wide for row in range(0, rows, block)]
        whole = b"".join(part[:length] for part, length in zip(parts, lengths, strict=True))
        return np.frombuffer(whole, np.uint8).reshape(rows, wide)
    tags = ImageFileDirectory_v2()
    for tag, value in ((WIDTH, wide), (HEIGHT, rows), (BITS, 8), (COMPRESSION, compression), (PHOTOMETRIC, 1)):
        tags[tag] = value
    starts = np.cumsum([0, *(len(part) for part in parts[:-1])])
    tags[STRIP_OFFSETS] = tuple(starts.tolist())  # from the end of the tags: Pillow adds their length
    tags[SAMPLES], tags[STRIP_ROWS], tags[STRIP_COUNTS] = 1, block, tuple(len(part) for part in parts)
    file = io.BytesIO()
    tags.save(file)
    file.write(b"".join(parts))
    return np.asarray(Image.open(file, formats=("TIFF",)))
