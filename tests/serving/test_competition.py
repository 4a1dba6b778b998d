"""The competition's file: its order, its names, and what it would be refused for."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unlabelled import NAMES, VOCABULARY

from igarape.errors import InputError
from igarape.serving.competition import Findings, check_file, check_names, in_order, read_names, sorted_out

GOOD = ["a,sun tree", "b,fog", "c,sun"]


def written(folder: Path, rows: Sequence[str], head: str = "image_name,tags") -> Path:
    """Write such a file."""
    path = folder / "file.csv"
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def checked(folder: Path, rows: Sequence[str]) -> Findings:
    """Look through rows that should be a, b and c."""
    return check_file(written(folder, rows), ["a", "b", "c"], vocabulary=VOCABULARY, ordered=True)


def test_numbers_count_as_numbers_and_test_comes_before_file() -> None:
    """Other names come last, by the alphabet."""
    names = ["file_3", "test_10", "zoo", "test_2", "file_20", "test_02", "9"]
    assert in_order(names) == ["test_02", "test_2", "test_10", "9", "file_3", "file_20", "zoo"]
    assert in_order(sorted(NAMES)) == NAMES


@settings(max_examples=25)
@given(st.lists(st.text("a1_0²٣", max_size=5), unique=True, max_size=8))
def test_the_order_does_not_depend_on_where_names_stood(names: list[str]) -> None:
    """Whatever they are; and none is lost."""
    assert in_order(names[::-1]) == in_order(names) and sorted(in_order(names)) == sorted(names)


def test_a_sample_gives_its_names_in_its_order(tmp_path: Path) -> None:
    """Its tags do not matter; it may have passed through a spreadsheet: a mark, other ends of lines, empty rows."""
    path = written(tmp_path, ["b,primary clear", "a,", "c,x"])
    assert read_names(path) == ["b", "a", "c"]
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n") + b",\r\n")
    assert read_names(path) == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "expected the columns image_name,tags, found none"),
        (b"name,tags\na,sun\n", "expected the columns image_name,tags, found name,tags"),
        (b"image_name;tags\na;sun\n", "found image_name;tags"),
        (b"image_name,tags\n", "no row below image_name,tags"),
        (b"image_name,tags\na,x\nb,x\na,x\n", "stand twice: a. Download"),
        (b"image_name,tags\n\xff\xfe,x\n", "Save it as UTF-8"),
        (None, r"cannot be read \(No such file"),
    ],
)
def test_what_is_no_sample_is_refused_in_one_line(tmp_path: Path, content: bytes | None, problem: str) -> None:
    """It names the file, and what was expected."""
    path = tmp_path / "sample.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=problem) as caught:
        read_names(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_and_an_extra_chip_are_named_with_their_count(tmp_path: Path) -> None:
    """The first few of each; the same chips in another order are fine."""
    wanted = [f"test_{number}" for number in range(8)]
    check_names(wanted, wanted[::-1], sample=tmp_path)
    with pytest.raises(InputError) as caught:
        check_names(wanted, [*wanted[:3], "test_99"], sample=tmp_path)
    said = str(caught.value)
    assert "5 of its 8 chips are missing: test_3, test_4, test_5 and 2 more" in said
    assert "1 unlabelled chip is not in it: test_99" in said and "dvc repro ingest" in said
    assert sorted_out(["a", "b"], ["b", "c"]) == (["a"], ["c"])


def test_a_good_file_has_no_faults(tmp_path: Path) -> None:
    """Repeated tags, many blanks and a blank line are none: a tag list is a set."""
    assert checked(tmp_path, GOOD) == Findings(3, [], [])
    assert checked(tmp_path, ["a,sun  tree sun ", "", 'b,"fog"', "c,sun"]) == Findings(3, [], [])


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        (["a,sun", "b,fog"], "missing: 1 of 3 names: c"),
        ([*GOOD, "d,sun"], "extra: 1 name: d"),
        ([*GOOD, "c ,sun"], "extra: 1 name: 'c '"),
        ([*GOOD, "a,sun"], "twice: 1 name: a"),
        (["a,sun", "c,sun", "b,fog"], "order: row 2 is c, expected b"),
        (["a,sun ponds", "b,fog", "c,sun"], "unknown labels: 1 row: a 'ponds'; did you mean pond?"),
        (["a,", "b,fog", "c, "], "empty tags: 2 rows: a, c"),
        (["a,sun,tree", "b", "c,sun"], "fields: 2 rows: a has 3, expected 2, b has 1, expected 2"),
    ],
)
def test_each_kind_of_fault_is_one_line(tmp_path: Path, rows: Sequence[str], fault: str) -> None:
    """It says how many, and names the first."""
    found = checked(tmp_path, rows)
    assert found.faults == [fault] and found.warnings == []


@pytest.mark.parametrize(
    ("row", "warning"),
    [
        ("tree", "exclusive: 1 row: a has none of sun fog"),
        ("sun fog", None),
        ("fog tree kiln", "alone: 1 row: a has kiln tree beside fog"),
    ],
)
def test_a_broken_rule_of_the_labels_is_only_a_warning(tmp_path: Path, row: str, warning: str | None) -> None:
    """The competition takes it. A row may break both: two weathers, one of which stands alone."""
    found = checked(tmp_path, [f"a,{row}", *GOOD[1:]])
    both = ["exclusive: 1 row: a has fog sun of sun fog", "alone: 1 row: a has sun beside fog"]
    assert found.faults == [] and found.warnings == ([warning] if warning else both)
    assert found.lines == [f"warning: {line}" for line in found.warnings]


def test_other_columns_are_an_error(tmp_path: Path) -> None:
    """There is nothing to look through then; a mark at the start makes the first one another."""
    with pytest.raises(InputError, match=r"file\.csv: expected the columns image_name,tags, found image_name,tags,p"):
        check_file(written(tmp_path, GOOD, head="image_name,tags,p"), ["a"], vocabulary=VOCABULARY, ordered=True)
    with pytest.raises(InputError, match=r"found a byte order mark \(BOM\) before image_name,tags\. Save it as UTF-8"):
        check_file(written(tmp_path, GOOD, head="\ufeffimage_name,tags"), ["a"], vocabulary=VOCABULARY, ordered=True)


def test_without_a_sample_any_order_will_do(tmp_path: Path) -> None:
    """Only the sample tells the competition's own, which is neither by number nor by the alphabet."""
    turned = written(tmp_path, GOOD[::-1])
    assert check_file(turned, ["a", "b", "c"], vocabulary=VOCABULARY, ordered=False) == Findings(3, [], [])
