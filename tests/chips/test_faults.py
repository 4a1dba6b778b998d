"""Faults: one table of all that was wrong, and a bound on how many chips may be left out."""

from pathlib import Path

import pandas as pd
import pytest

from igarape.chips.faults import all_faults, check_limit, duplicates, fault_table, refuse, refused_table
from igarape.errors import InputError
from igarape.tables import FAULT, Fault, read_table, write_table

PRINTS = pd.DataFrame({"image_id": list("abcd"), "pixels": [1, 2, 1, 1], "phash": [b"x", b"x", b"x", b"y"]})


def left_out(count: int, kinds: int = 1) -> pd.DataFrame:
    """Tabulate so many chips that were left out, for so many reasons in turn, and one that was not."""
    faults = [
        Fault(f"gone-{number:02d}", f"is damaged in way {number % kinds}", "fetch it again", left_out=True)
        for number in range(count)
    ]
    return fault_table([*faults, Fault("kept", "may be two labels", "look at it", left_out=False)])


@pytest.mark.parametrize("count", [0, 2])
def test_the_faults_table_has_its_columns_even_without_a_fault(tmp_path: Path, count: int) -> None:
    """One chip may have several faults."""
    faults = [Fault("a", f"problem {number}", "remedy", left_out=number > 0) for number in range(count)]
    write_table(fault_table(faults), tmp_path / "faults.parquet")
    read = read_table(tmp_path / "faults.parquet", FAULT, key=("image_id", "problem"))
    assert list(read.columns) == FAULT and list(read["left_out"]) == [False, True][:count]


def test_a_chip_with_the_same_fingerprint_as_one_before_it_is_a_double() -> None:
    """All of the fingerprint has to be the same; the first of several is no fault."""
    assert [(fault.image_id, fault.problem, fault.left_out) for fault in duplicates(PRINTS)] == [
        ("c", "shows the same pixels as a", False)
    ]
    assert duplicates(PRINTS.head(0)) == []


def test_the_faults_of_the_source_stand_first_and_doubles_last() -> None:
    """Without any of them the table has its columns all the same."""
    listed = [Fault("row 1", "names no picture", "name it", left_out=True)]
    packed = fault_table([Fault("b", "shows one colour only", "fetch it again", left_out=True)])
    assert list(all_faults(listed, packed, PRINTS)["image_id"]) == ["row 1", "b", "c"]
    nothing = all_faults([], packed.head(0), PRINTS.head(0))
    assert list(nothing.columns) == FAULT and len(nothing) == 0


def test_faults_that_are_borne_change_nothing(tmp_path: Path) -> None:
    """A chip that was not left out does not count."""
    (tmp_path / "shard-00000.tar").touch()
    check_limit(left_out(3), 3, packed=1, target=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["shard-00000.tar"]


def test_of_many_reasons_the_first_are_listed(tmp_path: Path) -> None:
    """Each once, with the first of its chips; and the table is named that holds the others."""
    with pytest.raises(InputError, match=r"^\S+ 25 chips left out") as caught:
        check_limit(left_out(25, kinds=12), 24, packed=1000, target=tmp_path / "ingest")
    lines = str(caught.value).splitlines()
    assert lines[1] == "  gone-00, gone-12, gone-24: is damaged in way 0; fetch it again" and len(lines) == 13
    assert lines[11] == f"  and 4 more, in {refused_table(tmp_path / 'ingest')}"
    assert len(read_table(refused_table(tmp_path / "ingest"), FAULT)) == 26


def test_a_reason_that_all_chips_share_is_told_once(tmp_path: Path) -> None:
    """As where nothing says which band is red."""
    with pytest.raises(
        InputError, match=r"\n  gone-00, gone-01, gone-02 and 22 more: is damaged in way 0; \w"
    ) as caught:
        check_limit(left_out(25), 24, packed=1000, target=tmp_path / "ingest")
    assert str(caught.value).count("gone-") == 3 and "more, in" not in str(caught.value)


@pytest.mark.parametrize(
    ("packed", "words"),
    [
        (2, r"no fault of single chips: 2 of 3 can be used\. .*dvc repro ingest$"),
        (3, r"raise ingest\.faults .* to 1\. "),
    ],
)
def test_raising_the_bound_is_advised_for_single_chips_only(tmp_path: Path, packed: int, words: str) -> None:
    """Where more than a quarter is left out, the data set's YAML says something wrong."""
    with pytest.raises(InputError, match=f"^{tmp_path}: 1 chip left out, at most 0 may be\n(.|\n)*{words}"):
        check_limit(left_out(1), 0, packed=packed, target=tmp_path)


def test_what_is_refused_leaves_a_faults_table_beside_what_was_good(tmp_path: Path) -> None:
    """What an earlier run packed is not lost to a folder that somebody emptied."""
    target = tmp_path / "ingest"
    target.mkdir()
    (target / "catalog.parquet").write_bytes(b"good")
    with pytest.raises(InputError, match=f"^{target}: no labelled chip is left$"):
        refuse(left_out(2), "no labelled chip is left", target)
    assert [(path.name, path.read_bytes()) for path in target.iterdir()] == [("catalog.parquet", b"good")]
    assert len(read_table(tmp_path / "ingest-faults.parquet", FAULT)) == 3
