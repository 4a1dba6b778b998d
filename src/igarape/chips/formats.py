"""Formats of pictures: those that are read, and those that are known and have to be converted first."""

from pathlib import PurePath
from unicodedata import normalize

from igarape.chips.tif import is_tif
from igarape.errors import InputError, counted

NAMED = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".btf", ".tf8")  # the last two: BigTIFF
UNREAD = {
    ".gif": "GIF",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".jp2": "JPEG 2000",
    ".j2k": "JPEG 2000",
    ".jpx": "JPEG 2000",
    ".jxl": "JPEG XL",
    ".avif": "AVIF",
    ".heic": "HEIC",
    ".ppm": "PPM",
    ".npy": "NumPy array",
    ".h5": "HDF5",
    ".hdf": "HDF",
    ".nc": "NetCDF",
    ".img": "ERDAS IMAGINE",
    ".ecw": "ECW",
    ".sid": "MrSID",
}
CONVERT = "convert it to PNG, or a picture of several bands to TIF"
_SIGNATURES = {b"\xff\xd8\xff": "jpg", b"\x89PNG\r\n\x1a\n": "png"}
_FOREIGN = {
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"\x89HDF": "HDF5",
    b"\x93NUMPY": "NumPy array",
}


def suffix(data: bytes, where: str) -> str:
    """Return the file suffix of the picture's real format, whatever its file was called: jpg, png or tif."""
    if is_tif(data):
        return "tif"
    for signature, name in _SIGNATURES.items():
        if data.startswith(signature):
            return name
    foreign = next((name for signature, name in _FOREIGN.items() if data.startswith(signature)), None)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        foreign = "WEBP"
    if foreign:
        raise InputError(f"{where}: expected a JPEG, PNG or TIF, found {foreign}, which is not read", CONVERT)
    found = "an empty file" if not data else f"{counted(len(data), 'byte that is', 'bytes that are')} neither"
    raise InputError(f"{where}: expected a JPEG, PNG or TIF, found {found}")


def unread(name: str) -> str | None:
    """Return the format of a file whose suffix says that it is a picture of a kind that is not read."""
    return UNREAD.get(PurePath(name).suffix.lower())


def stem(name: str) -> str:
    """Return a file's name without the suffixes of pictures, however many they are; other dots are part of the name.

    So c_0.tif.png, c_0.tif and c_0 are one name: converters add a suffix, tables keep the old one. Accents are composed
    (NFC), as macOS takes them apart, and blanks around the name do not count, as tables lose them. Raises InputError
    for a name that is no text, as other encodings leave them, or that holds a carriage return: no table could hold it.
    """
    name = normalize("NFC", name).strip(" ")
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{name!a}: a file's name that is not in UTF-8. Rename the file") from error
    if "\r" in name:  # which ends a CSV's row, even in quotes for some who read it
        raise InputError(f"{name!a}: a file's name that holds a carriage return. Rename the file")
    while (last := PurePath(name).suffix.lower()) in NAMED or last in UNREAD:
        name = name[: -len(last)].rstrip(" ")
    return name
