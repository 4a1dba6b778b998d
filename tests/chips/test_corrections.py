"""Corrections of a catalog: only what is listed changes, it changes back, and what cannot be corrected is refused."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from igarape.chips.corrections import CORRECTION, apply_corrections, correction_table, in_source, read_applied
from igarape.chips.faults import CONTRADICTS, fault_table
from igarape.chips.shards import Tables
from igarape.errors import InputError
from igarape.labels import Vocabulary
from igarape.tables import PLACE, Fault, label_columns, write_table

VOCABULARY = Vocabulary(exclusive=("sun", "fog"), alone=("fog",), common=("tree",), rare=("kiln",))
FAULTS = [Fault("b", "cannot hold", CONTRADICTS, left_out=False), Fault("a", "stands twice", "look", left_out=False)]


@pytest.fixture
def tables() -> Tables:
    """Give the packed tables of three labelled chips, of which b breaks the rules, and of one without labels."""
    flags = np.array([[1, 0, 1, 0], [1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]])
    catalog = pd.DataFrame({name: list("abct") for name in PLACE}).assign(split=["train", "train", "holdout", "test"])
    catalog[label_columns(VOCABULARY.labels)] = flags
    return {"catalog": catalog, "faults": fault_table(FAULTS), "levels": pd.DataFrame()}


def corrected(tables: Tables, corrections: Mapping[tuple[str, str], bool]) -> Tables:
    """Apply corrections."""
    return apply_corrections(tables, corrections, VOCABULARY, where="toy.csv")


def test_only_what_is_listed_changes_and_it_changes_back(tables: Tables) -> None:
    """Columns, order and types of the catalog stay."""
    after = corrected(tables, {("a", "kiln"): True, ("c", "fog"): False, ("c", "sun"): True})
    old, new = tables["catalog"], after["catalog"]
    assert list(new.columns) == list(old.columns) and (new.dtypes == old.dtypes).all()
    differ = (new != old).to_numpy().nonzero()
    assert {(old["image_id"][row], old.columns[column]) for row, column in zip(*differ, strict=True)} == {
        ("a", "y_kiln"),
        ("c", "y_fog"),
        ("c", "y_sun"),
    }
    applied = after["corrections"]
    assert applied.to_numpy().tolist() == [["a", "kiln", 0, 1], ["c", "fog", 1, 0], ["c", "sun", 0, 1]]
    back = in_source(new, {(row[0], row[1]): bool(row[3]) for row in applied.to_numpy().tolist()})
    pd.testing.assert_frame_equal(back, old)


def test_an_empty_list_changes_nothing(tables: Tables) -> None:
    """Every table is as before, and that of the corrections has no row."""
    after = corrected(tables, {})
    for name, table in tables.items():
        pd.testing.assert_frame_equal(after[name], table)
    assert after["corrections"].empty and list(after["corrections"].columns) == CORRECTION


def test_faults_follow_the_corrected_labels(tables: Tables) -> None:
    """A chip that keeps the rules now is no fault any more; one that breaks them now is one; others stay."""
    mended = corrected(tables, {("b", "fog"): False})["faults"]
    assert mended["image_id"].tolist() == ["a"]
    broken = corrected(tables, {("c", "tree"): True})["faults"]
    assert broken["image_id"].tolist() == ["b", "a", "c"]
    assert broken["problem"].iloc[-1] == "fog rules out every other label, found tree"


@pytest.mark.parametrize(
    ("corrections", "message"),
    [
        ({("z", "sun"): True}, r"^toy\.csv: unknown chip 'z': none of that name was packed"),
        ({("a", "killn"): True}, r"^toy\.csv: a: unknown label 'killn'; did you mean kiln\?"),
        ({("t", "sun"): True}, r"^toy\.csv: t is a chip without labels"),
        (
            {("a", "sun"): True, ("a", "tree"): False, ("b", "sun"): True},
            r"^toy\.csv: the source says by itself what 2 of 3 corrections should change\. .*\n  a, sun\n  b, sun$",
        ),
    ],
)
def test_what_cannot_be_corrected_is_refused(
    tables: Tables, corrections: Mapping[tuple[str, str], bool], message: str
) -> None:
    """A chip or a label that is not there, and a source that says something else than the list."""
    with pytest.raises(InputError, match=message):
        corrected(tables, corrections)


def test_corrections_of_another_catalog_are_refused(tables: Tables) -> None:
    """No row is added."""
    with pytest.raises(InputError, match=r"z: was corrected, but the catalog does not list it. Run: dvc repro ingest"):
        in_source(tables["catalog"], {("z", "sun"): True})


def test_what_was_applied_is_read_again(tmp_path: Path) -> None:
    """None, or some."""
    for corrections in ({}, {("a", "sun"): False, ("00", "kiln"): True}):
        write_table(correction_table(corrections), tmp_path / "corrections.parquet")
        assert read_applied(tmp_path / "corrections.parquet") == corrections
