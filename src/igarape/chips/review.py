"""Labels that people have reviewed: the list of corrections beside a data set's YAML, and what a review makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

import pandas as pd

from igarape.chips.corrections import CORRECTION, Corrections, Pair, check_pair, correction_table
from igarape.chips.sources.rows import parse_csv
from igarape.errors import InputError, did_you_mean
from igarape.files import write_text
from igarape.labels import Vocabulary
from igarape.tables import truth

REVIEW = ["image_id", "label", "given", "review"]
DATASET = "dataset"  # a column that a review may have
KEEP, CHANGE = "keep", "change"
FLAGS = {"0": False, "1": True}
HOW = "Write into the column review: change where given is wrong, keep where it is right, nothing where nobody looked"


@dataclass(frozen=True)
class Review:
    """What somebody has found of labels that they looked at.

    changes, kept: what holds by chip and label, where that is not as it was given, and where it is. open: how many
    nobody has looked at.
    """

    changes: Mapping[Pair, bool]
    kept: Mapping[Pair, bool]
    open: int


@dataclass(frozen=True)
class Revised:
    """A list of corrections after a review.

    idle: the changes that change nothing, as the label is so already, or its correction is not there to be undone.
    """

    corrections: Corrections
    idle: tuple[Pair, ...]


def read_review(path: Path, dataset: str | None = None) -> Review:
    """Read a CSV such as reports/doubts.csv: image_id, label, given (0 or 1), review (change, keep or nothing).

    Where it has a column dataset, its rows have to name that data set, or none: chips of two may have the same names.
    Other columns are for people. Raises InputError for a column that is missing, a word that is none of these, two rows
    that contradict each other, and where nothing is to be changed.
    """
    found: dict[Pair, bool] = {}
    changes: dict[Pair, bool] = {}
    kept: dict[Pair, bool] = {}
    unseen = 0
    for pair, fields in _rows(path, REVIEW, dataset):
        word, given = fields["review"].lower(), _flag(path, pair, "given", fields["given"])
        if not word:
            unseen += 1
            continue
        if word not in {KEEP, CHANGE}:
            near = did_you_mean(word, [KEEP, CHANGE])
            raise InputError(f"{path}: {', '.join(pair)}: {HOW}. Found {word!r}{near}")
        is_so = given if word == KEEP else not given
        if found.setdefault(pair, is_so) != is_so:
            raise InputError(f"{path}: {', '.join(pair)}: one row says that it holds, another that it does not")
        (kept if word == KEEP else changes)[pair] = is_so
    if not changes:
        raise InputError(f"{path}: no row says change. {HOW}")
    return Review(changes, kept, unseen)


def read_corrections(path: Path) -> dict[Pair, bool]:
    """Read the list of corrections beside a data set's YAML; where there is none, nothing is corrected.

    Raises InputError for a column that is missing, a row that corrects nothing, and one that stands twice.
    """
    found: dict[Pair, bool] = {}
    if not path.exists():
        return found
    for pair, fields in _rows(path, CORRECTION):
        before, after = (_flag(path, pair, name, fields[name]) for name in ("from", "to"))
        if before == after:
            raise InputError(f"{path}: {', '.join(pair)}: expected from and to to differ. Remove that row")
        if pair in found:
            raise InputError(f"{path}: {', '.join(pair)}: stands twice. Remove one of the rows")
        found[pair] = after
    return found


def correction_text(corrections: Corrections) -> str:
    """Write corrections as CSV, sorted: the same ones are the same text."""
    return correction_table(corrections).to_csv(index=False)


def write_corrections(corrections: Corrections, path: Path) -> None:
    """Write the list of corrections; an empty one is no file."""
    if corrections:
        write_text(correction_text(corrections), path)
    else:
        path.unlink(missing_ok=True)


def revise(
    corrections: Corrections, review: Review, source: pd.DataFrame, *, vocabulary: Vocabulary, undo: bool, where: str
) -> Revised:
    """Bring a review's changes into a list of corrections, or take those that stand in it out again.

    A label that is changed back to what the source says is corrected no more.

    Parameters
    ----------
    corrections
        The list so far.
    review
        What is to be changed, or was.
    source
        A catalog with the labels that the source says.
    vocabulary
        The data set's.
    undo
        Take out what this review has brought in; nothing is added.
    where
        What an error begins with: the review's file.

    Raises
    ------
    InputError
        For a chip or a label that is not known, for one that is kept and is another one by now, and where a chip's
        labels would break the vocabulary's rules, which they keep now.
    """
    said, revised, idle = source.set_index("image_id"), dict(corrections), []
    for pair, to in review.changes.items():
        check_pair(pair, said, vocabulary, where=where)
        of_source = bool(said.loc[pair[0], f"y_{pair[1]}"])
        if (pair not in revised or revised[pair] != to) if undo else revised.get(pair, of_source) == to:
            idle.append(pair)
        elif undo or to == of_source:
            del revised[pair]
        else:
            revised[pair] = to
    for pair, is_so in () if undo else review.kept.items():
        check_pair(pair, said, vocabulary, where=where)
        if revised.get(pair, bool(said.loc[pair[0], f"y_{pair[1]}"])) != is_so:
            raise InputError(
                f"{where}: {', '.join(pair)}: keep says {int(is_so)}, but it is {int(not is_so)} by now: the table was "
                f"made before. Remove the row, or say change with {int(not is_so)} under given"
            )
    for image_id in sorted({image_id for image_id, _ in review.changes}):
        now, then = (_broken(said.loc[[image_id]], some, vocabulary) for some in (corrections, revised))
        if then and not now:
            raise InputError(
                f"{where}: {image_id}: its labels would break the rules of the data set: {then}. Change its other "
                "labels in the same file: a label that is not listed gets a row of its own"
            )
    return Revised(revised, tuple(idle))


def _broken(row: pd.DataFrame, corrections: Corrections, vocabulary: Vocabulary) -> str | None:
    """Say which rule a chip breaks, one row of a catalog by image_id, when its labels are corrected."""
    (flags,) = truth(row, vocabulary.labels)
    flags = [
        corrections.get((str(row.index[0]), label), bool(flag))
        for label, flag in zip(vocabulary.labels, flags, strict=True)
    ]
    return vocabulary.contradiction(flags)


def _rows(path: Path, columns: list[str], dataset: str | None = None) -> list[tuple[Pair, dict[str, str]]]:
    """Return the rows of a CSV that has these columns, each with its chip and its label; blank ones are passed over.

    dataset: the only one that a column of that name may name; None: any.
    """
    try:
        table = parse_csv(str(path), path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    missing = [column for column in columns if column not in table]
    if missing:
        raise InputError(f"{path}: expected the columns {', '.join(columns)}, found {', '.join(table.columns)}")
    named = {str(value).strip() for value in table[DATASET]} if dataset and DATASET in table else set()
    if others := sorted(named - {"", dataset}):
        raise InputError(
            f"{path}: expected a review of {dataset}, as params.yaml says; its column {DATASET} names {others[0]}. To "
            f"correct that one, type: igarape use {others[0]}, then dvc repro ingest, and this again"
        )
    rows = [
        {name: str(value).strip() for name, value in zip(columns, row, strict=True)}
        for row in table[columns].to_numpy()
    ]
    return [((row["image_id"], normalize("NFC", row["label"])), row) for row in rows if any(row.values())]


def _flag(path: Path, pair: Pair, column: str, text: str) -> bool:
    """Read a 0 or a 1."""
    if text not in FLAGS:
        raise InputError(f"{path}: {', '.join(pair)}: column {column}: expected 0 or 1, found {text!r}")
    return FLAGS[text]
