"""The competition's file: a row image_name,tags for each chip without labels. Its order, its names, its faults."""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from igarape.errors import InputError, counted, did_you_mean, reason, some
from igarape.labels import Vocabulary

COLUMNS = ("image_name", "tags")
FIRST = "test"  # the competition's chips are called test_0... and file_0..., in this order
MARK = "\ufeff"


@dataclass(frozen=True)
class Findings:
    """What was found in such a file: its rows, what it would be refused for, and what it is only warned of.

    faults, warnings: one line each.
    """

    rows: int
    faults: Sequence[str]
    warnings: Sequence[str]

    @property
    def lines(self) -> list[str]:
        """Return all of it."""
        return [*self.faults, *(f"warning: {line}" for line in self.warnings)]


def in_order(names: Iterable[str]) -> list[str]:
    """Sort names by their numbers: test_0, test_1, test_2, test_10...; then file_0... and all others.

    The competition's own sample has its file_0, file_1, file_10... by the alphabet, so only the sample tells its order.
    """
    return sorted(names, key=lambda name: (not name.startswith(FIRST), _parts(name), name))


def _parts(name: str) -> list[str | int]:
    """Take a name apart into text and numbers, which stand in turns, so that like is compared with like."""
    return [int(part) if place % 2 else part for place, part in enumerate(re.split(r"(\d+)", name))]


def read_names(sample: Path) -> list[str]:
    """Return the names in the competition's sample file, in its order; a mark at its start, as Excel sets it, is none.

    Raises InputError where it is no such file, lists nothing, or lists a name twice.
    """
    names = [fields[0] for fields in _rows(sample, encoding="utf-8-sig") if any(fields)]
    if not names:
        raise InputError(f"--sample {sample}: no row below {','.join(COLUMNS)}; expected one for each unlabelled chip")
    if len(set(names)) < len(names):
        raise InputError(f"--sample {sample}: stand twice: {some(_repeated(names))}. Download the sample file anew")
    return names


def check_names(wanted: Sequence[str], there: Sequence[str], *, sample: Path) -> None:
    """Refuse chips that are not those of the sample file: raise InputError that names the first few, and how many.

    wanted: the sample's names. there: those of the data set's unlabelled chips.
    """
    missing, extra = sorted_out(wanted, there)
    said = [f"{len(missing)} of its {len(wanted)} chips are missing: {some(missing)}"] if missing else []
    said += (
        [f"{counted(len(extra), 'unlabelled chip is', 'unlabelled chips are')} not in it: {some(extra)}"]
        if extra
        else []
    )
    if said:
        raise InputError(
            f"--sample {sample}: {'; '.join(said)}. Which chips there are, says source.unlabelled in the data set's "
            "YAML; data/ingest/faults.parquet says why chips were left out. Then: dvc repro ingest"
        )


def sorted_out(wanted: Iterable[str], there: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the names that are wanted and not there, and those that are there and not wanted, each in order."""
    asked, found = set(wanted), set(there)
    return in_order(asked - found), in_order(found - asked)


def check_file(path: Path, names: Sequence[str], *, vocabulary: Vocabulary, ordered: bool) -> Findings:
    """Look through a file that is to be submitted, row by row.

    Parameters
    ----------
    path
        The file.
    names
        What it should list.
    vocabulary
        The labels that it may name, and their rules.
    ordered
        Whether the rows should stand in the order of names.

    Raises
    ------
    InputError
        Where it cannot be read, or its columns are others.
    """
    rows: list[str] = []
    found: dict[str, list[str]] = defaultdict(list)
    for fields in _rows(path):
        rows.append(fields[0])
        for kind, what in _about(fields, vocabulary):
            found[kind].append(f"{fields[0]} {what}".strip())
    said = {kind: f"{kind}: {counted(len(each), 'row')}: {some(each)}" for kind, each in found.items()}
    faults = [line for kind, line in said.items() if kind not in WARNED]
    warnings = [line for kind, line in said.items() if kind in WARNED]
    return Findings(len(rows), [*_about_names(rows, names, ordered=ordered), *faults], warnings)


# The competition takes such rows, but the labelling rules say that they cannot be right.
WARNED = ("exclusive", "alone")


def _about(fields: Sequence[str], vocabulary: Vocabulary) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the tags of a row: its kind, and the words for it."""
    if len(fields) != len(COLUMNS):
        yield "fields", f"has {len(fields)}, expected {len(COLUMNS)}"
        return
    tags = set(fields[1].split())
    known = tags & set(vocabulary.labels)
    if not tags:
        yield "empty tags", ""
    for tag in sorted(tags - known):
        yield "unknown labels", f"{tag!r}{did_you_mean(tag, vocabulary.labels)}"
    group = sorted(known & set(vocabulary.exclusive))
    if known and vocabulary.exclusive and len(group) != 1:
        yield "exclusive", f"has {' '.join(group) or 'none'} of {' '.join(vocabulary.exclusive)}"
    if len(known) > 1 and (alone := sorted(known & set(vocabulary.alone))):
        yield "alone", f"has {' '.join(sorted(known - {alone[0]}))} beside {alone[0]}"


def _about_names(rows: Sequence[str], names: Sequence[str], *, ordered: bool) -> list[str]:
    """Say what is wrong with the names of the rows, a line for each kind of fault."""
    missing, extra = sorted_out(names, rows)
    twice = _repeated(rows)
    said = [f"missing: {len(missing)} of {len(names)} names: {some(missing)}"] if missing else []
    said += [f"extra: {counted(len(extra), 'name')}: {some(extra)}"] if extra else []
    said += [f"twice: {counted(len(twice), 'name')}: {some(twice)}"] if twice else []
    if not said and ordered and list(rows) != list(names):
        place = next(place for place, pair in enumerate(zip(rows, names, strict=True)) if pair[0] != pair[1])
        said.append(f"order: row {place + 1} is {rows[place]}, expected {names[place]}")
    return said


def _repeated(names: Iterable[str]) -> list[str]:
    """Return the names that stand more than once, in order."""
    return in_order(name for name, count in Counter(names).items() if count > 1)


def _rows(path: Path, *, encoding: str = "utf-8") -> Iterator[list[str]]:
    """Yield the rows of a CSV below the competition's columns; blank lines are passed over."""
    try:
        with path.open(encoding=encoding, newline="") as file:
            reader = csv.reader(file)
            head = next(reader, [])
            if tuple(head) != COLUMNS:
                found = ",".join(head) or "none"
                if found.startswith(MARK):
                    found = f"a byte order mark (BOM) before {found.removeprefix(MARK)}. Save it as UTF-8 without one"
                raise InputError(f"{path}: expected the columns {','.join(COLUMNS)}, found {found}")
            yield from (fields for fields in reader if fields)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); expected a CSV of image_name,tags") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a CSV that can be read: {reason(error)}. Save it as UTF-8") from error
