"""A table that nobody has described: its columns are found by what they hold."""

import re
from typing import Any

import pandas as pd
import pytest

from igarape.chips.sources.survey import Survey, survey
from igarape.errors import InputError

PICTURES = {"c_1", "c_2", "c_3", "c_4"}


def look(
    *, named: str | None = None, group: str | None = None, split: str | None = None, **columns: list[str]
) -> Survey:
    """Look at a table of these columns."""
    return survey("t.csv", pd.DataFrame(columns), PICTURES, labels=named, group=group, split=split)


FILES = ["c_1.tif", "x/c_2.tif.png", "c_3", "c_4.png"]


@pytest.mark.parametrize(
    ("texts", "separator", "labels"),
    [
        (["road water", "road", "water tree", "tree"], "blank", ("road", "tree", "water")),
        (["forest", "forest river", "farm", "farm"], "blank", ("farm", "forest", "river")),
        (["road,water", "road", "water, tree", "tree"], "comma", ("road", "tree", "water")),
        (["a b,c;d", "a b,c", "d", "a b,c;d"], "semicolon", ("a b,c", "d")),
        (["a b|c", "c", "a b", ""], "pipe", ("a b", "c")),
        (["['a b', 'c']", "['c']", "[]", "['a b']"], "list", ("a b", "c")),
        (["Annual Crop", "River", "Sea Lake", "River"], "comma", ("Annual Crop", "River", "Sea Lake")),
        (["road", "water", "road", "tree"], "blank", ("road", "tree", "water")),
    ],
)
def test_the_separator_is_the_one_that_makes_few_labels(
    texts: list[str], separator: str, labels: tuple[str, ...]
) -> None:
    """Where a chip has one label, it is one that no label holds."""
    found = look(file=FILES, labels=texts)
    assert (found.separator, found.labels) == (separator, labels)
    assert found.columns == {"image": "file", "tags": "labels", "group": None, "split": None}


def test_a_column_of_0_and_1_for_each_label() -> None:
    """Other columns are left alone."""
    found = look(patch=FILES, road=["1", "0", "1", "0"], water=["0", "1", "", "1"], date=["a", "b", "c", "d"])
    assert found.columns["tags"] is None and found.labels == ("road", "water")


def test_groups_and_splits_are_found_by_their_usual_names_or_named() -> None:
    """A split holds train, val and test only."""
    columns: dict[str, Any] = {"name": FILES, "tags": ["a", "b", "a b", "a"], "Scene": ["1", "1", "2", "2"]}
    found = look(**columns, split=None, subset=["train", "val", "test", "train"])
    assert (found.columns["group"], found.columns["split"]) == ("Scene", "subset")
    found = look(**columns, group="strip", subset=["1", "2", "3", "4"], strip=["n", "n", "s", "s"])
    assert (found.columns["group"], found.columns["split"]) == ("strip", None)
    with pytest.raises(InputError, match="no column 'orbit', found name, tags, Scene"):
        look(**columns, group="orbit")


def test_what_cannot_be_made_sense_of_is_an_error() -> None:
    """No names of pictures, no labels: the error says what was expected and what is there."""
    with pytest.raises(InputError, match="no column names the 4 pictures, such as 'c_1'; found the columns a, tags"):
        look(a=["1", "2", "3", "4"], tags=["a", "b", "a", "a"])
    with pytest.raises(InputError, match="no column of labels; expected one called tags or labels or label"):
        look(name=FILES, x=["p", "q", "r", "s"], y=["p", "q", "r", "s"])
    with pytest.raises(InputError, match=r"found name\. Say which one it is: --labels COLUMN"):
        look(name=FILES)


def test_an_error_shows_how_the_table_writes_names() -> None:
    """Capitals and zeros that the files have and the table has not: the reader sees both."""
    with pytest.raises(InputError, match=r"columns a, tags, with '1', 'a' in the first row\. .* capitals and zeros"):
        look(a=["1", "2", "3", "4"], tags=["a", "b", "a", "a"])
    with pytest.raises(InputError, match="found the columns image_name, tags, and no row"):
        look(image_name=[], tags=[])


@pytest.mark.parametrize(
    ("texts", "torn"),
    [
        (["a;b", "b;c", "a, b", "c"], "by a semicolon in some rows and by a comma in others: 'a, b'"),
        (["a b", "b c", "a,b", "c"], "by a blank in some rows and by a comma in others: 'a,b'"),
        (["a, b", "b", "b|a", "a"], "by a pipe in some rows and by a comma in others: 'a, b'"),
    ],
)
def test_rows_that_separate_tags_otherwise_are_refused(texts: list[str], torn: str) -> None:
    """Else two labels would pass for one more; a label of two words, or one that holds a comma, is none of that."""
    with pytest.raises(InputError, match=re.escape(torn)):
        look(file=FILES, tags=texts)
    assert look(file=FILES, tags=["Open", "Water", "Open Water, Open", "Water"]).labels == (
        "Open",
        "Open Water",
        "Water",
    )
    assert look(file=FILES, tags=["trees, tall; a", "a", "b;a", "b"]).labels == ("a", "b", "trees, tall")


def test_a_column_of_labels_may_be_called_as_its_owner_likes() -> None:
    """It is named then, also where another one is called as usual."""
    found = look(file=FILES, tags=["p", "q", "r", "s"], cover=["a", "b", "a,b", "a"], named="cover")
    assert found.columns["tags"] == "cover" and found.labels == ("a", "b")
    parts = ["test", "train", "test", "train"]  # called as a group or a split is: each group would hold one label then
    assert look(file=FILES, scene=parts, named="scene").columns["group"] is None
    assert look(file=FILES, set=parts, named="set").columns["split"] is None
    with pytest.raises(InputError, match="'cover' is named for two things"):
        look(file=FILES, cover=["a", "b", "a", "a"], named="cover", group="cover")
    with pytest.raises(InputError, match="'file' holds the pictures' names"):
        look(file=FILES, cover=["a", "b", "a", "a"], named="file")


@pytest.mark.parametrize("head", ["c_4.png", "x/c_4", "gone.jpg"])
def test_a_table_without_a_line_of_names_is_an_error(head: str) -> None:
    """Its first row would be lost, and the columns be called as a picture and its tags are."""
    columns: dict[str, Any] = {head: FILES[:3], "road water": ["road", "water", "road"]}
    with pytest.raises(
        InputError, match=f"^t.csv: expected the names of the columns .* found a picture, {head}. Write"
    ):
        look(**columns)


def test_a_slip_of_the_pen_makes_no_other_kind_of_column() -> None:
    """One field in twenty may be odd; what is odd is told where the rows are read. A column of counts holds more."""
    flags: dict[str, Any] = {"road": ["0", "1"] * 10, "water": ["1", *["0"] * 18, "2"]}
    counts: dict[str, Any] = {"houses": ["0", "1", "2", "3"] * 5, "visits": [*["1"] * 19, "2"]}
    files: dict[str, Any] = {"file": [f"c_{number}" for number in range(1, 21)]}
    assert look(**files, **flags, **counts).labels == ("road", "water")
    parts: dict[str, Any] = {"subset": [*["train", "Val"] * 9, "", "test"], "set": ["A"] * 20}
    assert look(**files, **flags, **parts).columns["split"] == "subset"
    parts = {"part": [""] * 20, "set": ["A"] * 20}
    assert look(**files, **flags, **parts).columns["split"] is None
