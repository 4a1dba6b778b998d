"""A look at a table of tags that nobody has described yet: which column is what, and what separates tags."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import pandas as pd

from igarape.chips.formats import NAMED, stem
from igarape.chips.sources.annotations import SPLITS
from igarape.chips.sources.rows import HELD, other_separator, split_tags
from igarape.errors import InputError
from igarape.labels import SEPARATORS

TAGS = ("tags", "labels", "label", "tag", "classes", "class", "categories", "category")
GROUPS = ("scene", "group", "scene_id", "group_id", "tile", "region", "location", "site")
PARTS = ("split", "subset", "set", "part", "partition")
SHOWN = 3  # fields of a row, in an error
ODD = 0.05  # of a column's fields: a slip of the pen here and there, which is told, not another kind of column


@dataclass(frozen=True)
class Survey:
    """What a table seems to hold: the names of its columns as config's Columns has them, the separator, the labels."""

    columns: dict[str, str | None]
    separator: str
    labels: tuple[str, ...]


def survey(
    path: str,
    table: pd.DataFrame,
    pictures: Collection[str],
    *,
    labels: str | None,
    group: str | None,
    split: str | None,
) -> Survey:
    """Find out which column names the pictures, which holds tags, groups and a split, and what separates tags.

    Parameters
    ----------
    path
        What an error begins with; one that ends in .json is a file in COCO's format.
    table
        Fields as text.
    pictures
        The image_ids that are there.
    labels, group, split
        Columns that the user names; None: they are looked for.

    Raises
    ------
    InputError
        When the first line is a row, no column names pictures, none holds labels, or a column that is named is missing,
        or named for two things.
    """
    named = [column for column in (labels, group, split) if column is not None]
    for column in named:
        if column not in table:
            raise InputError(f"{path}: no column {column!r}, found {', '.join(table.columns)}")
    image = _image_column(path, table, set(pictures))
    for column in named:
        if [image, *named].count(column) > 1:
            what = "holds the pictures' names" if column == image else "is named for two things"
            raise InputError(f"{path}: column {column!r} {what}. Name another one for --labels, --group or --split")
    split = split or next((name for name in _named(table, PARTS) if name not in named and _is_split(table[name])), None)
    group = group or next((name for name in _named(table, GROUPS) if name not in named), None)
    rest = [name for name in table.columns if name not in {image, group, split}]
    tags = labels or _tags_column(path, table, rest)
    if tags is None:
        known = tuple(name for name in rest if _is_flag(table[name]))
        separator = _unused_separator(known)
    else:
        separator, known = _separated(table[tags].astype(str).str.strip().tolist(), coco=path.lower().endswith(".json"))
        _check_mixed(path, separator, known)
    return Survey({"image": image, "tags": tags, "group": group, "split": split}, separator, known)


def _image_column(path: str, table: pd.DataFrame, pictures: set[str]) -> str:
    """Return the column whose fields name most pictures."""
    ids: Mapping[str, set[str]] = {
        name: {stem(PurePosixPath(field.replace("\\", "/")).name) for field in table[name].astype(str).str.strip()}
        for name in table.columns
    }
    best = max(table.columns, key=lambda name: len(ids[name] & pictures), default="")
    if not best or not ids[best] & pictures:
        held = f"with {', '.join(map(repr, table.iloc[0][:SHOWN]))} in the first row" if len(table) else "and no row"
        raise InputError(
            f"{path}: no column names the {len(pictures)} pictures, such as {min(pictures, default='none')!r}; found "
            f"the columns {', '.join(table.columns)}, {held}. Write a picture's name into each row, under image_name, "
            "with the same letters, capitals and zeros as the file's"
        )
    file = PurePosixPath(str(best).replace("\\", "/")).name
    if stem(file) in pictures or PurePosixPath(file).suffix.lower() in NAMED:
        raise InputError(
            f"{path}: expected the names of the columns in its first line, found a picture, {best}. Write a line above "
            "it, such as image_name,tags"
        )
    return str(best)


def _tags_column(path: str, table: pd.DataFrame, rest: Sequence[str]) -> str | None:
    """Return the column that holds tags; None where each label has a column of its own."""
    named = _named(table[list(rest)], TAGS)
    if named:
        return named[0]
    if sum(_is_flag(table[name]) for name in rest) >= 2:
        return None
    if len(rest) == 1:
        return rest[0]
    raise InputError(
        f"{path}: no column of labels; expected one called {' or '.join(TAGS[:3])}, or a column of 0 and 1 for each "
        f"label, found {', '.join(table.columns)}. Say which one it is: --labels COLUMN"
    )


def _separated(texts: Sequence[str], *, coco: bool) -> tuple[str, tuple[str, ...]]:
    """Return what separates tags, and the labels: a separator makes no more labels than there are texts."""
    held = [text for text in texts if text]
    if held and (coco or all(text[0] in "[(" for text in held)):
        labels = _distinct(held, "list")
        return ("blank" if coco and not any(" " in label for label in labels) else "list"), labels
    for separator in ("semicolon", "pipe", "comma", "blank"):
        labels = _distinct(held, separator)
        if any(len(split_tags(text, separator)) > 1 for text in held) and len(labels) <= len(set(held)):
            return separator, labels
    labels = tuple(sorted(set(held)))
    return _unused_separator(labels), labels


def _check_mixed(path: str, separator: str, labels: Sequence[str]) -> None:
    """Refuse tags of which some rows separate otherwise than most: those would be labels made of several."""
    others = {label: other_separator(label, separator, labels) for label in labels}
    torn = [label for label, other in others.items() if other in {"comma", "semicolon", "pipe"}]
    if torn:
        raise InputError(
            f"{path}: tags are separated by a {separator} in some rows and by a {others[torn[0]]} in others: "
            f"{torn[0]!r} and {len(torn) - 1} more. Write one of the two everywhere"
        )


def _distinct(texts: Sequence[str], separator: str) -> tuple[str, ...]:
    return tuple(sorted({tag for text in texts for tag in split_tags(text, separator)}))


def _unused_separator(labels: Sequence[str]) -> str:
    """Return a separator that no label holds."""
    return next((name for name, one in SEPARATORS.items() if not any(one in label for label in labels)), "list")


def _named(table: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Return the columns that are called so, in whatever case, the likeliest first."""
    return [str(column) for name in names for column in table.columns if str(column).lower() == name]


def _is_split(column: "pd.Series[str]") -> bool:
    """Say whether a column holds the words of a split; a row that holds another, or none, is told where it is read."""
    return _odd(column, SPLITS) <= ODD


def _is_flag(column: "pd.Series[str]") -> bool:
    """Say whether a column holds 0 and 1; a row that holds something else is at fault, which is no other column's."""
    odd = _odd(column, HELD)
    return odd == 0 or (odd <= ODD and {HELD.get(str(field).strip().lower()) for field in column} >= {True, False})


def _odd(column: "pd.Series[str]", known: Collection[str]) -> float:
    """Return the share of a column's fields that are not known, of those that are not blank; 1 where all are blank."""
    fields = [field for field in column.astype(str).str.strip().str.lower() if field]
    return sum(field not in known for field in fields) / len(fields) if fields else 1.0
