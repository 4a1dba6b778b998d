"""The rows of a table of tags: a CSV, however its fields and tags are separated, or a file in COCO's format."""

import ast
import csv
import io
import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from sys import intern
from typing import Any
from unicodedata import normalize

import pandas as pd

from igarape.chips.pictures import MAX_BYTES
from igarape.chips.sources.origins import ENOUGH
from igarape.chips.sources.places import Place
from igarape.chips.sources.spellings import Tags, spell
from igarape.errors import InputError, counted, reason, some
from igarape.labels import SEPARATORS

FIELDS = (",", ";", "\t", "|")  # what may stand between the fields of a CSV
EXCELS = re.compile(r"""\A"?sep=[,;\t|]"?(\r?\n|\r)""")  # its end stays, so that errors count lines as an editor does
SHOWN = 60  # letters of a row, in an error
HELD = {"1": True, "1.0": True, "true": True, "yes": True, "x": True}
HELD |= {"0": False, "0.0": False, "false": False, "no": False, "": False}


@dataclass(frozen=True)
class Row:
    """A row: the picture's name, its tags as text and as labels, and what the columns group and split hold.

    problem: why its tags cannot be read, or nothing.
    """

    name: str
    text: str
    tags: Tags
    group: str
    split: str
    problem: str = ""


def read_table(place: Place) -> tuple[str, pd.DataFrame]:
    """Return the path of a table, and its fields as text; a file in COCO's format has image_name and, as lists, tags.

    place: a CSV or a JSON, or a folder or an archive with one of them in it. Raises InputError when it is none.
    """
    path, data = _file(place)
    return path, _coco(path, data) if path.lower().endswith(".json") else parse_csv(path, data)


def read_rows(
    path: str,
    table: pd.DataFrame,
    *,
    image: str,
    tags: str | None,
    group: str | None,
    split: str | None,
    separator: str,
    labels: Sequence[str],
    spellings: Mapping[str, str],
) -> Iterator[Row]:
    """Read the rows of a table, but for blank ones, by the names of its columns.

    Parameters
    ----------
    path
        What an error begins with; one that ends in .json has lists of tags, as read_table makes them.
    table
        Fields as text.
    image, tags, group, split
        The columns; tags is None where each label has one of its own, group and split where there is none.
    separator
        What stands between tags, by its name in labels.SEPARATORS, or list.
    labels
        Those that are known.
    spellings
        How else tags are written, each with its label.

    Raises
    ------
    InputError
        When a column is missing.
    """
    wanted = [image, *([tags] if tags else labels), *(column for column in (group, split) if column)]
    missing = [column for column in wanted if column not in table]
    if missing:
        raise InputError(f"{path}: expected the columns {', '.join(wanted)}, found {', '.join(table.columns)}")
    coco = path.lower().endswith(".json")
    for fields in table.to_dict("records"):
        name = fields[image].strip()
        text = str(fields[tags]).strip() if tags else ", ".join(label for label in labels if fields[label].strip())
        if tags:
            found, problem = split_tags(text, "list" if coco else separator), ""
        else:
            found, problem = _one_hot(fields, labels)
        if name or text:
            together, part = (str(fields[column]).strip() if column else "" for column in (group, split))
            yield Row(name, text, spell(found, spellings), together, part, problem)


def split_tags(text: str, separator: str) -> Tags:
    """Take a text apart into tags, by the name of what separates them; a list is one of Python's or of JSON's."""
    if separator == "list":
        try:
            found = ast.literal_eval(text) if text else ()
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return (text,)
        return tuple(normalize("NFC", str(tag)) for tag in found) if isinstance(found, list | tuple) else (text,)
    parts = text.split() if separator == "blank" else text.split(SEPARATORS[separator])
    # One text for each tag, not for each row: there may be a million rows.
    return tuple(intern(normalize("NFC", part.strip())) for part in parts if part.strip())


def other_separator(text: str, separator: str, labels: Collection[str]) -> str | None:
    """Return the separator that takes a text apart into known labels, where that is another one."""
    for other in (*SEPARATORS, "list"):
        parts = split_tags(text, other)
        if other != separator and parts and parts != split_tags(text, separator) and set(parts) <= set(labels):
            return other
    return None


def _one_hot(fields: Mapping[Hashable, Any], labels: Sequence[str]) -> tuple[Tags, str]:
    """Read the labels whose columns hold 1, and say what is wrong with a column that holds neither 0 nor 1."""
    values = {label: fields[label].strip().lower() for label in labels}
    odd = next((label for label, value in values.items() if value not in HELD), None)
    problem = f"column {odd} holds {fields[odd]!r}, expected 0 or 1" if odd else ""
    return tuple(label for label, value in values.items() if HELD.get(value)), problem


def _file(place: Place) -> tuple[str, bytes]:
    """Return the path and the bytes of the table at a place."""
    path, file = place.path, place.file
    if file is None:
        tables = [name for name in place.files if name.lower().endswith((".csv", ".json"))]
        if len(tables) != 1:
            found = ", ".join(tables) or "none"
            raise InputError(f"{path}: expected one CSV with the tags, found {found}")
        path, file = f"{path}/{tables[0]}", place.files[tables[0]]
    data = file.read()
    if len(data) == ENOUGH:
        raise InputError(f"{path}: expected a CSV of at most {MAX_BYTES // 2**20} MB, found a larger file")
    return path, data


def parse_csv(path: str, data: bytes) -> pd.DataFrame:
    """Read a CSV's fields as text; what stands between them is told by its first line.

    A line such as `sep=;` above that, which some programs write for Excel, is passed over. path: what an error begins
    with. Raises InputError when the bytes are no CSV in UTF-8, two columns have one name, or a row has more or fewer
    fields than the first line.
    """
    try:
        text = EXCELS.sub(r"\1", data.decode("utf-8-sig"))
        head = text.lstrip("\r\n").partition("\n")[0].partition("\r")[0]
        # Quotes may hold a separator, so it is the number of fields that tells.
        heads = {one: next(csv.reader([head], delimiter=one, skipinitialspace=True), []) for one in FIELDS}
        separator = max(FIELDS, key=lambda one: len(heads[one]))
        short = _short_rows(path, text, separator, len(heads[separator]))
        table = pd.read_csv(
            io.BytesIO(text.encode()),
            sep=separator,
            dtype=str,
            keep_default_na=False,
            skipinitialspace=True,
        )
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a CSV that can be read: {reason(error)}. Save it as UTF-8") from error
    except (ValueError, csv.Error) as error:
        raise InputError(f"{path}: not a CSV that can be read: {reason(error)}") from error
    names = Counter(normalize("NFC", name.strip()) for name in heads[separator])
    if twice := [name for name, count in names.items() if name and count > 1]:  # which pandas renames
        raise InputError(f"{path}: two columns of one name: {some(twice)}. Remove or rename all but one")
    table.columns = table.columns.str.strip().map(lambda name: normalize("NFC", name))
    if short:
        raise InputError(
            f"{path}: {some(short)}: expected {counted(table.shape[1], 'field')} in each row, as in its first line, "
            f"found fewer. Write {separator!r} before a field that is empty too"
        )
    return table.fillna("")


def _short_rows(path: str, text: str, separator: str, count: int) -> list[str]:
    """Return the first field of each row that has fewer than count; raise InputError for one that has more.

    To pandas what a row lacks is empty: a name whose tags were lost would be a chip of no label. Where all rows have
    more, it takes the first field for a row's name.
    """
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    short = []
    for row in rows:
        if len(row) > count:
            raise InputError(
                f"{path}: line {rows.line_num}: expected {counted(count, 'field')} in each row, as in its first line, "
                f"found {len(row)}: {separator.join(row)[:SHOWN]!r}. Quote the tags where what separates them "
                "separates the fields too"
            )
        if len(row) < count and any(map(str.strip, row)):
            short.append(row[0])
    return short


def _coco(path: str, data: bytes) -> pd.DataFrame:
    """Read a file in COCO's format: each picture with the names of its annotations' categories, as a list."""
    try:
        content = json.loads(data)
        names = {one["id"]: str(one["name"]) for one in content["categories"]}
        found: dict[Any, dict[str, None]] = defaultdict(dict)
        for one in content["annotations"]:
            found[one["image_id"]][names[one["category_id"]]] = None
        rows = [
            {key: str(value) for key, value in one.items() if isinstance(value, str | int | float)}
            | {"image_name": PurePosixPath(one["file_name"]).name, "tags": repr(list(found[one["id"]]))}
            for one in content["images"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: expected a file in COCO's format, with images, annotations and categories; {reason(error)}"
        ) from error
    return pd.DataFrame(rows, columns=["image_name", "tags", *_extra(rows)]).fillna("")


def _extra(rows: Sequence[dict[str, str]]) -> list[str]:
    """Return what COCO's pictures say besides: perhaps a scene, or a split."""
    usual = {"image_name", "tags", "file_name", "id", "width", "height"}
    return list(dict.fromkeys(key for row in rows for key in row if key not in usual))
