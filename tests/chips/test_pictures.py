"""Pictures: the right colours from every encoding, and one clear error for what is none."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image

from igarape.chips.formats import suffix
from igarape.chips.pictures import (
    Pixels,
    bands,
    decode,
    encode_jpeg,
    is_deep,
    is_flat,
    resize,
    symmetries,
    to_size,
)
from igarape.errors import InputError

APP14 = b"\xff\xee"
PLANETS = ("blue", "green", "red", "nir")


@pytest.fixture(scope="module")
def smooth() -> Pixels:
    """Draw a picture that JPEG keeps well: three ramps that differ, so that swapped channels or turns show."""
    down, across = np.mgrid[0:48, 0:64]
    return np.stack([4 * across, 5 * down, 255 - 2 * (across + down)], axis=2).clip(0, 255).astype(np.uint8)


def encoded(image: Image.Image, kind: str, **how: Any) -> bytes:
    """Encode with Pillow."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **how)
    return buffer.getvalue()


def tif(samples: npt.NDArray[Any], **how: Any) -> bytes:
    """Write a TIF of samples (height, width, channels)."""
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, samples, **{"planarconfig": "contig"} | how)
    return buffer.getvalue()


def deep_png(pixels: npt.NDArray[np.uint16]) -> bytes:
    """Write a PNG of 16 bits from grey, RGB or RGBA."""
    order = {2: pixels, 3: pixels[..., [2, 1, 0, 3][: pixels.shape[-1]]]}[pixels.ndim]
    return cv2.imencode(".png", order)[1].tobytes()


def four_components(rgb: Pixels) -> bytes:
    """Encode RGB as Planet's JPEGs are: components R, G, B, 255, and no Adobe marker."""
    # Pillow stores the inverse of what it is given.
    inverse = np.dstack([255 - rgb, np.zeros(rgb.shape[:2], np.uint8)])
    data = encoded(Image.fromarray(inverse, "CMYK"), "JPEG")
    start = data.index(APP14)
    (length,) = struct.unpack(">H", data[start + 2 : start + 4])
    return data[:start] + data[start + 2 + length :]


def png_header(width: int, height: int) -> bytes:
    """Write the header of a black and white PNG of any size, with hardly a pixel behind it."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    body = b"IDAT" + zlib.compress(b"\x00" * 100)
    chunks = [struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in (head, body)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def test_planets_original_jpegs_have_the_right_colours(planet: Path) -> None:
    """Four components: within 1 of Pillow's RGB, and of what OpenCV makes of them; and not black."""
    paths = sorted((planet / "test-jpg").glob("*.jpg"))
    assert paths
    for path in paths:
        data = path.read_bytes()
        image = Image.open(io.BytesIO(data))
        assert image.mode == "CMYK"
        rgb = decode(data, path.name).astype(int)
        assert np.abs(rgb - np.asarray(image.convert("RGB"), int)).max() <= 1
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert bgr is not None
        assert np.abs(rgb - bgr[:, :, ::-1]).max() <= 1
        assert rgb.mean() > 20 and not is_flat(rgb.astype(np.uint8))


def test_four_components_without_an_adobe_marker_are_rgb_and_255(smooth: Pixels) -> None:
    """Such a JPEG, made here, comes out in the colours that went in."""
    data = four_components(smooth)
    assert b"Adobe" not in data and Image.open(io.BytesIO(data)).mode == "CMYK"
    assert np.abs(decode(data, "four").astype(int) - smooth).mean() < 3


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_png_and_tif_come_back_exactly(smooth: Pixels, kind: str) -> None:
    """They lose nothing."""
    assert (decode(encoded(Image.fromarray(smooth), kind), "chip") == smooth).all()


def test_a_jpeg_comes_back_nearly_and_the_same_bytes_from_the_same_pixels(smooth: Pixels) -> None:
    """Three components; a higher quality is nearer."""
    high, low = encode_jpeg(smooth, 95), encode_jpeg(smooth, 50)
    assert Image.open(io.BytesIO(high)).mode == "RGB"
    assert high == encode_jpeg(smooth.copy(), 95)
    errors = [np.abs(decode(data, "chip").astype(int) - smooth).mean() for data in (high, low)]
    assert errors[0] < errors[1] and errors[0] < 2


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1"])
def test_other_modes_become_rgb(smooth: Pixels, mode: str) -> None:
    """Grey, transparent and indexed pictures are pictures too."""
    image = Image.fromarray(smooth).convert(mode)
    rgb = decode(encoded(image, "PNG"), "chip")
    assert rgb.shape == smooth.shape and rgb.dtype == np.uint8
    assert (rgb == np.asarray(image.convert("RGB"))).all()


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, on the tags of a TIF that it then refuses
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_no_part_of_a_picture_passes_for_the_whole(kind: str) -> None:
    """Cut anywhere, it is an error that names the file; only a PNG may lack its last 20 bytes: they hold no pixel."""
    noise = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    whole = decode(data, "chip")
    for end in [*range(0, len(data), 20), *range(len(data) - 30, len(data))]:
        if kind == "PNG" and end >= len(data) - 20:
            assert (decode(data[:end], "train_17.jpg") == whole).all()
        else:
            with pytest.raises(InputError, match=r"^train_17\.jpg: "):
                decode(data[:end], "train_17.jpg")


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_truncated_picture_is_called_so(kind: str) -> None:
    """Not a file that is no picture at all."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    with pytest.raises(InputError, match=r"half: the picture is damaged or cut short \(.+\)"):
        decode(data[: len(data) // 2], "half")


def test_a_file_that_is_no_picture_is_an_error() -> None:
    """Text, nothing, or another format: the error says what was expected and what was found."""
    with pytest.raises(InputError, match=r"a\.jpg: expected a JPEG, PNG or TIF, found 11 bytes that are neither"):
        decode(b"not a photo", "a.jpg")
    with pytest.raises(InputError, match="found an empty file"):
        decode(b"", "a.jpg")
    with pytest.raises(InputError, match="expected a JPEG, PNG or TIF"):
        decode(encoded(Image.new("RGB", (8, 8)), "GIF"), "a.gif")
    with pytest.raises(InputError, match=r"a\.png: the picture's header is damaged or cut short"):
        decode(b"\x89PNG\r\n\x1a\n", "a.png")


def test_sixteen_bits_become_eight_linearly() -> None:
    """Rounded, from 0 to 0 and 65535 to 255: PNG and TIF, grey and RGB, agree on every value."""
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    expected = np.round(ramp / 257).astype(np.uint8)
    for colours in (ramp, np.dstack([ramp, ramp[::-1], ramp[:, ::-1]])):
        wanted = (
            np.dstack([expected] * 3) if colours.ndim == 2 else np.dstack([expected, expected[::-1], expected[:, ::-1]])
        )
        assert (decode(deep_png(colours), "png") == wanted).all()
        assert (decode(tif(colours, photometric="minisblack" if colours.ndim == 2 else "rgb"), "tif") == wanted).all()


def test_what_alpha_hides_is_black() -> None:
    """A hidden pixel shows nothing of the colour under it, half of one is half as bright; in 8 bits and in 16."""
    colours = np.random.default_rng(3).integers(0, 256, (8, 9, 3), dtype=np.uint8)
    alpha = np.zeros((8, 9, 1), np.uint8)
    alpha[2:], alpha[5:] = 128, 255
    expected = np.round(colours * (alpha / 255))
    shallow = np.dstack([colours, alpha])
    deep = shallow.astype(np.uint16) * 257
    for data in (
        encoded(Image.fromarray(shallow), "PNG"),
        deep_png(deep),
        tif(shallow, photometric="rgb", extrasamples=[2]),
        tif(deep, photometric="rgb", extrasamples=[2]),
    ):
        found = decode(data, "chip")
        assert (found[:2] == 0).all() and (found[5:] == colours[5:]).all()
        assert np.abs(found - expected).max() <= 1


def test_a_transparent_colour_is_black() -> None:
    """Where a PNG names a colour of its palette, or a shade, as transparent."""
    indices = np.arange(64, dtype=np.uint8).reshape(8, 8) % 4
    image = Image.fromarray(indices, "P")
    image.putpalette([200, 10, 20, 30, 210, 40, 50, 60, 220, 90, 80, 70])
    found = decode(encoded(image, "PNG", transparency=2), "chip")
    assert (found[indices == 2] == 0).all() and (found[indices == 1] == (30, 210, 40)).all()
    grey = decode(encoded(Image.fromarray(indices * 50), "PNG", transparency=150), "chip")
    assert (grey[indices == 3] == 0).all() and (grey[indices == 2] == 100).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_a_picture_comes_out_upright(smooth: Pixels, kind: str, orientation: int) -> None:
    """As Pillow turns it: cameras and tools that turn a picture may only say so in EXIF, or in the TIF's header."""
    exif = Image.Exif()
    exif[274] = orientation
    found = decode(encoded(Image.fromarray(smooth), kind, exif=exif), "chip")
    turn = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # the transpositions that Pillow names for the EXIF codes
    upright = Image.fromarray(smooth)
    if orientation > 1:
        upright = upright.transpose(Image.Transpose(turn[orientation]))
    assert found.shape == np.asarray(upright).shape
    assert np.abs(found.astype(int) - np.asarray(upright)).mean() < 2


def test_a_deep_tif_and_its_bands_come_out_upright(smooth: Pixels) -> None:
    """The orientation in the header counts for them as well."""
    four = np.dstack([smooth, smooth[:, :, :1]]).astype(np.uint16) * 257
    data = tif(four, photometric="minisblack", extratags=[(274, "H", 1, 6, True)])
    assert (decode(data, "chip", bands=PLANETS) == np.rot90(smooth[:, :, ::-1], -1)).all()
    assert (bands(data, "chip") == np.rot90(four, -1)).all()


@pytest.mark.parametrize("photometric", ["rgb", "minisblack"])
@pytest.mark.parametrize("bits", [8, 16])
def test_the_bands_of_a_tif_are_what_the_data_set_calls_them(photometric: str, bits: int) -> None:
    """Whatever its header says: Planet's order shows the third, second and first; bands gives all four, as 16 bits."""
    four = np.random.default_rng(4).integers(0, 256, (8, 9, 4), dtype=np.uint8)
    stored = four if bits == 8 else four.astype(np.uint16) * 257
    for how in ({"planarconfig": "contig"}, {"planarconfig": "separate"}):
        laid = stored if how["planarconfig"] == "contig" else np.moveaxis(stored, 2, 0)
        data = tif(laid, photometric=photometric, extrasamples=[0] * (1 if photometric == "rgb" else 3), **how)
        assert suffix(data, "chip") == "tif"
        assert (decode(data, "chip", bands=PLANETS) == four[:, :, 2::-1]).all()
        found = bands(data, "chip", PLANETS)
        assert found.dtype == np.uint16 and (found == four.astype(np.uint16) * 257).all()


def test_bands_need_a_tif_that_has_four(smooth: Pixels) -> None:
    """Anything else is an error that says what was found; what the header calls alpha may be a band all the same."""
    with pytest.raises(InputError, match="chip: expected a TIF of four bands, found a png"):
        bands(encoded(Image.fromarray(smooth), "PNG"), "chip")
    with pytest.raises(InputError, match="expected a TIF of four bands, near-infrared the last, found 3"):
        bands(encoded(Image.fromarray(smooth), "TIFF"), "chip")
    four = np.dstack([smooth, smooth[:, :, 0]])
    found = bands(tif(four, photometric="rgb", extrasamples=[2]), "chip", PLANETS)
    assert (found == four.astype(np.uint16) * 257).all()


@pytest.mark.parametrize("alpha", [0, 2])
def test_a_header_that_says_rgb_counts(alpha: int) -> None:
    """As NAIP's: red, green, blue, and then near-infrared, which a header may call alpha."""
    four = np.random.default_rng(4).integers(1, 256, (8, 9, 4), dtype=np.uint8)
    data = tif(four, photometric="rgb", extrasamples=[alpha])
    if not alpha:
        assert (decode(data, "chip") == four[:, :, :3]).all()
    assert (decode(data, "chip", bands=["red", "green", "blue", "nir"]) == four[:, :, :3]).all()
    assert (bands(data, "chip") == four[:, :, [2, 1, 0, 3]].astype(np.uint16) * 257).all()


def test_near_infrared_that_a_header_calls_alpha_hides_nothing() -> None:
    """Writers call any fourth band alpha: what is no mask is refused, until somebody says what the bands are."""
    four = np.random.default_rng(4).integers(0, 256, (8, 9, 4), dtype=np.uint8)
    for samples in (four, four.astype(np.uint16) * 30):
        data = tif(samples, photometric="rgb", extrasamples=[2])
        with pytest.raises(
            InputError, match=r"chip: expected alpha to be a mask of 0 and .*igarape add, such as --bands"
        ):
            decode(data, "chip")
        assert (decode(data, "chip", bands=PLANETS, white=7650)[:, :, ::-1] == four[:, :, :3]).all()


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.uint32, np.float32, np.float64])
@pytest.mark.parametrize("channels", [2, 3, 4])
def test_samples_that_are_no_picture_are_named(kind: type, channels: int) -> None:
    """Reflectances as fractions, heights with a sign: the file is whole, and the error says what it holds."""
    data = tif(np.ones((8, 9, channels), kind), photometric="minisblack")
    with pytest.raises(InputError, match=f"found samples of {np.dtype(kind).name}, compression NONE. Convert it first"):
        decode(data, "chip")


@pytest.mark.parametrize(("bits", "channels"), [(16, 3), (8, 4), (16, 4), (8, 3)])
def test_a_compression_that_keeps_no_bands_is_named(bits: int, channels: int) -> None:
    """Another reader would narrow 16 bits, and know neither bands nor white."""
    samples = np.full((8, 9, channels), 5, np.uint8 if bits == 8 else np.uint16)
    data = bytearray(tif(samples, photometric="rgb", compression="deflate"))
    code = data.index(struct.pack("<HHI", 259, 3, 1)) + 8
    data[code : code + 2] = struct.pack("<H", 50000)
    with pytest.raises(InputError, match=f"found samples of uint{bits}, compression ZSTD. Convert it first"):
        decode(bytes(data), "chip", bands=PLANETS[:channels])


def test_a_tif_whose_colours_nobody_names_is_refused() -> None:
    """Two, four, five or twelve bands: the error says what to write; with names, any number is read."""
    for channels in (2, 4, 5, 12):
        data = tif(np.zeros((8, 9, channels), np.uint16), photometric="minisblack")
        with pytest.raises(
            InputError, match=rf"found {channels}, and nothing says which of them is red.*source\.bands"
        ):
            decode(data, "chip")
    twelve = np.random.default_rng(4).integers(0, 256, (8, 9, 12), dtype=np.uint8)
    names = ["coast", "blue", "green", "red", "r1", "r2", "r3", "nir", "r4", "vapour", "swir", "swir2"]
    data = tif(twelve, photometric="minisblack")
    assert (decode(data, "chip", bands=names) == twelve[:, :, [3, 2, 1]]).all()
    assert (bands(data, "chip", names) == twelve[:, :, [1, 2, 3, 7]].astype(np.uint16) * 257).all()
    with pytest.raises(InputError, match="expected 4 bands, blue, green, red, nir, found 12"):
        decode(data, "chip", bands=PLANETS)


def test_a_white_stretches_sixteen_bits_and_leaves_eight_alone(smooth: Pixels) -> None:
    """Reflectances of 0..3000 fill the range, what is brighter is white; PNG and TIF agree."""
    ramp = np.tile(np.arange(0, 3200, 100, dtype=np.uint16), (8, 1))
    wanted = np.minimum(np.floor(ramp / 3000 * 255 + 0.5), 255).astype(np.uint8)
    colours = np.dstack([ramp] * 3)
    for data in (deep_png(colours), tif(colours, photometric="rgb"), deep_png(ramp)):
        assert is_deep(data) and (decode(data, "chip", white=3000) == wanted[:, :, None]).all()
        assert decode(data, "chip").max() == 12
    shallow = encoded(Image.fromarray(smooth), "PNG")
    assert not is_deep(shallow) and (decode(shallow, "chip", white=3000) == smooth).all()


@pytest.mark.parametrize(("height", "width"), [(48, 64), (64, 48), (20, 90), (16, 16), (200, 201)])
def test_chips_of_several_sizes_are_brought_to_one(height: int, width: int) -> None:
    """Bent to fit, cropped to the middle, or padded with black; refuse says what it found."""
    image = np.full((height, width, 3), 200, np.uint8)
    for how in ("fit", "crop", "pad"):
        found = to_size(image, 32, resize=how)
        assert found.shape == (32, 32, 3) and found.dtype == np.uint8
        share = (found == 200).all(axis=2).mean()
        expected = min(height, width) / max(height, width) if how == "pad" else 1.0
        assert share == pytest.approx(expected, abs=0.04)
    assert to_size(image[:16, :16], 16, resize="refuse").shape == (16, 16, 3)
    with pytest.raises(InputError, match=f"chip: expected 32 x 32, found {width} x {height}"):
        to_size(image, 32, resize="refuse", where="chip")


def test_cropping_takes_the_middle() -> None:
    """A picture twice as wide as high loses a quarter on either side."""
    image = np.zeros((32, 64, 3), np.uint8)
    image[:, 16:48] = 255
    assert (to_size(image, 32, resize="crop") == 255).all()


@pytest.mark.parametrize("how", [{}, {"compression": "tiff_lzw"}, {"compression": "tiff_adobe_deflate"}])
def test_a_compressed_tif_comes_back_exactly(smooth: Pixels, how: dict[str, str]) -> None:
    """Also where its colours are those of a palette, or in four inks."""
    assert (decode(encoded(Image.fromarray(smooth), "TIFF", **how), "chip") == smooth).all()
    for mode in ("P", "CMYK", "1"):
        image = Image.fromarray(smooth).convert(mode)
        assert (decode(encoded(image, "TIFF"), "chip") == np.asarray(image.convert("RGB"))).all()


def test_a_jpeg_in_four_inks_has_the_right_colours(smooth: Pixels) -> None:
    """As Adobe's programs write it, with a marker: cyan, magenta, yellow and black, all inverted."""
    image = Image.fromarray(smooth).convert("CMYK")
    data = encoded(image, "JPEG", quality=95)
    assert b"Adobe" in data
    assert np.abs(decode(data, "inks").astype(int) - smooth).mean() < 3


def test_a_jpeg_in_luminance_and_inks_has_the_right_colours(smooth: Pixels) -> None:
    """YCCK: what Adobe's programs write to save space; the marker says so by a 2."""
    # The luminance is that of the inks, so of the negative. Pillow stores the inverse of what it is given; the fourth
    # component, 255, is no black ink.
    luminance = np.asarray(Image.fromarray(255 - smooth).convert("YCbCr"))
    planes = np.dstack([255 - luminance, np.zeros(smooth.shape[:2], np.uint8)])
    data = bytearray(encoded(Image.fromarray(planes, "CMYK"), "JPEG", quality=95))
    data[data.index(b"Adobe") + 11] = 2
    assert np.abs(decode(bytes(data), "ycck").astype(int) - smooth).mean() < 3


SEEDS: dict[str, Callable[[Pixels], bytes]] = {
    "jpeg": lambda rgb: encoded(Image.fromarray(rgb), "JPEG"),
    "progressive": lambda rgb: encoded(Image.fromarray(rgb), "JPEG", progressive=True),
    "four components": four_components,
    "png": lambda rgb: encoded(Image.fromarray(rgb), "PNG"),
    "rgba": lambda rgb: encoded(Image.fromarray(np.dstack([rgb, rgb[:, :, 0]])), "PNG"),
    "deep png": lambda rgb: deep_png(rgb.astype(np.uint16) * 257),
    "palette tif": lambda rgb: encoded(Image.fromarray(rgb).convert("P"), "TIFF"),
    "lzw tif": lambda rgb: encoded(Image.fromarray(rgb), "TIFF", compression="tiff_lzw"),
    "jpeg in tif": lambda rgb: encoded(Image.fromarray(rgb), "TIFF", compression="jpeg"),
    "deep tif": lambda rgb: tif(
        np.dstack([rgb, rgb[:, :, 0]]).astype(np.uint16) * 257, photometric="rgb", extrasamples=[0]
    ),
    "tiled tif": lambda rgb: tif(rgb.astype(np.uint16), photometric="rgb", tile=(16, 16), compression="deflate"),
}


@pytest.mark.filterwarnings("ignore")  # Pillow's, on damaged tags
@pytest.mark.parametrize("seed", SEEDS)
def test_a_damaged_file_is_an_error_or_a_picture_and_nothing_else(smooth: Pixels, seed: str) -> None:
    """Cut anywhere, or with some bytes changed, in the header above all: no other exception, and no endless work."""
    data = SEEDS[seed](smooth[:24, :32])
    assert decode(data, "whole").shape == (24, 32, 3)
    rng = np.random.default_rng(len(seed))
    for turn in range(90):
        damaged = bytearray(data[: rng.integers(0, len(data))] if turn % 3 == 0 else data)
        reach = len(data) if turn % 3 == 1 else 400
        for place in rng.integers(0, min(reach, len(data)), turn % 3 * 2):
            damaged[place % max(1, len(damaged))] = rng.integers(0, 256)
        for read in (decode, bands):
            try:
                assert read(bytes(damaged), "chip").ndim == 3
            except InputError as error:
                assert str(error).startswith("chip: ")  # noqa: PT017 - a picture is right as well


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [4097, 12_000, 100_000])
def test_a_picture_that_is_too_large_is_refused_by_its_header(side: int) -> None:
    """Before any pixel is decoded, and whatever Pillow thinks of its size; a TIF's tiles count as well."""
    with pytest.raises(InputError, match="bomb: expected at most 4096 pixels a side"):
        decode(png_header(side, side), "bomb")
    small = tif(np.zeros((16, 16, 3), np.uint8), photometric="rgb", tile=(16, 16))
    for code in (256, 257, 322, 323):
        tag = tifffile.TiffFile(io.BytesIO(small)).pages.first.tags[code]
        form = {3: "<H", 4: "<I"}[int(tag.dtype)]
        if side < 2**16 or form == "<I":
            end = tag.valueoffset + struct.calcsize(form)
            with pytest.raises(InputError, match="bomb: expected at most 4096 pixels a side"):
                decode(small[: tag.valueoffset] + struct.pack(form, side) + small[end:], "bomb")


def test_a_file_that_is_too_large_is_refused() -> None:
    """Its bytes are not looked at."""
    with pytest.raises(InputError, match="expected a picture of at most 64 MB"):
        decode(bytes(64 * 2**20 + 1), "chip")


def test_shrinking_takes_means_and_growing_stays_in_range() -> None:
    """Each pixel of half the size is the mean of four; a picture of the right size is returned as it is."""
    rgb = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    means = rgb.reshape(16, 2, 16, 2, 3).mean(axis=(1, 3))
    assert np.abs(resize(rgb, 16) - means).max() <= 0.5
    grown = resize(rgb[8:16, 8:16], 20)
    assert grown.shape == (20, 20, 3)
    assert grown.min() >= rgb[8:16, 8:16].min() and grown.max() <= rgb[8:16, 8:16].max()
    assert resize(rgb, 32) is rgb


def test_flat_is_one_colour_and_nothing_else() -> None:
    """Black or any other; one pixel that differs by one is a picture."""
    for colour in ((0, 0, 0), (10, 200, 30)):
        rgb = np.full((8, 8, 3), colour, np.uint8)
        assert is_flat(rgb)
        rgb[5, 3, 1] += 1
        assert not is_flat(rgb)


def test_symmetries_are_eight_distinct_views_the_identity_first() -> None:
    """Views of views are the same eight; pixels move, none changes; each picture of the batch moves alone."""
    batch = np.random.default_rng(1).integers(0, 256, (3, 5, 5, 3), dtype=np.uint8)
    views = symmetries(batch)
    assert len(views) == 8 and (views[0] == batch).all()
    keys = {view.tobytes() for view in views}
    assert len(keys) == 8
    for view in views:
        assert {again.tobytes() for again in symmetries(view)} == keys
        assert all((np.sort(view[row].ravel()) == np.sort(batch[row].ravel())).all() for row in range(3))
