"""The tags of a data set: what the rows of its table say about each chip, and which of them are at fault."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, combinations
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from igarape.chips.formats import stem
from igarape.chips.sources.places import Place
from igarape.chips.sources.rows import Row, other_separator, read_rows, read_table
from igarape.chips.sources.spellings import Tags
from igarape.errors import InputError, counted, some
from igarape.labels import Vocabulary
from igarape.tables import Fault

# What the words of a split mean: chips to validate on are dealt into the folds, each of which validates.
SPLITS = dict.fromkeys(("train", "training", "val", "valid", "validation", "dev"), "train")
SPLITS |= dict.fromkeys(("test", "testing", "holdout", "hold-out"), "holdout")


@dataclass
class Annotations:
    """What a table says of each image_id: its tags, and where the table tells, its group and its split.

    split: train or holdout; test where no row of the split test has tags. remarks: what people should know.
    """

    tags: dict[str, Tags] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    splits: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def read_tags(
    place: Place,
    vocabulary: Vocabulary,
    *,
    image: str = "image_name",
    tags: str | None = "tags",
    group: str | None = None,
    split: str | None = None,
    separator: str = "blank",
    spellings: Mapping[str, str] | None = None,
) -> Annotations:
    """Read the tags of each image_id, and say which rows are at fault; those are left out.

    A chip may have several rows, which only add labels: then it has them all. Tags are a set, so repeats count once.

    Parameters
    ----------
    place
        A table, or a folder or an archive with one in it.
    vocabulary
        The labels that are known, and which of them exclude each other.
    image, tags, group, split
        What the table's columns are called; tags is None where each label has a column, group and split where there is
        none.
    separator
        What stands between tags, by its name in labels.SEPARATORS, or list.
    spellings
        How else tags are written, each with its label.

    Raises
    ------
    InputError
        When it is no such table, or its tags are separated otherwise.
    """
    path, table = read_table(place)
    columns: dict[str, Any] = {"image": image, "tags": tags, "group": group, "split": split}
    how: dict[str, Any] = {"separator": separator, "labels": vocabulary.labels, "spellings": spellings or {}}
    rows = list(read_rows(path, table, **columns, **how))
    name = PurePosixPath(path).name
    found = Annotations()
    _check_separator(path, rows, separator, {*vocabulary.labels, *(spellings or {})})
    chips = _by_chip(rows, name, found.faults)
    for image_id, own in chips.items():
        _add(found, image_id, own, vocabulary, name)
    _tell(found, chips, path, _unused(table, columns, vocabulary.labels), flags=tags is None)
    if split:
        _read_splits(found, chips, f"{path}: {split}")
    return found


def _by_chip(rows: Sequence[Row], table: str, faults: list[Fault]) -> Mapping[str, list[Row]]:
    """Gather the rows of each chip; one that names none is a fault."""
    chips: dict[str, list[Row]] = {}
    for number, row in enumerate(rows, start=1):
        image_id = stem(PurePosixPath(row.name.replace("\\", "/")).name)
        if image_id:
            chips.setdefault(image_id, []).append(row)
        else:
            problem = f"names no picture in {table}: {row.text}"
            faults.append(Fault(f"row {number}", problem, "name the picture, or remove the row", left_out=True))
    return chips


def _add(found: Annotations, image_id: str, rows: Sequence[Row], vocabulary: Vocabulary, table: str) -> None:
    """Add what the rows of a chip say, or why it has to be left out."""
    union = tuple(dict.fromkeys(chain.from_iterable(row.tags for row in rows)))
    problem = next((row.problem for row in rows if row.problem), "") or _problem(union, vocabulary)
    remedy = f"correct the row in {table}"
    if not problem and len(rows) > 1 and (why := _disagreement(rows, union, vocabulary)):
        problem, remedy = f"stands twice in {table}, {why}", "keep the right row"
    if problem:
        found.faults.append(Fault(image_id, problem, remedy, left_out=True))
    else:
        found.tags[image_id] = union
        found.groups[image_id] = rows[0].group


def _disagreement(rows: Sequence[Row], union: Tags, vocabulary: Vocabulary) -> str:
    """Say how the rows of a chip disagree, or nothing where they only repeat each other or add labels."""
    for what in ("group", "split"):
        values = list(dict.fromkeys(getattr(row, what) for row in rows))
        if len(values) > 1:
            return f"with the {what}s {' and '.join(values)}"
    if len({PurePosixPath(row.name.replace("\\", "/")).parent for row in rows}) > 1:
        return f"as {rows[0].name} and as another picture of that name"
    different = list(dict.fromkeys(frozenset(row.tags) for row in rows))
    torn = any(not one.isdisjoint(other) for one, other in combinations(different, 2))
    weathers, alone = set(union) & set(vocabulary.exclusive), set(union) & set(vocabulary.alone)
    if len(different) > 1 and (torn or len(weathers) > 1 or (alone and len(union) > 1)):
        first, second = (" ".join(sorted(one)) or "none" for one in different[:2])
        return f"with other tags: {first}; {second}"
    return ""


def _problem(tags: Tags, vocabulary: Vocabulary) -> str:
    """Say what is unknown about tags, or nothing."""
    try:
        vocabulary.encode(tags)
    except InputError as error:
        return str(error)
    return ""


def _check_separator(path: str, rows: Sequence[Row], separator: str, labels: Collection[str]) -> None:
    """Stop where tags are separated otherwise than the data set says: that is no fault of single rows."""
    unknown = [row for row in rows if not set(row.tags) <= set(labels)]
    texts = {row.text: other_separator(row.text, separator, labels) for row in unknown}
    torn = [row for row in unknown if texts[row.text]]
    if torn and 100 * len(torn) >= len(rows):
        first, other = torn[0], texts[torn[0].text]
        raise InputError(
            f"{path}: {first.name}: {first.text[:60]!r} holds known labels separated by a {other} (so in {len(torn)} "
            f"rows), the data set says {separator}. Write in its YAML, under labels, separator: {other}"
        )


def _unused(table: pd.DataFrame, columns: Mapping[str, str | None], labels: Sequence[str]) -> list[str]:
    """Return the columns of a table that nobody reads."""
    used = {*columns.values(), *(labels if columns["tags"] is None else ())}
    named = (column for column in map(str, table.columns) if not column.startswith("Unnamed: "))  # as pandas says it
    return [column for column in named if column not in used]


def _tell(
    found: Annotations, chips: Mapping[str, Sequence[Row]], path: str, unused: Sequence[str], *, flags: bool
) -> None:
    """Say what was found; rows that repeat others are faults, unless it is a table of a row for each label.

    flags: each label has a column of its own.
    """
    several = {image_id: rows for image_id, rows in chips.items() if len(rows) > 1 and image_id in found.tags}
    joined = [name for name, rows in several.items() if len({frozenset(row.tags) for row in rows}) > 1]
    who = f"the labels of {counted(len(joined), 'chip')} with several rows were joined: {some(joined)}"
    said = f"; {who}" if joined else ""
    found.remarks.append(f"tags: {counted(sum(map(len, chips.values())), 'row')} in {path}{said}")
    if not joined:
        problem, remedy = f"stands twice in {PurePosixPath(path).name}, with the same tags", "keep one row"
        found.faults += [Fault(image_id, problem, remedy, left_out=False) for image_id in several]
    if unused:
        held = "A label has a column of 0 and 1. " if flags else ""
        found.remarks.append(
            f"tags: not used of that table: {', '.join(unused)}. {held}Under source.columns the data set's YAML can "
            "name a column for group (what stays together in a split) and for split (train, val, test)"
        )


def _read_splits(found: Annotations, chips: Mapping[str, Sequence[Row]], where: str) -> None:
    """Read the split that the table gives, and say what became of it."""
    words = {image_id: chips[image_id][0].split.lower() for image_id in found.tags}
    odd = [image_id for image_id, word in words.items() if word not in SPLITS]
    if odd:
        raise InputError(
            f"{where}: {odd[0]}: expected train, val or test, found {words[odd[0]]!r} (so for "
            f"{counted(len(odd), 'chip')}). Write one of them into each row"
        )
    held = [image_id for image_id, word in words.items() if SPLITS[word] == "holdout"]
    labelled = any(found.tags[image_id] for image_id in held)
    found.splits = {image_id: SPLITS[word] for image_id, word in words.items()}
    if not labelled:
        found.splits |= dict.fromkeys(held, "test")
    counts = pd.Series(words).value_counts().to_dict()
    meaning = "its test chips are the hold-out" if labelled else "its test chips have no labels"
    said = ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))
    found.remarks.append(f"split: {said}; {meaning}, all others are dealt into folds")
