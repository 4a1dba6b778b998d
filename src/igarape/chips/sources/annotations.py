"""The tags of a data set: a CSV with the columns image_name and tags."""

import io
from collections.abc import Iterator
from pathlib import PurePosixPath

import pandas as pd

from igarape.chips.pictures import MAX_BYTES, stem
from igarape.chips.sources.origins import ENOUGH
from igarape.chips.sources.places import Place
from igarape.errors import InputError
from igarape.labels import Vocabulary
from igarape.tables import Fault

COLUMNS = ["image_name", "tags"]
Tags = tuple[str, ...]


def read_tags(place: Place, vocabulary: Vocabulary) -> tuple[dict[str, Tags], list[Fault]]:
    """Read the tags of each image_id, by its first row, and say which rows are at fault; unknown tags are left out.

    place: a CSV, or a folder or an archive with one CSV in it. Tags are separated by blanks; they are a set, so repeats
    count once. Raises InputError when it is no such CSV.
    """
    path, data = _csv(place)
    table = PurePosixPath(path).name
    faults: list[Fault] = []
    first: dict[str, Tags] = {}
    for number, (name, text) in enumerate(_rows(path, data), start=1):
        image_id, tags = stem(name), tuple(dict.fromkeys(text.split()))
        if not image_id:
            problem = f"names no picture in {table}: {text}"
            faults.append(Fault(f"row {number}", problem, "name the picture, or remove the row", left_out=True))
        elif image_id in first:
            same = "the same" if set(first[image_id]) == set(tags) else "other"
            problem = f"stands twice in {table}, with {same} tags"
            faults.append(Fault(image_id, problem, "keep one row; the first one was used", left_out=False))
        else:
            first[image_id] = tags
    problems = {tags: _problem(tags, vocabulary) for tags in set(first.values())}
    for image_id, tags in first.items():
        if problem := problems[tags]:
            faults.append(Fault(image_id, problem, f"correct the row in {table}", left_out=True))
    return {image_id: tags for image_id, tags in first.items() if not problems[tags]}, faults


def _problem(tags: Tags, vocabulary: Vocabulary) -> str:
    """Say what is unknown about tags, or nothing."""
    try:
        vocabulary.encode(tags)
    except InputError as error:
        return str(error)
    return ""


def _csv(place: Place) -> tuple[str, bytes]:
    """Return the path and the bytes of the CSV at a place."""
    path, file = place.path, place.file
    if file is None:
        tables = [name for name in place.files if name.lower().endswith(".csv")]
        if len(tables) != 1:
            found = ", ".join(tables) or "none"
            raise InputError(f"{path}: expected one CSV with the columns {', '.join(COLUMNS)}, found {found}")
        path, file = f"{path}/{tables[0]}", place.files[tables[0]]
    data = file.read()
    if len(data) == ENOUGH:
        raise InputError(f"{path}: expected a CSV of at most {MAX_BYTES // 2**20} MB, found a larger file")
    return path, data


def _rows(path: str, data: bytes) -> Iterator[tuple[str, str]]:
    """Read the image names and the tags of a CSV, but for blank lines."""
    try:
        table = pd.read_csv(
            io.BytesIO(data), dtype=str, keep_default_na=False, encoding="utf-8-sig", skipinitialspace=True
        )
    except ValueError as error:  # a UnicodeDecodeError is one too
        raise InputError(f"{path}: not a CSV that can be read: {error}") from error
    table.columns = table.columns.str.strip()
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        raise InputError(f"{path}: expected the columns {', '.join(COLUMNS)}, found {', '.join(table.columns)}")
    if not isinstance(table.index, pd.RangeIndex):  # pandas takes a surplus first column for names of rows
        raise InputError(f"{path}: expected {table.shape[1]} fields in each row, as in its first line, found more")
    names, tags = (table[column].fillna("").str.strip() for column in COLUMNS)
    return ((name, text) for name, text in zip(names, tags, strict=True) if name or text)
