"""A published split: which chips a benchmark trains on, and which it tests on, as the names in its files say."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from igarape.chips.formats import stem
from igarape.chips.sources.annotations import SPLITS
from igarape.chips.sources.origins import loose
from igarape.chips.sources.places import Place
from igarape.chips.sources.rows import read_table
from igarape.chips.sources.survey import PARTS
from igarape.errors import InputError, counted

NAMES = ("image_name", "image", "image\\label")  # AiTLAS has the last two
OWN_FILE = re.compile(rf"(.*?)({'|'.join(sorted(SPLITS, key=len, reverse=True))})", re.IGNORECASE)


@dataclass(frozen=True)
class Published:
    """The names of a split's chips, in the order of its files.

    train: those for training, the validation's among them: whoever validates on chips has seen them. test: the others.
    """

    train: tuple[str, ...]
    test: tuple[str, ...]


def read_split(path: Path) -> Published:
    """Read a split: a table with a column split or part; or a file for each part, of which path is one.

    A table's column image_name or image holds the names, with or without folder and suffix, and its column split or
    part the words train, val and test. A file of one part is called by that word, such as test.txt or, as AiTLAS has
    them, planetuas_test.csv; the others lie beside it. It is a table with a column image_name or image, or lists a name
    a line. Other columns, such as AiTLAS's labels, are not read.

    Raises InputError where neither is the case, a part is missing, a word is no part's, or a name stands twice.
    """
    names, parts = _read(path)
    if parts is None:
        found = [(name, word) for word, file in _files(path).items() for name in _read(file)[0]]
    else:
        found = list(zip(names, (word.strip().lower() for word in parts), strict=True))
    return _sorted_out([(_plain(name), word) for name, word in found], path)


def _read(path: Path) -> tuple[list[str], list[str] | None]:
    """Return the names in a file, and the parts' words where it has a column of them."""
    _, table = read_table(Place(str(path), file=loose(path)))
    columns = {str(column).lower(): str(column) for column in table.columns}
    named = next((columns[name] for name in NAMES if name in columns), None)
    if named is None and len(columns) == 1:  # a plain list, whose first line names a chip too
        (first,) = table.columns
        return [str(first), *table[first]], None
    if named is None:
        raise InputError(f"{path}: expected a column image_name or image, found {', '.join(table.columns)}")
    word = next((columns[name] for name in PARTS if name in columns), None)
    return list(table[named]), None if word is None else list(table[word])


def _files(path: Path) -> dict[str, Path]:
    """Return the files of a split by the words of their parts, of which path is one."""
    match = OWN_FILE.fullmatch(path.stem)
    if match is None:
        raise InputError(
            f"{path}: expected a column split or part of train, val and test; or a file for each part, called so: "
            "planetuas_train.csv, planetuas_val.csv, planetuas_test.csv"
        )
    beside = {word: path.with_name(f"{match[1]}{word}{path.suffix}") for word in SPLITS}
    found = {word: file for word, file in beside.items() if file.exists()} | {match[2].lower(): path}
    for wanted, meaning in (("train", "train"), ("test", "holdout")):
        if not any(SPLITS[word] == meaning for word in found):
            raise InputError(
                f"{path}: expected {beside[wanted].name} beside it, found none. Bring all files of the split"
            )
    return found


def _plain(name: str) -> str:
    """Return a chip's name without folder and suffix."""
    return stem(PurePosixPath(name.strip().replace("\\", "/")).name)


def _sorted_out(found: Sequence[tuple[str, str]], path: Path) -> Published:
    """Deal names to training and test by the words of their parts; refuse what is not one of each."""
    words: dict[str, str] = {}
    for row, (name, word) in enumerate(found, start=1):
        if not name:
            raise InputError(f"{path}: row {row} names no chip. Name it, or remove the row")
        if word not in SPLITS:
            raise InputError(f"{path}: {name}: expected train, val or test, found {word!r}")
        if name in words:
            raise InputError(f"{path}: {name} stands twice: in {words[name]} and in {word}. Keep one")
        words[name] = word
    train, test = (tuple(name for name, word in words.items() if SPLITS[word] == side) for side in ("train", "holdout"))
    if not train or not test:
        raise InputError(
            f"{path}: names {counted(len(train), 'chip')} to train on and {len(test)} to test on; expected some of both"
        )
    return Published(train, test)
