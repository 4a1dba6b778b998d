"""Faults: what was wrong with single chips, in one table, and how many of them a data set bears."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

import pandas as pd

from igarape.chips.chip import Origin
from igarape.errors import InputError, counted, some
from igarape.labels import Booleans, Vocabulary
from igarape.tables import FAULT, Fault, write_table

SHOWN = 10
WIDESPREAD = 0.25  # of the chips
CONTRADICTS = "look at the chip and correct its tags"  # the remedy for tags that break the vocabulary's rules


def fault_table(faults: Sequence[Fault]) -> pd.DataFrame:
    """Tabulate faults: image_id, problem, remedy, left_out."""
    return pd.DataFrame([asdict(fault) for fault in faults], columns=FAULT)


def unusable(image_id: str, error: InputError, *, origin: Origin, remedy: str, what: str = "") -> Fault:
    """Report a chip that is left out, without where its file lies on this machine.

    Parameters
    ----------
    image_id, error
        The chip, and why it, or what belongs to it, cannot be used.
    origin
        Where that was read.
    remedy
        What to do where the error does not say.
    what
        What the problem begins with in place of the chip's name.
    """
    problem = error.problem.removeprefix(f"{image_id}: ").removeprefix(f"{origin}: ")
    return Fault(image_id, f"{what}{problem}", error.remedy or remedy, left_out=True)


def contradictions(image_id: str, row: Booleans, vocabulary: Vocabulary) -> list[Fault]:
    """Report a labelled chip whose tags, booleans (labels,), break the vocabulary's rules; it is kept."""
    broken = vocabulary.contradiction(row)
    return [] if broken is None else [Fault(image_id, broken, CONTRADICTS, left_out=False)]


def doubles(fingerprints: pd.DataFrame) -> list[Fault]:
    """Report each chip that shows the same pixels as one before it in a table of fingerprints; both are kept."""
    fingerprints = fingerprints[fingerprints["pixels"].duplicated(keep=False)]  # others may have one CRC by chance
    same = fingerprints.columns.drop("image_id").to_list()
    first = fingerprints.groupby(same, sort=False)["image_id"].transform("first")
    again = fingerprints["image_id"] != first
    remedy = "remove one of the two; when folds are made they stay together"
    return [
        Fault(image_id, f"shows the same pixels as {other}", remedy, left_out=False)
        for image_id, other in zip(fingerprints.loc[again, "image_id"], first[again], strict=True)
    ]


def all_faults(listed: Sequence[Fault], packed: pd.DataFrame, fingerprints: pd.DataFrame) -> pd.DataFrame:
    """Join the faults of a source with those of its packed chips, and report the chips that show the same pixels."""
    found = [fault_table(listed), packed, fault_table(doubles(fingerprints))]
    return pd.concat([some for some in found if len(some)] or found[:1], ignore_index=True)


def bear(faults: pd.DataFrame, most: int, *, packed: int, target: Path) -> None:
    """Refuse more left-out chips than params.yaml bears; the error lists the first of what is wrong, each once.

    What ails a large part of a set is no fault of single chips, and bearing it would ruin the set: then raising
    ingest.faults is no advice.

    Parameters
    ----------
    faults
        A faults table.
    most
        How many chips may be left out: ingest.faults.
    packed
        How many were not left out.
    target
        The folder of the step, as refuse takes it.

    Raises
    ------
    InputError
        Where more were left out.
    """
    left_out = faults[faults["left_out"]]
    if len(left_out) <= most:
        return
    alike: dict[str, list[str]] = {}
    for fault in left_out.itertuples():
        alike.setdefault(f"{fault.problem}; {fault.remedy}", []).append(str(fault.image_id))
    lines = [f"  {some(names)}: {told}" for told, names in list(alike.items())[:SHOWN]]
    rest = sum(map(len, list(alike.values())[SHOWN:]))
    more = [f"  and {rest} more, in {refused(target)}"] if rest else []
    advice = f"Mend the source, or raise ingest.faults in params.yaml to {len(left_out)}. Then: dvc repro ingest"
    if len(left_out) > WIDESPREAD * (len(left_out) + packed):
        advice = (
            f"That is no fault of single chips: {packed or 'none'} of {len(left_out) + packed} can be used. "
            "See whether the data set's YAML in datasets/ says how its table and pictures are (labels, "
            "labels.separator, source.columns, source.bands, source.resize, size); igarape add NAME finds it out. "
            "Then: dvc repro ingest"
        )
    refuse(
        faults,
        "\n".join([f"{counted(len(left_out), 'chip')} left out, at most {most} may be", *lines, *more, advice]),
        target,
    )


def refused(target: Path) -> Path:
    """Return where the faults table of a refused run lies: beside the target folder, which keeps what it held."""
    return target.with_name(f"{target.name}-faults.parquet")


def refuse(faults: pd.DataFrame, why: str, target: Path) -> NoReturn:
    """Raise InputError; the faults table is written, there to be looked at, and the target folder left as it was."""
    write_table(faults, refused(target))
    raise InputError(f"{target}: {why}")
