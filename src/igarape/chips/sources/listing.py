"""Where chips come from: pictures in folders or archives, and a table with their tags."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from igarape.chips.chip import Chip
from igarape.chips.formats import CONVERT, NAMED, stem, unread
from igarape.chips.sources.annotations import Annotations, read_tags
from igarape.chips.sources.folders import read_folders
from igarape.chips.sources.origins import Origin
from igarape.chips.sources.places import Finder, Place, is_picture
from igarape.errors import InputError
from igarape.labels import Vocabulary
from igarape.progress import Report
from igarape.tables import Fault

Find = Callable[[str], Place | None]


@dataclass(frozen=True)
class Listing:
    """The chips of a source, what was wrong, and where it was found, to be shown to people.

    chips: the labelled ones in the order of their names, then the others in theirs.
    """

    chips: list[Chip]
    faults: list[Fault]
    used: list[str]


def open_source(
    root: Path,
    *,
    images: Sequence[str],
    tags: Sequence[str],
    unlabelled: Sequence[Sequence[str]],
    vocabulary: Vocabulary,
    spool: Path,
    report: Report,
    columns: Mapping[str, Any] | None = None,
    separator: str = "blank",
    spellings: Mapping[str, str] | None = None,
) -> Listing:
    """Match pictures with the rows of a table of tags; no picture is read yet.

    A row or a picture that has no partner, unknown tags, rows that disagree, a picture in a format that is not read,
    and one that an archive should not hold become faults and are left out.

    Parameters
    ----------
    root
        Where all paths begin.
    images, tags
        Paths from the root, of which the first that exists is used; they may lead through archives, and * stands for
        any letters. Without tags, the folders below images name the labels.
    unlabelled
        Sets of such paths, each to pictures without tags; a set may be missing.
    vocabulary
        The labels that are known.
    spool
        A folder for what has to be unpacked; what a run before has unpacked there is used again.
    report
        Called with the bytes unpacked so far, and all.
    columns, separator, spellings
        As read_tags takes them: image, tags, group and split.

    Raises
    ------
    InputError
        When pictures or table are missing, the table lacks a column, an archive is damaged, or no chip is left.
    """
    finder = Finder(root, spool, report)
    shown = _found(root, "pictures", images, finder.find_pictures if tags else finder.find_below)
    faults: list[Fault] = []
    if tags:
        table = _found(root, "tags", tags, finder.find)
        how = {"separator": separator, "spellings": spellings, **(columns or {})}
        pictures, found = _by_table(shown, table, vocabulary, faults, **how)
    else:
        table = shown
        pictures, found = read_folders(shown, vocabulary, spellings or {})
        faults += found.faults
    used = [f"pictures: {len(pictures)} in {shown.path}", *found.remarks]
    _report_lonely(pictures, found, shown, table, faults)
    labelled = _labelled(pictures, found, shown, table, faults)
    others = _sets(finder, unlabelled, what="unlabelled pictures", labelled=set(labelled), faults=faults, used=used)
    return Listing(_chips(labelled, found, pictures, others), list(dict.fromkeys(faults)), used)


def _labelled(
    pictures: Mapping[str, Origin], found: Annotations, shown: Place, table: Place, faults: Sequence[Fault]
) -> list[str]:
    """Return the names of the pictures that have tags. Raises InputError with the first fault where there is none."""
    labelled = sorted(set(pictures) & set(found.tags))
    if not labelled:
        raise InputError(
            f"{table.path}: no row with known tags names a picture in {shown.path} ({len(pictures)} there); image_name "
            "should be a picture's name, with or without its suffix. "
            f"The first fault: {faults[0].image_id}: {faults[0].problem}"
        )
    return labelled


def _chips(
    labelled: Sequence[str], found: Annotations, pictures: Mapping[str, Origin], others: Mapping[str, Origin]
) -> list[Chip]:
    """Put chips together with what is known of them; of the labelled ones those that the table calls test come last."""
    splits = {name: found.splits.get(name, "train") for name in labelled}
    return [
        *(
            Chip(name, splits[name], found.groups.get(name) or name, found.tags[name], pictures[name])
            for name in sorted(labelled, key=lambda name: (splits[name] == "test", name))
        ),
        *(Chip(name, "test", name, (), origin) for name, origin in sorted(others.items())),
    ]


def _by_table(
    place: Place, table: Place, vocabulary: Vocabulary, faults: list[Fault], **how: Any
) -> tuple[dict[str, Origin], Annotations]:
    """Read the tags of pictures from a table."""
    found = read_tags(table, vocabulary, **how)
    faults += found.faults
    return _pictures(place, faults), found


def list_pictures(
    root: Path, sets: Sequence[Sequence[str]], *, what: str, spool: Path, report: Report
) -> tuple[dict[str, Origin], list[Fault], list[str]]:
    """List pictures that go with no table: where the bytes of each are by its name, what was wrong, where it was found.

    Parameters
    ----------
    root, sets
        As open_source takes them, and its unlabelled.
    what
        People's word for the pictures.
    spool, report
        As open_source takes them.
    """
    faults: list[Fault] = []
    used: list[str] = []
    pictures = _sets(Finder(root, spool, report), sets, what=what, labelled=set(), faults=faults, used=used)
    return pictures, list(dict.fromkeys(faults)), used


def _found(root: Path, what: str, paths: Sequence[str], find: Find) -> Place:
    """Return the first of the places that exists."""
    place = _first(paths, find)
    if place is None:
        looked = ", ".join(paths)
        raise InputError(f"{root}: no {what} found; looked for {looked}. Check IGARAPE_DATA, and the data set's YAML")
    return place


def _first(paths: Sequence[str], find: Find) -> Place | None:
    return next((place for path in paths if (place := find(path)) is not None), None)


def _left_out(image_id: str, problem: str, remedy: str) -> Fault:
    return Fault(image_id, problem, remedy, left_out=True)


def _pictures(place: Place, faults: list[Fault]) -> dict[str, Origin]:
    """Return the pictures of a place by name without suffix.

    Of two with one name in a folder the first counts; in two folders neither does, as nothing says which is meant.
    """
    faults += place.unreadable()
    places: dict[str, dict[str, Origin]] = {}
    for path, origin in sorted(_together(place).items()):
        try:
            places.setdefault(stem(PurePosixPath(path).name), {})[path] = origin
        except InputError:
            faults.append(_left_out(ascii(path), "has a name that no table could hold", "rename it"))
    pictures: dict[str, Origin] = {}
    for image_id, same in places.items():
        first, *others = same
        if len({PurePosixPath(path).parent for path in same}) > 1:
            faults.append(_left_out(image_id, f"is the name of {' and of '.join(same)}", "rename all but one"))
            continue
        pictures[image_id] = same[first]
        problem = f"{PurePosixPath(first).name} has the same name"
        faults += [_left_out(PurePosixPath(path).name, problem, "keep one of the two") for path in others]
    return pictures


def _together(place: Place) -> dict[str, Origin]:
    """Return the pictures that lie directly in a place, or where there are none, in all folders below it."""
    pictures = {path: origin for path, origin in place.files.items() if is_picture(path)}
    other = sorted({form for name in place.files if (form := unread(name))})
    if not pictures and other:
        raise InputError(f"{place.path}: holds pictures in {', '.join(other)}, which is not read; {CONVERT}")
    if not pictures:
        raise InputError(
            f"{place.path}: holds no picture; found {place.holds()}; expected files that end in {', '.join(NAMED)}"
        )
    return {path: origin for path, origin in pictures.items() if "/" not in path} or pictures


def _report_lonely(
    pictures: Mapping[str, Origin], found: Annotations, shown: Place, table: Place, faults: list[Fault]
) -> None:
    """Add a fault for each row without a picture, and each picture without a row, but for those that have one."""
    known = {fault.image_id for fault in faults if fault.left_out}
    here, there = (PurePosixPath(place.path).name for place in (shown, table))
    rows, remedy = sorted(set(found.tags) - set(pictures) - known), "add the picture"
    faults += [_left_out(image_id, f"has tags in {there}, but no picture in {here}", remedy) for image_id in rows]
    unnamed, remedy = sorted(set(pictures) - set(found.tags) - known), "add the row, or remove the picture"
    faults += [_left_out(image_id, f"has no row in {there}", remedy) for image_id in unnamed]


def _sets(
    finder: Finder,
    sets: Sequence[Sequence[str]],
    *,
    what: str,
    labelled: set[str],
    faults: list[Fault],
    used: list[str],
) -> dict[str, Origin]:
    """Return the pictures of all sets that exist, but for labelled ones; say in used which do, and which do not."""
    others: dict[str, Origin] = {}
    for paths in sets:
        place = _first(paths, finder.find_pictures)
        if place is None:
            used.append(f"{what}: none; looked for {', '.join(paths)}")
            continue
        pictures = _pictures(place, faults)
        used.append(f"{what}: {len(pictures)} in {place.path}")
        # Not the whole path: it is the machine's, and faults are part of what is hashed.
        twice = sorted(set(pictures) & (labelled | set(others)))
        problem = f"stands in {PurePosixPath(place.path).name} too"
        faults += [_left_out(image_id, problem, "rename one of the two") for image_id in twice]
        others = {image_id: origin for image_id, origin in pictures.items() if image_id not in labelled} | others
    return others
