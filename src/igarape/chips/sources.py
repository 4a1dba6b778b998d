"""Where chips come from: a folder of pictures, and a CSV with their tags."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from igarape.chips.chip import Chip
from igarape.chips.pictures import NAMED, stem
from igarape.errors import InputError
from igarape.labels import Vocabulary
from igarape.tables import Fault

COLUMNS = ["image_name", "tags"]


@dataclass(frozen=True)
class File:
    """The origin of a chip in a folder: its file."""

    path: Path

    def read(self) -> bytes:
        """Return the bytes."""
        return self.path.read_bytes()


@dataclass(frozen=True)
class Listing:
    """The chips of a source, labelled ones first, and what was wrong."""

    chips: list[Chip]
    faults: list[Fault]


def open_folder(images: Path, tags: Path, *, unlabelled: Path | None, vocabulary: Vocabulary) -> Listing:
    """Match the pictures of a folder with the rows of a CSV (image_name, tags separated by blanks).

    A row or a picture that has no partner, unknown tags, or a name that stands twice becomes a fault and is left out.
    Raises InputError when a folder or the CSV is missing, the CSV lacks a column, or no chip is left.
    """
    faults: list[Fault] = []
    pictures = _pictures(images, faults)
    tagged = _read_tags(tags, vocabulary, faults)
    known = {fault.image for fault in faults}
    lonely = f"has tags in {tags.name}, but no picture in {images.name}"
    faults += [_left_out(image, lonely, "add the picture") for image in sorted(set(tagged) - set(pictures))]
    unnamed, remedy = sorted(set(pictures) - set(tagged) - known), "add the row, or remove the picture"
    faults += [_left_out(image, f"has no row in {tags.name}", remedy) for image in unnamed]
    labelled = {image: (pictures[image], tagged[image]) for image in sorted(set(tagged) & set(pictures))}
    if not labelled:
        raise InputError(
            f"{tags}: no row with known tags names one of the {len(pictures)} pictures in {images}; image_name "
            f"should be a picture's name without its suffix. The first fault: {faults[0].image}: {faults[0].problem}"
        )
    others = {} if unlabelled is None else _pictures(unlabelled, faults)
    both, remedy = sorted(set(others) & set(labelled)), "rename the unlabelled picture"
    faults += [_left_out(image, f"stands in {unlabelled} too", remedy) for image in both]
    chips = [Chip(image, "train", image, tags, File(path)) for image, (path, tags) in sorted(labelled.items())]
    alone = sorted((image, path) for image, path in others.items() if image not in labelled)
    return Listing(chips + [Chip(image, "test", image, (), File(path)) for image, path in alone], faults)


def _left_out(image: str, problem: str, remedy: str) -> Fault:
    return Fault(image, problem, remedy, left_out=True)


def _pictures(folder: Path, faults: list[Fault]) -> dict[str, Path]:
    """Return the folder's pictures by name without suffix; of two with one name, the first."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder. Check IGARAPE_DATA, and the data set's YAML in datasets/")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in NAMED or not path.is_file():
            continue
        first = found.setdefault(stem(path.name), path)
        if first != path:
            faults.append(_left_out(path.name, f"{first.name} has the same name", "keep one of the two"))
    if not found:
        raise InputError(f"{folder}: holds no picture; expected files that end in {', '.join(NAMED)}")
    return found


def _read_tags(path: Path, vocabulary: Vocabulary, faults: list[Fault]) -> dict[str, tuple[str, ...]]:
    """Return the tags of each image, by its first row; a tag list is a set, so repeats in it count once."""
    found: dict[str, tuple[str, ...]] = {}
    for name, text in _rows(path):
        image, tags = stem(name), tuple(dict.fromkeys(text.split()))
        if image in found:
            same = "the same" if set(found[image]) == set(tags) else "other"
            problem = f"stands twice in {path.name}, with {same} tags"
            faults.append(Fault(image, problem, "keep one row; the first one was used", left_out=False))
        found.setdefault(image, tags)
    for image, tags in list(found.items()):
        try:
            vocabulary.encode(tags)
        except InputError as error:
            faults.append(_left_out(image, str(error), f"correct the row in {path.name}"))
            del found[image]
    return found


def _rows(path: Path) -> Iterator[tuple[str, str]]:
    """Read the image names and the tags of a CSV."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected a CSV with the columns {', '.join(COLUMNS)}")
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a CSV that can be read: {error}") from error
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        raise InputError(f"{path}: expected the columns {', '.join(COLUMNS)}, found {', '.join(table.columns)}")
    if not isinstance(table.index, pd.RangeIndex):  # pandas takes a surplus first column for names of rows
        raise InputError(f"{path}: expected {table.shape[1]} fields in each row, as in its first line, found more")
    return zip(table["image_name"].str.strip(), table["tags"], strict=True)
