"""TIFs: every sample as it was written, however the file lays it out."""

import io
import itertools
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from rasterio import Affine
from scenes import LEFT, TOP, write_scene

from igarape.chips.tif import Header, is_tif, metres_a_pixel, read_header, read_samples
from igarape.errors import InputError

LAYOUTS = [
    dict(zip(("byteorder", "compression", "predictor", "tile", "rowsperstrip"), values, strict=True))
    for values in itertools.product(("<", ">"), (None, "deflate", "lzw"), (False, True), (None, (16, 32)), (None, 5))
    if (values[1] or not values[2]) and not (values[3] and values[4])
]


def noise(channels: int, bits: int) -> npt.NDArray[Any]:
    """Draw samples, no two channels alike."""
    rng = np.random.default_rng(channels)
    return rng.integers(0, 2**bits, (37, 41, channels)).astype(np.uint8 if bits == 8 else np.uint16)


def written(samples: npt.NDArray[Any], **how: Any) -> bytes:
    """Write a TIF of samples (height, width, channels)."""
    buffer = io.BytesIO()
    if how.get("planarconfig") == "separate":
        samples = np.moveaxis(samples, 2, 0)
    several = {"planarconfig": "contig"} if samples.shape[2] > 1 else {}
    tifffile.imwrite(buffer, samples, **{"photometric": "minisblack"} | several | how)
    return buffer.getvalue()


def read(data: bytes) -> tuple[Header, npt.NDArray[Any]]:
    """Read the header and the samples."""
    header = read_header(data, "chip")
    return header, read_samples(data, header, "chip")


def set_tag(data: bytes, code: int, value: int) -> bytes:
    """Overwrite a number in the header."""
    tag = tifffile.TiffFile(io.BytesIO(data)).pages.first.tags[code]
    form = {3: "<H", 4: "<I"}[int(tag.dtype)]
    return data[: tag.valueoffset] + struct.pack(form, value) + data[tag.valueoffset + struct.calcsize(form) :]


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(
    ("channels", "planar"), [(1, ""), (3, "contig"), (4, "contig"), (3, "separate"), (4, "separate")]
)
def test_each_layout_gives_the_samples_that_were_written(bits: int, channels: int, planar: str) -> None:
    """Byte orders, compressions, predictors, strips and tiles; samples side by side, or band after band."""
    samples = noise(channels, bits)
    for how in LAYOUTS:
        header, found = read(written(samples, **how | ({"planarconfig": planar} if channels > 1 else {})))
        assert (header.height, header.width, header.samples, header.bits) == (37, 41, channels, bits)
        assert found.dtype == samples.dtype and found.dtype.isnative
        assert (found == samples).all(), how


def test_what_another_library_wrote_is_read_too() -> None:
    """OpenCV stores blue, green, red as red, green, blue, compressed by LZW."""
    bgr = noise(3, 16)
    _, data = cv2.imencode(".tif", bgr)
    header, found = read(data.tobytes())
    assert header.photometric == 2 and (found == bgr[:, :, ::-1]).all()


def test_a_large_tif_is_a_tif() -> None:
    """BigTIFF has another signature, in either byte order."""
    samples = noise(4, 16)
    for order in "<>":
        data = written(samples, bigtiff=True, byteorder=order)
        assert is_tif(data) and (read(data)[1] == samples).all()
    assert not is_tif(b"II") and not is_tif(b"\x89PNG")


def test_black_is_zero_also_where_white_is() -> None:
    """Such files store the negative."""
    samples = noise(1, 16)
    assert (read(written(samples, photometric="miniswhite"))[1] == ~samples).all()


@pytest.mark.parametrize(("codes", "alpha"), [([0], None), ([1], 1), ([2], 2), ([], None)])
def test_the_header_says_whether_the_last_sample_is_alpha(codes: list[int], alpha: int | None) -> None:
    """By ExtraSamples: 1 is premultiplied alpha, 2 plain alpha, 0 anything."""
    samples = noise(3 + len(codes), 8)
    how = {"extrasamples": codes} if codes else {}
    assert read_header(written(samples, photometric="rgb", **how), "chip").alpha == alpha


def test_no_part_of_a_tif_passes_for_the_whole() -> None:
    """Wherever it is cut, in the header or in any strip."""
    for how in ({}, {"compression": "deflate"}, {"compression": "lzw"}, {"planarconfig": "separate"}):
        data = written(noise(4, 16), rowsperstrip=4, **how)
        for end in range(0, len(data), len(data) // 50):
            with pytest.raises(InputError, match=r"^chip: "):
                read(data[:end])


@pytest.mark.parametrize("kind", [np.int16, np.uint32, np.float32])
def test_other_kinds_of_sample_are_refused(kind: type) -> None:
    """Signed, 32 bits, floating: the error says what is expected."""
    with pytest.raises(InputError, match="expected a TIF of 8 or 16 bits a sample"):
        read(written(noise(3, 8).astype(kind)))


def test_a_header_cannot_make_us_unpack_more_than_it_states() -> None:
    """A strip of 64 MB of zeros, packed into 64 kB, in a picture of a few bytes: refused, without unpacking it."""
    data = written(np.zeros((16, 16, 3), np.uint8), compression="deflate", photometric="rgb")
    bomb = zlib.compress(bytes(2**26))
    grown = set_tag(set_tag(data, 273, len(data)), 279, len(bomb)) + bomb
    with pytest.raises(InputError, match="chip: the picture is damaged or cut short"):
        read(grown)


@pytest.mark.parametrize(("code", "value"), [(256, 0), (257, 0), (277, 0), (277, 17)])
def test_a_header_that_says_what_no_picture_has_is_refused(code: int, value: int) -> None:
    """No columns, no rows, no samples, or very many."""
    with pytest.raises(InputError, match="chip: the TIF's header is damaged or cut short"):
        read_header(set_tag(written(noise(3, 8)), code, value), "chip")


@pytest.mark.parametrize("code", [256, 259, 262, 317])
def test_a_header_with_a_text_for_a_number_is_not_repeated(code: int) -> None:
    """The width, the compression, the kind of colours, the predictor: the error would be as long as the text."""
    data, text = written(noise(3, 8), compression="lzw", predictor=True), b"secret" * 100
    tag = tifffile.TiffFile(io.BytesIO(data)).pages.first.tags[code]
    with pytest.raises(InputError, match=r"chip: .* damaged or cut short") as caught:
        read(data[: tag.offset] + struct.pack("<HHII", code, 2, len(text), len(data)) + data[tag.offset + 12 :] + text)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("crs", "sides", "metres"),
    [
        ("EPSG:32718", (3.0, 3.0), 3.0),
        ("EPSG:31982", (0.6, 0.6), 0.6),
        ("EPSG:32718", (3.0, 4.0), None),
        ("EPSG:2225", (3.0, 3.0), None),  # in feet
        ("EPSG:4326", (0.00003, 0.00003), None),
        (None, (1.0, 1.0), None),
    ],
)
def test_a_geotiff_says_how_large_a_pixel_is(
    tmp_path: Path, crs: str | None, sides: tuple[float, float], metres: float | None
) -> None:
    """In metres, where it is square; feet, degrees and plain pictures tell nothing."""
    bands = np.zeros((3, 8, 8), dtype=np.uint8)
    path = write_scene(tmp_path / "a.tif", bands, crs=crs, transform=Affine(sides[0], 0, LEFT, 0, -sides[1], TOP))
    assert metres_a_pixel(path.read_bytes(), "a") == metres
