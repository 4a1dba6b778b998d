"""Faults: what was wrong with single chips, in one table, and how many chips may be left out because of them."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

import pandas as pd

from igarape.chips.chip import Origin
from igarape.errors import InputError, counted, some
from igarape.labels import Booleans, Vocabulary
from igarape.tables import FAULT, Fault, labelled, write_table

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


def duplicates(fingerprints: pd.DataFrame) -> list[Fault]:
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
    found = [fault_table(listed), packed, fault_table(duplicates(fingerprints))]
    return pd.concat([some for some in found if len(some)] or found[:1], ignore_index=True)


def check_limit(faults: pd.DataFrame, most: int, *, packed: int, target: Path) -> None:
    """Refuse a data set of which more chips were left out than params.yaml allows; the error lists the first faults.

    A fault that a large part of the chips has is one of the data set's description, not of single chips. The error then
    says so, and does not advise to raise ingest.faults.

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
    more = [f"  and {rest} more, in {refused_table(target)}"] if rest else []
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


def check_labelled(catalog: pd.DataFrame, faults: pd.DataFrame, target: Path) -> None:
    """Refuse a catalog in which no chip has labels; faults and target are those of check_limit."""
    if not labelled(catalog).any():
        why = f"no labelled chip is left; {counted(len(faults), 'fault')}: see {refused_table(target)}"
        refuse(faults, why, target)


def refused_table(target: Path) -> Path:
    """Return where the faults table of a refused run lies: beside the target folder, which keeps what it held."""
    return target.with_name(f"{target.name}-faults.parquet")


def refuse(faults: pd.DataFrame, why: str, target: Path) -> NoReturn:
    """Raise InputError; the faults table is written, there to be looked at, and the target folder left as it was."""
    write_table(faults, refused_table(target))
    raise InputError(f"{target}: {why}")
