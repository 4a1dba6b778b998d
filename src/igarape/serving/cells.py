"""The cells of a request: files that came as bytes, or as base64 text in any of its usual spellings."""

import base64
import binascii
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from igarape.errors import InputError, counted

KINDS = {"image": "a JPEG, PNG or TIF", "nir": "a TIF of four bands"}
WRAPPED = re.compile(r"\{['\"]b64['\"]: ['\"](.*)['\"]\}", re.DOTALL)
URL_SAFE = bytes.maketrans(b"-_", b"+/")
HEAD = 256  # characters in which the head of a data URL has to end


def check_columns(found: Collection[Any], wanted: Iterable[str]) -> None:
    """Raise InputError where a column that the model sees is not among those that were found."""
    for column in wanted:
        if column not in found:
            raise InputError(
                f"expected a column {column} with {KINDS[column]} in each row, found none of that name among "
                f"{len(found)}"
            )


def file_of(cell: object, row: int, column: str) -> bytes:
    """Return the bytes of the file in a cell: bytes, base64 text, a data URL, or TensorFlow Serving's {"b64": text}.

    The text may be standard or URL-safe (RFC 4648), with or without its padding, and broken into lines. Raises
    InputError that names the row, and the column unless that is image; it repeats nothing of the cell.
    """
    if isinstance(cell, bytes):
        return cell
    text = cell["b64"] if isinstance(cell, Mapping) and set(cell) == {"b64"} else cell
    if isinstance(text, str) and (wrapped := WRAPPED.fullmatch(text)):
        text = wrapped[1]  # MLflow makes a text of such an object under "inputs" and "instances"
    try:
        return _decoded(text)
    except (binascii.Error, TypeError, ValueError) as error:
        place = f"row {row}" if column == "image" else f"row {row}, {column}"
        found = f"a text of {counted(len(text), 'character')} that is none" if isinstance(text, str) else _named(text)
        raise InputError(f"{place}: expected the bytes or the base64 text of {KINDS[column]}, found {found}") from error


def _decoded(text: object) -> bytes:
    """Decode base64 text; raise TypeError or ValueError for anything else."""
    if not isinstance(text, str):
        raise TypeError("no text")
    if text.startswith("data:"):
        head, comma, text = text.partition(",")
        if not comma or len(head) > HEAD or not head.endswith(";base64"):
            raise ValueError("a data URL that holds no base64")
    plain = b"".join(text.encode("ascii").split()).translate(URL_SAFE).rstrip(b"=")
    return base64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True)


def _named(cell: object) -> str:
    """Name the type of a cell, in the words of JSON."""
    names = {type(None): "nothing", bool: "true or false", int: "a number", float: "a number", list: "a list"}
    return names.get(type(cell), "an object" if isinstance(cell, Mapping) else type(cell).__name__)
