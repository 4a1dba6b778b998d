"""What a request brings: bodies in MLflow's forms, and pictures as they are, become files to answer for."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa
from pyarrow.parquet import ParquetFile
from werkzeug.exceptions import HTTPException
from werkzeug.formparser import MultiPartParser
from werkzeug.http import parse_options_header

from igarape.errors import InputError
from igarape.serving.cells import check_columns, file_of

MOST = 1024  # pictures in one request
FORMS = (
    'expected JSON such as {"dataframe_records": [{"image": BASE64}]}, {"instances": [{"b64": BASE64}]}, '
    "or text/csv with a column image"
)
JSON, CSV, PARQUET = "application/json", "text/csv", "application/vnd.apache.parquet"
KEYS = ("dataframe_records", "dataframe_split", "inputs", "instances")
PICTURE, FORM = "image/", "multipart/form-data"
BYTES = 64 * 2**20  # of a body, and of what it holds when it is unpacked
MARKS = 64 * MOST  # commas, quotes and brackets in a body: what is no picture takes many times its own size in memory
NAME = 255  # characters of a file name
PACKED = ("UNCOMPRESSED", "SNAPPY")  # what Snappy packs is at most 21 times as large; others have no such bound


class Unsupported(InputError):  # noqa: N818 - as Refused of serving.admission
    """A content type that is none of ours: HTTP 415."""


@dataclass(frozen=True)
class Files:
    """Encoded pictures, with the TIFs that go with them where they came with any, and the pictures' file names."""

    images: Sequence[bytes]
    nir: Sequence[bytes] | None
    names: Sequence[str | None]


def read_table(body: bytes, content_type: str, columns: Sequence[str]) -> Files:
    """Read a body in one of MLflow's forms: JSON, CSV or Parquet.

    Parameters
    ----------
    body, content_type
        As they were sent; no content type means JSON.
    columns
        Those that the model sees, of image and nir.

    Raises
    ------
    InputError
        For what is none of the forms, lacks a column, holds no picture or more than MOST, in one sentence that repeats
        nothing of it.
    """
    kind = _kind(content_type)
    readers = {JSON: _json, "": _json, CSV: _csv, PARQUET: _parquet}
    if kind not in readers:
        raise Unsupported(f"{FORMS}, found another content type")
    if kind != PARQUET and sum(map(body.count, (b",", b'"', b"[", b"{"))) > MARKS:
        raise InputError(f"{FORMS}, found too many values for {MOST} pictures")
    try:
        cells = readers[kind](body, columns)
    except (ValueError, RecursionError, csv.Error) as error:
        raise InputError(f"{FORMS}, found what cannot be read as {kind or JSON}") from error
    counts = {len(cells[column]) for column in columns}
    if len(counts) > 1:
        raise InputError(f"expected as many values in each of the columns {', '.join(columns)}")
    _check_count(counts.pop())
    files = {name: [file_of(cell, row, name) for row, cell in enumerate(cells[name])] for name in columns}
    return Files(files["image"], files.get("nir"), [None] * len(files["image"]))


def read_files(body: bytes, content_type: str, columns: Sequence[str]) -> Files:
    """Read a picture as it is (image/*), or the files of a form (multipart/form-data) in the fields image and nir.

    Arguments and errors are those of read_table.
    """
    kind = _kind(content_type)
    if kind.startswith(PICTURE):
        if "nir" in columns:
            raise InputError("the model sees near-infrared too: send a form with the fields image and nir, a file each")
        return Files([body], None, [None])
    if kind != FORM:
        raise Unsupported("expected a picture with content type image/*, or a form (multipart/form-data)")
    found = _form(body, content_type, columns)
    if len({len(each) for each in found.values()}) > 1:
        raise InputError(f"expected as many files in each of the fields {', '.join(columns)}")
    if not found["image"]:
        raise InputError(
            f"expected 1 to {MOST} pictures in the form's field image, found none; a file comes with a name, as "
            "curl -F image=@chip.jpg sends it"
        )
    _check_count(len(found["image"]), " in the form's field image")
    files = {column: [data for _, data in each] for column, each in found.items()}
    return Files(files["image"], files.get("nir"), [name for name, _ in found["image"]])


def _check_count(count: int, where: str = "") -> None:
    """Refuse no picture, and too many; where: they are looked for."""
    if not 1 <= count <= MOST:
        raise InputError(f"expected 1 to {MOST} pictures{where}, found {count or 'none'}")


def _kind(content_type: str) -> str:
    """Return the media type, in small letters and without parameters."""
    return content_type.partition(";")[0].strip().lower()


def _json(body: bytes, columns: Sequence[str]) -> Mapping[str, list[Any]]:
    """Return the cells of each column in one of MLflow's forms of JSON."""
    content = json.loads(body)
    keys = [key for key in KEYS if isinstance(content, dict) and key in content]
    if len(keys) != 1:
        raise InputError(f"{FORMS}, found {len(keys) or 'none'} of the keys {', '.join(KEYS)}")
    value = content[keys[0]]
    if keys[0] == "dataframe_split":
        value = _split(value)
    elif keys[0] == "dataframe_records" and not _all(value, dict):
        raise InputError(f"{FORMS}, found no list of objects under dataframe_records")
    if isinstance(value, dict) and not _wraps(value):
        check_columns(value, columns)
        return {name: value[name] if isinstance(value[name], list) else [value[name]] for name in columns}
    rows = value if isinstance(value, list) else [value]
    if rows and _all(rows, dict) and not any(map(_wraps, rows)):
        check_columns({key for row in rows for key in row}, columns)
        # A row without the cell is refused where the cell is read, by its number.
        return {name: [row.get(name) for row in rows] for name in columns}
    if len(columns) > 1:
        raise InputError(f"expected the columns {' and '.join(columns)}, found values of none")
    return {columns[0]: rows}


def _wraps(value: Mapping[str, Any]) -> bool:
    """Say whether an object is TensorFlow Serving's {"b64": text}."""
    return set(value) == {"b64"}


def _all(value: object, kind: type) -> bool:
    """Say whether something is a list of that kind only."""
    return isinstance(value, list) and all(isinstance(each, kind) for each in value)


def _split(value: object) -> dict[str, list[Any]]:
    """Return the columns of a table in the form of dataframe_split."""
    names: Any = value.get("columns") if isinstance(value, dict) else None
    rows: Any = value.get("data") if isinstance(value, dict) else None
    if not _all(names, str) or not _all(rows, list) or any(len(row) != len(names) for row in rows):
        raise InputError(f"{FORMS}, found no columns and rows of as many cells under dataframe_split")
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


def _csv(body: bytes, columns: Sequence[str]) -> Mapping[str, list[Any]]:
    """Return the cells of each column of a CSV."""
    csv.field_size_limit(BYTES)
    table = csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline=""))
    check_columns(table.fieldnames or (), columns)
    rows = list(islice(table, MOST + 1))
    return {name: [row[name] for row in rows] for name in columns}


def _parquet(body: bytes, columns: Sequence[str]) -> Mapping[str, list[Any]]:
    """Return the cells of each column of a Parquet file; raise InputError for one that unpacks to more than BYTES."""
    try:
        file = ParquetFile(io.BytesIO(body))
        about, kinds = file.metadata, dict(zip(file.schema_arrow.names, file.schema_arrow.types, strict=True))
        _check_count(about.num_rows)
        check_columns(kinds, columns)
        if any(kinds[column].num_fields for column in columns):
            raise InputError(f"expected texts or bytes in the columns {', '.join(columns)}, found lists or structures")
        parts = [about.row_group(k).column(j) for k in range(about.num_row_groups) for j in range(about.num_columns)]
        if any(part.compression not in PACKED for part in parts):
            raise InputError(f"expected Parquet packed as {' or '.join(PACKED)}, found another compression")
        # A dictionary stays one: what stands in many rows is held once. Of columns that are not there it knows nothing.
        file = ParquetFile(io.BytesIO(body), metadata=about, read_dictionary=list(columns))
        table = file.read(columns=list(columns), use_threads=False)
        return {name: _unpacked(table[name].chunks) for name in columns}
    except (pa.ArrowException, OSError) as error:
        raise ValueError("no Parquet") from error


def _unpacked(chunks: Sequence[Any]) -> list[Any]:
    """Return the values of Arrow's arrays; those of a dictionary are not copied."""
    cells: list[Any] = []
    for chunk in chunks:
        if hasattr(chunk, "dictionary"):
            values = chunk.dictionary.to_pylist()
            cells += [None if place is None else values[place] for place in chunk.indices.to_pylist()]
        else:
            cells += chunk.to_pylist()
    if sum(len(cell) for cell in cells if isinstance(cell, bytes | str)) > BYTES:
        raise InputError(f"expected at most {BYTES // 2**20} MB of pictures, found more")
    return cells


def _form(body: bytes, content_type: str, columns: Sequence[str]) -> dict[str, list[tuple[str | None, bytes]]]:
    """Return (file name, content) of the files in the fields of a form."""
    boundary = parse_options_header(content_type)[1].get("boundary", "").encode("ascii", "replace")
    parser = MultiPartParser(stream_factory=_in_memory, max_form_parts=len(columns) * (MOST + 1))
    try:
        files = parser.parse(io.BytesIO(body), boundary, len(body))[1]
    except UnicodeDecodeError as error:
        raise InputError("expected names in UTF-8 in the form, found others") from error
    except (HTTPException, ValueError) as error:
        raise InputError("expected a form of files with a boundary, found one that is cut short or too long") from error
    return {
        column: [(file.filename and file.filename[:NAME], file.read()) for file in files.getlist(column)]
        for column in columns
    }


def _in_memory(*_: object, **__: object) -> io.BytesIO:
    """Return where a file of a form is kept while it is read: nothing is written to the disk."""
    return io.BytesIO()
