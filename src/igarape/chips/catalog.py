"""The catalog: every chip checked, packed, and listed with where it lies and which labels hold."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from igarape.chips.chip import Chip
from igarape.chips.fingerprints import Fingerprint, fingerprint, fingerprint_table
from igarape.chips.pictures import Pixels, decode, is_flat
from igarape.chips.shards import Shard, Tables
from igarape.errors import InputError
from igarape.labels import Vocabulary
from igarape.tables import FAULT, LABELLED, PLACE, Fault, label_columns


def pack_chips(chips: Iterable[Chip], shard: Shard, *, vocabulary: Vocabulary, size: int) -> Tables:
    """Pack the chips into a shard, bytes unchanged; return their rows of the tables catalog, fingerprints and faults.

    A chip that cannot be read or decoded, is not size x size pixels, or shows one colour only is left out. One that
    breaks the vocabulary's rules is kept.
    """
    rows: list[dict[str, Any]] = []
    prints: dict[str, Fingerprint] = {}
    faults: list[Fault] = []
    for chip in chips:
        found = _read(chip, size)
        if isinstance(found, Fault):
            faults.append(found)
        else:
            data, image = found
            rows.append(_row(chip, shard.add(chip.image_id, data), vocabulary))
            prints[chip.image_id] = fingerprint(image)
            faults += _contradictions(chip, vocabulary)
        shard.done()
    catalog = pd.DataFrame(rows, columns=[*PLACE, *label_columns(vocabulary.labels)])
    return {"catalog": catalog, "fingerprints": fingerprint_table(prints), "faults": fault_table(faults)}


def doubles(fingerprints: pd.DataFrame) -> list[Fault]:
    """Report each chip that shows the same pixels as one before it in a table of fingerprints; both are kept."""
    same = fingerprints.columns.drop("image_id").to_list()
    first = fingerprints.groupby(same, sort=False)["image_id"].transform("first")
    again = fingerprints["image_id"] != first
    remedy = "remove one of the two; when folds are made they stay together"
    return [
        Fault(image_id, f"shows the same pixels as {other}", remedy, left_out=False)
        for image_id, other in zip(fingerprints.loc[again, "image_id"], first[again], strict=True)
    ]


def fault_table(faults: Sequence[Fault]) -> pd.DataFrame:
    """Tabulate faults: image_id, problem, remedy, left_out."""
    return pd.DataFrame([asdict(fault) for fault in faults], columns=FAULT)


def _row(chip: Chip, place: tuple[str, int, int], vocabulary: Vocabulary) -> dict[str, Any]:
    """Lay out a row of the catalog."""
    lies = dict(zip(("shard", "offset", "length"), place, strict=True))
    flags = dict(zip(label_columns(vocabulary.labels), vocabulary.encode(chip.tags).astype(int), strict=True))
    return {"image_id": chip.image_id, "split": chip.split, "group": chip.group} | lies | flags


def _read(chip: Chip, size: int) -> tuple[bytes, Pixels] | Fault:
    """Return a chip's bytes and what they show, or why it has to be left out."""
    try:
        data = chip.origin.read()
        image = decode(data, chip.image_id)
    except InputError as error:
        problem = str(error).removeprefix(f"{chip.image_id}: ")
        return Fault(chip.image_id, problem, "replace the file, or remove it", left_out=True)
    height, width = image.shape[:2]
    if (height, width) != (size, size):
        problem = f"expected {size} x {size}, found {width} x {height}"
        return Fault(chip.image_id, problem, "cut it to size, or change the data set's size", left_out=True)
    if is_flat(image):
        return Fault(chip.image_id, "shows one colour only", "fetch the file again, or remove it", left_out=True)
    return data, image


def _contradictions(chip: Chip, vocabulary: Vocabulary) -> list[Fault]:
    """Report a labelled chip whose tags break the vocabulary's rules; it is kept."""
    broken = vocabulary.contradiction(vocabulary.encode(chip.tags)) if chip.split in LABELLED else None
    if broken is None:
        return []
    return [Fault(chip.image_id, broken, "look at the chip and correct its tags", left_out=False)]
