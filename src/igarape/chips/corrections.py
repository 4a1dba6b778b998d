"""Corrections: which labels of a data set are other ones than its source says, and what follows from them."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from igarape.chips.faults import CONTRADICTS, contradictions, fault_table
from igarape.chips.shards import Tables
from igarape.errors import InputError, did_you_mean
from igarape.labels import Vocabulary
from igarape.tables import labelled, read_table, truth

# Of a chip and a label, whether it holds; the source says the contrary.
Pair = tuple[str, str]
Corrections = Mapping[Pair, bool]

CORRECTION = ["image_id", "label", "from", "to"]


def correction_table(corrections: Corrections) -> pd.DataFrame:
    """Tabulate corrections, sorted: image_id, label, and from and to as 0 or 1."""
    rows = [(*pair, int(not to), int(to)) for pair, to in sorted(corrections.items())]
    return pd.DataFrame(rows, columns=CORRECTION).astype(
        {"image_id": str, "label": str, "from": "int64", "to": "int64"}
    )


def read_applied(path: Path) -> dict[Pair, bool]:
    """Read the corrections that ingest has applied to its catalog."""
    table = read_table(path, CORRECTION, key=("image_id", "label"))
    return {
        (str(image_id), str(label)): bool(to) for image_id, label, _, to in table[CORRECTION].itertuples(index=False)
    }


def check_pair(pair: Pair, catalog: pd.DataFrame, vocabulary: Vocabulary, *, where: str) -> None:
    """Refuse a label that the data set does not have, and a chip that has no labels.

    Parameters
    ----------
    pair
        The chip and the label.
    catalog
        By image_id, with the column split.
    vocabulary
        The data set's.
    where
        What an error begins with.

    Raises
    ------
    InputError
        Names both, and what is known.
    """
    image_id, label = pair
    if label not in vocabulary.labels:
        raise InputError(f"{where}: {image_id}: unknown label {label!r}{did_you_mean(label, vocabulary.labels)}")
    if image_id not in catalog.index:
        raise InputError(
            f"{where}: unknown chip {image_id!r}: none of that name was packed. Mend the name, or remove its rows"
        )
    if not labelled(catalog.loc[[image_id]])[0]:
        raise InputError(f"{where}: {image_id} is a chip without labels. Label it in the source, and remove its rows")


def apply_corrections(tables: Tables, corrections: Corrections, vocabulary: Vocabulary, *, where: str) -> Tables:
    """Return packed tables with corrected labels in their catalog, and with what was corrected as a table more.

    A corrected chip is a fault that breaks the vocabulary's rules if it breaks them afterwards.

    Parameters
    ----------
    tables
        With catalog and faults, as the source says it.
    corrections
        May be empty: then nothing changes.
    vocabulary
        The data set's.
    where
        What an error begins with: the list's file.

    Raises
    ------
    InputError
        For a chip or a label that is not known, and where the source does not say what is corrected.
    """
    if not corrections:
        return tables | {"corrections": correction_table(corrections)}
    catalog, settled = tables["catalog"].set_index("image_id"), []
    for (image_id, label), to in corrections.items():
        check_pair((image_id, label), catalog, vocabulary, where=where)
        found = bool(catalog.at[image_id, f"y_{label}"])  # noqa: PD008 - one value
        settled += [f"  {image_id}, {label}"] if found == to else []
        catalog.loc[image_id, f"y_{label}"] = int(to)
    if settled:
        raise InputError(
            f"{where}: the source says by itself what {len(settled)} of {len(corrections)} corrections should change. "
            "Remove these rows, or the file where nothing else stands in it; then: dvc repro -f ingest\n"
            + "\n".join(settled)
        )
    touched = sorted({image_id for image_id, _ in corrections})
    faults = tables["faults"]
    mended = faults["image_id"].isin(touched) & (faults["remedy"] == CONTRADICTS)
    rows = zip(touched, truth(catalog.loc[touched], vocabulary.labels), strict=True)
    broken = [fault for image_id, row in rows for fault in contradictions(image_id, row, vocabulary)]
    kept = [faults[~mended], *([fault_table(broken)] if broken else [])]
    return tables | {
        "catalog": catalog.reset_index()[tables["catalog"].columns],
        "faults": pd.concat(kept, ignore_index=True),
        "corrections": correction_table(corrections),
    }


def in_source(catalog: pd.DataFrame, applied: Corrections) -> pd.DataFrame:
    """Return a catalog with the labels that the source says: those before the corrections that were applied to it.

    Raises InputError for a correction of a chip that the catalog does not list.
    """
    if not applied:
        return catalog
    before = catalog.set_index("image_id")
    for (image_id, label), to in applied.items():
        if image_id not in before.index:  # pandas would add it
            raise InputError(f"{image_id}: was corrected, but the catalog does not list it. Run: dvc repro ingest")
        before.loc[image_id, f"y_{label}"] = int(not to)
    return before.reset_index()[catalog.columns]
