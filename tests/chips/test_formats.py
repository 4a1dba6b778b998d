"""Formats: told by the bytes, not by the name; what is not read is called by its name."""

import io
from unicodedata import normalize

import numpy as np
import pytest
from PIL import Image

from igarape.chips.formats import stem, suffix, unread
from igarape.errors import InputError

PICTURE = Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3))


def encoded(kind: str) -> bytes:
    """Encode a picture."""
    buffer = io.BytesIO()
    PICTURE.save(buffer, kind)
    return buffer.getvalue()


def test_a_suffix_says_the_real_format() -> None:
    """It is found in the bytes, not in the file's name."""
    assert [suffix(encoded(kind), "x.bmp") for kind in ("JPEG", "PNG", "TIFF")] == ["jpg", "png", "tif"]
    with pytest.raises(InputError, match=r"x\.jpg: expected a JPEG, PNG or TIF, found 4 bytes that are neither"):
        suffix(b"text", "x.jpg")
    with pytest.raises(InputError, match="found an empty file"):
        suffix(b"", "x.jpg")


@pytest.mark.parametrize(
    ("kind", "name"), [("GIF", "GIF"), ("BMP", "BMP"), ("WEBP", "WEBP"), ("JPEG2000", "JPEG 2000")]
)
def test_a_format_that_is_not_read_is_named_with_the_way_out(kind: str, name: str) -> None:
    """Whatever its file was called: not missing, and not damaged."""
    with pytest.raises(InputError, match=f"a.jpg: .* found {name}, which is not read. Convert it to PNG"):
        suffix(encoded(kind), "a.jpg")


@pytest.mark.parametrize("name", ["a.gif", "a.WEBP", "a.bmp", "a.jp2", "a.j2k"])
def test_a_suffix_may_say_it_before_any_byte_is_read(name: str) -> None:
    """And those that are read say nothing."""
    assert unread(name) and not unread("a.tif") and not unread("a.btf") and not unread("a")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("train_1.jpg", "train_1"),
        ("a.b.TIFF", "a.b"),
        ("train_1", "train_1"),
        ("v1.0", "v1.0"),
        ("c_0.tif.png", "c_0"),
        ("c_0.JPG.jpg.png", "c_0"),
        ("c_0.btf", "c_0"),
        ("c_0.gif", "c_0"),
        (" c_0 .jpg", "c_0"),
        ("c 0.jpg .png", "c 0"),
    ],
)
def test_a_stem_is_a_name_without_the_suffixes_of_pictures(name: str, expected: str) -> None:
    """Other dots are part of the name; a stem's stem is itself, so it does not matter who has cut what."""
    assert stem(name) == expected == stem(expected)


def test_accents_are_one_letter() -> None:
    """As tables have them; macOS takes file names apart."""
    assert stem(normalize("NFD", "São.jpg")) == normalize("NFC", "São")


def test_a_name_that_is_no_text_is_refused() -> None:
    """An archive made elsewhere, or an old disk, leaves such; what is shown of it is readable."""
    with pytest.raises(InputError, match=r"^'jo\\udce3o\.jpg': a file's name that is not in UTF-8"):
        stem(b"jo\xe3o.jpg".decode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=r"^'a\\rb\.jpg': a file's name that holds a carriage return"):
        stem("a\rb.jpg")
