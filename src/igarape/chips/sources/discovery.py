"""Discovery: pictures and a table that nobody has described, and all that a data set's YAML says about them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from igarape.chips.sources.annotations import Annotations, read_tags
from igarape.chips.sources.folders import sort_by_folder
from igarape.chips.sources.inspection import Inspection, inspect_pictures
from igarape.chips.sources.listing import list_pictures
from igarape.chips.sources.origins import Origin
from igarape.chips.sources.places import Finder
from igarape.chips.sources.rows import read_table
from igarape.chips.sources.rules import Group, broken_rows, exclusive_group, lone_labels
from igarape.chips.sources.spellings import Tags, spell, spelled_alike
from igarape.chips.sources.survey import Survey, survey
from igarape.errors import InputError, counted, some
from igarape.labels import Booleans, Vocabulary
from igarape.progress import Report

FEWEST_LABELS, FEWEST_CHIPS, SMALLEST = 2, 20, 32
MOST_LABELS, LARGEST = 64, 600  # what was tested
HOLLOW = ("na", "n/a", "nan", "null", "none", "nil", "unknown", "?", "-")  # words that may stand for no label
RARE = 0.01  # of the chips
SCARCE = 6  # chips: one for each of five folds, and for the hold-out


@dataclass(frozen=True)
class Discovery:
    """What was found: the table's columns and separator, how many chips hold each label, the rules, the pictures.

    spellings: how else labels are written, each with its label. counts: most frequent first. rule: the labels of which
    exactly one seems to hold, if any; the vocabulary has them where there are chips enough to tell. odd: the chips that
    hold none of them, or several. groups: how many chips each group of the table has; empty where it names none.
    """

    survey: Survey
    spellings: Mapping[str, str]
    counts: Mapping[str, int]
    vocabulary: Vocabulary
    rule: Group | None
    odd: Sequence[str]
    looks: Inspection
    chips: int
    groups: Mapping[str, int]


def discover(
    root: Path,
    *,
    images: str,
    tags: str | None,
    labels: str | None,
    group: str | None,
    split: str | None,
    bands: Sequence[str],
    size: int | None,
    spool: Path,
    report: Report,
) -> Discovery:
    """Look at pictures and at their table, or at a folder for each label where there is none.

    Parameters
    ----------
    root
        Of data sets' paths.
    images, tags
        Paths from the root on, which may lead through archives; without tags, folders name the labels.
    labels, group, split
        Columns that the user names; None: they are surveyed for.
    bands
        What the user calls those of TIFs.
    size
        The side that the user wants, in pixels; None: that of the pictures.
    spool, report
        As open_source takes them.

    Raises
    ------
    InputError
        For what cannot be made sense of, and for less than two labels, 20 chips or 32 pixels.
    """
    finder = Finder(root, spool, report)
    if tags is None:
        pictures, found, surveyed = _by_folder(finder, images)
    else:
        pictures = _pictures(root, images, spool, report)
        found, surveyed = _by_table(finder, tags, pictures, labels=labels, group=group, split=split)
    labelled = [name for name in sorted(found.tags) if name in pictures and found.splits.get(name) != "test"]
    spellings = spelled_alike(found.tags.values()) if tags is None or surveyed.columns["tags"] else {}
    found.tags = {name: spell(own, spellings) for name, own in found.tags.items()}
    counts = _counts(found.tags[name] for name in labelled)
    seen = inspect_pictures(pictures, bands=bands, size=size)
    _check(chips=len(labelled), labels=sorted(counts), size=seen.size)
    y = np.array([[label in own for label in counts] for own in (set(found.tags[name]) for name in labelled)], np.bool_)
    vocabulary, rule = _vocabulary(y, counts)
    return Discovery(
        survey=surveyed,
        spellings=spellings,
        counts=counts,
        vocabulary=vocabulary,
        rule=rule,
        odd=[labelled[row] for row in broken_rows(y, list(counts), rule.labels if rule else ())],
        looks=seen,
        chips=len(labelled),
        groups=Counter(found.groups[name] for name in labelled if found.groups.get(name)),
    )


def _counts(tags: Iterable[Tags]) -> Counter[str]:
    """Return how many chips hold each label, the most frequent first."""
    counts = Counter(tag for own in tags for tag in own)
    return Counter(dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))))


def _pictures(root: Path, images: str, spool: Path, report: Report) -> dict[str, Origin]:
    """Return the pictures of a place by their names; refuse one that holds none."""
    pictures, _, _ = list_pictures(root, [[images]], what="pictures", spool=spool, report=report)
    if not pictures:
        raise InputError(f"{root / images}: holds no picture")
    return pictures


def _by_folder(finder: Finder, images: str) -> tuple[dict[str, Origin], Annotations, Survey]:
    """Read labels from folders' names."""
    place = finder.find_below(images)
    if place is None:
        raise InputError(f"{images}: not found")
    found = sort_by_folder(place)
    labels = tuple(sorted({tag for tags in found.tags.values() for tag in tags}))
    columns: dict[str, str | None] = {"image": "image_name", "tags": "tags", "group": None, "split": None}
    return found.pictures, Annotations(tags=found.tags), Survey(columns, "list", labels)


def _by_table(
    finder: Finder,
    tags: str,
    pictures: Mapping[str, Origin],
    *,
    labels: str | None,
    group: str | None,
    split: str | None,
) -> tuple[Annotations, Survey]:
    """Read labels from a table, after a look at it."""
    place = finder.find(tags)
    if place is None:
        raise InputError(f"{tags}: not found")
    path, table = read_table(place)
    surveyed = survey(path, table, pictures, labels=labels, group=group, split=split)
    plain = Vocabulary(exclusive=(), alone=(), common=surveyed.labels, rare=())
    columns: dict[str, Any] = surveyed.columns | {"image": surveyed.columns["image"] or "image_name"}
    return read_tags(place, plain, separator=surveyed.separator, **columns), surveyed


def _check(*, chips: int, labels: Sequence[str], size: int) -> None:
    """Refuse what is too little to learn from."""
    for found, least, what in (
        (len(labels), FEWEST_LABELS, "labels"),
        (chips, FEWEST_CHIPS, "chips that have a picture and a row"),
        (size, SMALLEST, "pixels a side"),
    ):
        if found < least:
            other = (
                f". Tag the chips without {labels[0]} too, such as no_{labels[0]}"
                if what == "labels" and labels
                else ""
            )
            raise InputError(f"expected at least {least} {what}, found {found}: too little to learn from{other}")


def _vocabulary(y: Booleans, counts: Mapping[str, int]) -> tuple[Vocabulary, Group | None]:
    """Sort labels, most frequent first, into those that exclude each other for certain, common and rare ones."""
    labels = list(counts)
    rule = exclusive_group(y, labels)
    exclusive = rule.labels if rule and rule.needed <= len(y) else ()
    others = [label for label in labels if label not in exclusive]
    rare = [label for label in others if counts[label] < RARE * len(y)]
    vocabulary = Vocabulary(
        exclusive=exclusive,
        alone=lone_labels(y, labels, exclusive),
        common=tuple(label for label in others if label not in rare),
        rare=tuple(rare),
    )
    return vocabulary, rule


def findings(found: Discovery) -> list[str]:
    """Say what was taken for granted, each with the key of the data set's YAML that changes it."""
    vocabulary, looks, columns = found.vocabulary, found.looks, found.survey.columns
    several = f"; those of another size: resize {looks.resize} (source.resize)" if looks.resize != "refuse" else ""
    sizes = ", ".join(f"{width} x {height}: {count}" for (width, height), count in list(looks.sizes.items())[:3])
    sizes += f" and {counted(len(looks.sizes) - 3, 'more size')}" if len(looks.sizes) > 3 else ""
    tags = f"column {columns['tags']}, separator {found.survey.separator}" if columns["tags"] else "one column a label"
    held = list(found.counts.items())
    counts = f"{counted(len(held), 'label')} on {counted(found.chips, 'chip')}"
    lines = [
        f"size: {looks.size} pixels (size); seen on {counted(looks.looked, 'picture')}: {sizes}{several}",
        f"{counts}, from {held[0][0]} ({held[0][1]}) to {held[-1][0]} ({held[-1][1]})",
        f"tags: {tags} (source.columns, labels.separator)",
        f"exactly one holds of: {_group(found)} (labels.exclusive)",
        f"under 1 % of the chips: {', '.join(vocabulary.rare) or 'none'} (labels.rare)",
        f"kept together in a split: {_grouping(found)} (source.columns.group, params.split.by)",
        f"metres a pixel: {looks.metres or 'unknown; write them down where scenes are to be mapped'} (resolution)",
    ]
    same = ", ".join(f"{other} is {label}" for other, label in found.spellings.items())
    lines += [f"taken for one label: {same} (labels.spellings)"] if same else []
    lines += [f"rules out every other label: {', '.join(vocabulary.alone)} (labels.alone)"] if vocabulary.alone else []
    lines += (
        ["bands of TIFs: red, green, blue come first, as their headers say (source.bands)"] if looks.by_header else []
    )
    lines += [f"16 bits: {looks.white} is white (source.white)"] if looks.white else []
    lines += (
        [f"{len(looks.broken)} of {looks.looked} pictures cannot be used; ingest looks at all there are"]
        if looks.broken
        else []
    )
    hollow = [f"{label} ({count})" for label, count in held if label.casefold() in HOLLOW]
    lines += (
        [f"taken for a label: {', '.join(hollow)}. If it says that none holds, empty those fields"] if hollow else []
    )
    scarce = [label for label, count in held if count < SCARCE]
    lines += [f"on fewer than {SCARCE} chips, so that not every fold has one: {', '.join(scarce)}"] if scarce else []
    if len(held) > MOST_LABELS or looks.size > LARGEST:
        lines.append(f"more than was tested: {MOST_LABELS} labels, {LARGEST} pixels")
    return lines


def _group(found: Discovery) -> str:
    """Say which labels were taken to exclude each other, and on which chips they do not; or why none were taken."""
    if found.rule is None:
        return "no group was found"
    group, odd = ", ".join(found.rule.labels), f", except on {some(found.odd)}" if found.odd else ""
    if found.vocabulary.exclusive:
        return f"{group}{odd}"
    return (
        f"none for certain. Of {group} exactly one holds on each of these {found.chips} chips{odd}, but so few may "
        f"agree by luck; {found.rule.needed} would be enough. List the group if you know it"
    )


def _grouping(found: Discovery) -> str:
    """Say what stays together in a split."""
    if not found.groups:
        return "near-duplicates only"
    return f"the {len(found.groups)} values of {found.survey.columns['group']}"
