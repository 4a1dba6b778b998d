"""Pictures: the right colours from every encoding, and one clear error for what is none."""

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from igarape.chips.pictures import Picture, decode, encode_jpeg, is_flat, resize, stem, suffix, symmetries
from igarape.errors import InputError

APP14 = b"\xff\xee"


@pytest.fixture(scope="module")
def smooth() -> Picture:
    """Draw a picture that JPEG keeps well: three ramps that differ, so that swapped channels or turns show."""
    down, across = np.mgrid[0:48, 0:64]
    return np.stack([4 * across, 5 * down, 255 - 2 * (across + down)], axis=2).clip(0, 255).astype(np.uint8)


def encoded(image: Image.Image, kind: str) -> bytes:
    """Encode with Pillow."""
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def four_components(rgb: Picture) -> bytes:
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


def test_four_components_without_an_adobe_marker_are_rgb_and_255(smooth: Picture) -> None:
    """Such a JPEG, made here, comes out in the colours that went in."""
    data = four_components(smooth)
    assert b"Adobe" not in data and Image.open(io.BytesIO(data)).mode == "CMYK"
    assert np.abs(decode(data, "four").astype(int) - smooth).mean() < 3


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_png_and_tif_come_back_exactly(smooth: Picture, kind: str) -> None:
    """They lose nothing."""
    assert (decode(encoded(Image.fromarray(smooth), kind), "chip") == smooth).all()


def test_a_jpeg_comes_back_nearly_and_the_same_bytes_from_the_same_pixels(smooth: Picture) -> None:
    """Three components; a higher quality is nearer."""
    high, low = encode_jpeg(smooth, 95), encode_jpeg(smooth, 50)
    assert Image.open(io.BytesIO(high)).mode == "RGB"
    assert high == encode_jpeg(smooth.copy(), 95)
    errors = [np.abs(decode(data, "chip").astype(int) - smooth).mean() for data in (high, low)]
    assert errors[0] < errors[1] and errors[0] < 2


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1"])
def test_other_modes_become_rgb(smooth: Picture, mode: str) -> None:
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


@pytest.mark.parametrize("ending", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_are_refused(ending: str, channels: int) -> None:
    """Pillow would narrow them without a word, and to the wrong brightness."""
    _, data = cv2.imencode(ending, np.full((8, 8, channels), 300, np.uint16))
    with pytest.raises(InputError, match="chip: expected 8 bits per channel, found 16"):
        decode(data.tobytes(), "chip")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [4097, 12_000, 100_000])
def test_a_picture_that_is_too_large_is_refused_by_its_header(side: int) -> None:
    """Before any pixel is decoded, and whatever Pillow thinks of its size."""
    with pytest.raises(InputError, match="bomb: expected at most 4096 pixels a side"):
        decode(png_header(side, side), "bomb")


def test_a_file_that_is_too_large_is_refused() -> None:
    """Its bytes are not looked at."""
    with pytest.raises(InputError, match="expected a picture of at most 64 MB"):
        decode(bytes(64 * 2**20 + 1), "chip")


def test_a_suffix_says_the_real_format(smooth: Picture) -> None:
    """It is found in the bytes, not in the file's name."""
    image = Image.fromarray(smooth)
    assert [suffix(encoded(image, kind), "x.bmp") for kind in ("JPEG", "PNG", "TIFF")] == ["jpg", "png", "tif"]
    with pytest.raises(InputError, match=r"x\.jpg: expected a JPEG"):
        suffix(b"text", "x.jpg")


def test_a_stem_is_a_name_without_the_suffix_of_a_picture() -> None:
    """Other dots are part of the name."""
    assert [stem(name) for name in ("train_1.jpg", "a.b.TIFF", "train_1", "v1.0")] == [
        "train_1",
        "a.b",
        "train_1",
        "v1.0",
    ]


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
