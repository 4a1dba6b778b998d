"""The catalog: every chip checked, packed, and listed with where it lies and which labels hold."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from igarape.chips.chip import Chip
from igarape.chips.pictures import decode, is_flat
from igarape.chips.store import StoreWriter
from igarape.errors import InputError
from igarape.labels import Vocabulary
from igarape.tables import FAULT, PLACE, Fault

Report = Callable[[int], None]


def build_catalog(
    chips: Iterable[Chip], folder: Path, *, vocabulary: Vocabulary, size: int, report: Report
) -> tuple[pd.DataFrame, list[Fault]]:
    """Pack the chips into folder, bytes unchanged; return the catalog and the faults.

    A chip that cannot be decoded, is not size x size pixels, or shows one colour only is left out. One that breaks the
    vocabulary's rules is kept. report: called with the number of chips done.
    """
    rows, faults = [], []
    with StoreWriter(folder) as store:
        for done, chip in enumerate(chips, start=1):
            fault = _look_at(chip, size)
            if fault is None:
                place = dict(zip(("shard", "offset", "length"), store.add(chip.image, chip.data), strict=True))
                held = vocabulary.encode(chip.tags).astype(int)
                rows.append(
                    {"image": chip.image, "split": chip.split, "group": chip.group}
                    | place
                    | dict(zip(vocabulary.labels, held, strict=True))
                )
                fault = _contradiction(chip, vocabulary)
            if fault is not None:
                faults.append(fault)
            report(done)
    return pd.DataFrame(rows, columns=[*PLACE, *vocabulary.labels]), faults


def fault_table(faults: Sequence[Fault]) -> pd.DataFrame:
    """Tabulate faults: image, problem, remedy, left_out."""
    return pd.DataFrame([asdict(fault) for fault in faults], columns=FAULT)


def _look_at(chip: Chip, size: int) -> Fault | None:
    """Say why a chip has to be left out; None when nothing speaks against it."""
    try:
        picture = decode(chip.data, chip.image)
    except InputError as error:
        problem = str(error).removeprefix(f"{chip.image}: ")
        return Fault(chip.image, problem, "replace the file, or remove it", left_out=True)
    height, width = picture.shape[:2]
    if (height, width) != (size, size):
        problem = f"expected {size} x {size}, found {width} x {height}"
        return Fault(chip.image, problem, "cut it to size, or change the data set's size", left_out=True)
    if is_flat(picture):
        return Fault(chip.image, "shows one colour only", "fetch the file again, or remove it", left_out=True)
    return None


def _contradiction(chip: Chip, vocabulary: Vocabulary) -> Fault | None:
    """Report a labelled chip whose tags break the vocabulary's rules; it is kept."""
    broken = vocabulary.contradiction(vocabulary.encode(chip.tags)) if chip.split == "train" else None
    if broken is None:
        return None
    return Fault(chip.image, broken, "look at the chip and correct its tags", left_out=False)
