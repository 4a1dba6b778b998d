"""Tags: what people and their programs make of a CSV is understood; what is wrong in it is said row by row."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from igarape.chips.sources.annotations import Annotations, read_tags
from igarape.chips.sources.origins import Extent, loose
from igarape.chips.sources.places import Place
from igarape.errors import InputError
from igarape.labels import Vocabulary
from igarape.tables import Fault

VOCABULARY = Vocabulary(exclusive=("sun", "fog"), alone=("fog",), common=("tree", "pond"), rare=("kiln",))

Read = tuple[dict[str, tuple[str, ...]], list[Fault]]


def read(folder: Path, text: str | bytes) -> Read:
    """Read a CSV."""
    found = table(folder, text)
    return found.tags, found.faults


def table(folder: Path, text: str | bytes, **how: Any) -> Annotations:
    """Read a CSV and give all that it says."""
    path = folder / "tags.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_tags(Place(str(path), file=loose(path)), VOCABULARY, **how)


PLAIN = "image_name,tags\na,sun tree\nb,fog\n"
SPELLINGS = {
    "byte order mark": "\ufeff" + PLAIN,
    "lines of Windows": PLAIN.replace("\n", "\r\n"),
    "lines of an old Mac": PLAIN.replace("\n", "\r"),
    "quotes": 'image_name,"tags"\n"a","sun tree"\n"b","fog"\n',
    "no last line end": PLAIN.rstrip(),
    "blank lines": "image_name,tags\n\na,sun tree\n   \n,\nb,fog\n\n\n",
    "blanks around": "image_name , tags\n a ,  sun tree \n b, fog\n",
    "blanks before quotes": 'image_name, tags\na, "sun tree"\nb, "fog"\n',
    "many blanks between": "image_name,tags\na,sun \t  tree\nb,fog\n",
    "names with suffixes": "image_name,tags\na.jpg,sun tree\nb.TIF,fog\n",
    "other columns": "id,tags,image_name\n1,sun tree,a\n2,fog,b\n",
    "repeated tags": "image_name,tags\na,sun tree sun tree\nb,fog fog\n",
    "names with two suffixes": "image_name,tags\na.tif.png,sun tree\nb.tif,fog\n",
    "names with folders": "image_name,tags\ntrain/a.jpg,sun tree\ntrain\\b.jpg,fog\n",
    "fields apart by semicolons": "image_name;tags\na;sun tree\nb;fog\n",
    "fields apart by tabs": "image_name\ttags\na\tsun tree\nb\tfog\n",
    "a row for each label": "image_name,tags\na,sun\nb,fog\na,tree\na,sun\n",
}


@pytest.mark.parametrize("text", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_a_csv_means_the_same_however_it_is_spelled(tmp_path: Path, text: str) -> None:
    """And none of this is a fault."""
    assert read(tmp_path, text) == ({"a": ("sun", "tree"), "b": ("fog",)}, [])


def test_names_and_tags_that_look_like_something_else_stay_what_they_are(tmp_path: Path) -> None:
    """No number, no missing value."""
    assert read(tmp_path, "image_name,tags\n007,sun\nNA,fog\n")[0] == {"007": ("sun",), "NA": ("fog",)}


def test_a_row_with_no_tags_is_kept(tmp_path: Path) -> None:
    """Whether no label may hold is for the vocabulary to say; a row without that field is cut short, and refused."""
    assert read(tmp_path, "image_name,tags\na,\nb,\n") == ({"a": (), "b": ()}, [])
    told = r"tags\.csv: b, d: expected 2 fields in each row, as in its first line, found fewer\. Write ',' before"
    with pytest.raises(InputError, match=told):
        read(tmp_path, "image_name,tags\na,\nb\nc,sun\n   \nd")


def test_an_unknown_tag_is_a_fault_that_suggests_the_known_one(tmp_path: Path) -> None:
    """The row is left out."""
    tags, faults = read(tmp_path, "image_name,tags\na,sun\nb,sun kilnn\n")
    assert tags == {"a": ("sun",)}
    problem = "unknown tag 'kilnn'; did you mean kiln?"
    assert faults == [Fault("b", problem, "correct the row in tags.csv", left_out=True)]


def test_a_row_that_repeats_another_is_reported(tmp_path: Path) -> None:
    """It changes nothing, so nothing is left out."""
    found, (fault,) = read(tmp_path, "image_name,tags\na,sun tree\na,tree sun\n")
    assert found == {"a": ("sun", "tree")}
    assert fault.image_id == "a" and fault.problem == "stands twice in tags.csv, with the same tags"
    assert not fault.left_out


def test_rows_that_only_add_labels_are_joined_and_that_is_said_once(tmp_path: Path) -> None:
    """A row for each label, as tools that draw boxes write; a label that stands twice is no fault there."""
    found = table(tmp_path, "image_name,tags\na,sun\na,tree\na,sun\nb,fog\nc,tree pond\nc,sun\nb,fog\n")
    assert found.tags == {"a": ("sun", "tree"), "b": ("fog",), "c": ("tree", "pond", "sun")} and found.faults == []
    assert found.remarks == [
        f"tags: 7 rows in {tmp_path}/tags.csv; the labels of 2 chips with several rows were joined: a, c"
    ]


@pytest.mark.parametrize(
    ("one", "other"), [("sun tree", "tree"), ("sun", "fog"), ("fog", "tree"), ("sun tree", "sun pond")]
)
def test_rows_that_disagree_are_a_fault_and_no_guess_is_made(tmp_path: Path, one: str, other: str) -> None:
    """One lacks what the other has beside a common label, or both cannot hold: the chip is left out."""
    for first, second in ((one, other), (other, one)):
        found, (fault,) = read(tmp_path, f"image_name,tags\na,{first}\na,{second}\nb,sun\n")
        assert found == {"b": ("sun",)}
        assert fault.image_id == "a" and fault.left_out
        assert fault.problem.startswith("stands twice in tags.csv, with other tags: ")


def test_one_unknown_tag_spoils_all_rows_of_a_chip(tmp_path: Path) -> None:
    """Which of them is right cannot be known."""
    found, (fault,) = read(tmp_path, "image_name,tags\nb,nix\nb,sun\n")
    assert found == {} and fault.image_id == "b" and fault.left_out


SEPARATED = {"comma": 'a,"sun,tree"', "semicolon": "a,sun; tree", "pipe": "a,sun|tree", "list": "a,\"['sun', 'tree']\""}


@pytest.mark.parametrize("separator", SEPARATED)
def test_tags_are_separated_as_the_data_set_says(tmp_path: Path, separator: str) -> None:
    """Where it says otherwise, that is no fault of rows: the error names what to write."""
    text = (
        f"image_name,tags\n{SEPARATED[separator]}\nb,fog\n"
        if separator != "list"
        else (f"image_name,tags\n{SEPARATED[separator]}\nb,['fog']\n")
    )
    found = table(tmp_path, text, separator=separator)
    assert found.tags == {"a": ("sun", "tree"), "b": ("fog",)} and found.faults == []
    with pytest.raises(InputError, match=rf"a: .* separated by a {separator} .*says blank\. .*separator: {separator}$"):
        table(tmp_path, text)


def test_blanks_where_commas_are_said(tmp_path: Path) -> None:
    """The other way round; of many rows a single one is its own fault."""
    with pytest.raises(InputError, match=r"separated by a blank .*the data set says comma"):
        table(tmp_path, "image_name,tags\na,sun tree\nb,fog\n", separator="comma")
    rows = "".join(f"c{number},fog\n" for number in range(200))
    found = table(tmp_path, f'image_name,tags\na,"sun,tree"\n{rows}')
    assert len(found.tags) == 200 and [fault.image_id for fault in found.faults] == ["a"]


def test_columns_that_are_not_used_are_told(tmp_path: Path) -> None:
    """They may mean something; the line says how to use them."""
    found = table(tmp_path, "image_name,tags,split,scene\na,sun,test,s1\n")
    assert "not used of that table: split, scene. Under source.columns" in found.remarks[1]
    flags = table(tmp_path, ",image_name,sun,fog,tree,pond,kiln,moons\n1,a,1,0,0,0,0,3\n", tags=None)
    assert "table: moons. A label has a column of 0 and 1. Under source.columns" in flags.remarks[1]
    assert found.groups == {"a": ""} and found.splits == {}


def test_a_group_and_a_split_are_read_from_the_columns_that_the_data_set_names(tmp_path: Path) -> None:
    """Validation chips are dealt into folds, test chips are held out; where those have no tags they are unlabelled."""
    text = "file;what;part;scene\na.jpg;sun;train;s1\nb.jpg;sun;val;s1\nc.jpg;{};Test;s2\n"
    how = {"image": "file", "tags": "what", "group": "scene", "split": "part"}
    found = table(tmp_path, text.format("fog"), **how)
    assert found.groups == {"a": "s1", "b": "s1", "c": "s2"}
    assert found.splits == {"a": "train", "b": "train", "c": "holdout"}
    assert (
        found.remarks[1]
        == "split: 1 test, 1 train, 1 val; its test chips are the hold-out, all others are dealt into folds"
    )
    assert table(tmp_path, text.format(""), **how).splits["c"] == "test"
    with pytest.raises(InputError, match=r"part: b: expected train, val or test, found '' \(so for 1 chip\)"):
        table(tmp_path, "file,what,part\na,sun,train\nb,sun,\n", image="file", tags="what", split="part")


def test_rows_that_disagree_in_group_or_picture_are_a_fault(tmp_path: Path) -> None:
    """One chip lies in one scene; two folders may hold two pictures of one name."""
    found = table(tmp_path, "image_name,tags,scene\na,sun,s1\na,tree,s2\n", group="scene")
    assert found.tags == {} and found.faults[0].problem == "stands twice in tags.csv, with the groups s1 and s2"
    found = table(tmp_path, "image_name,tags\nx/a.jpg,sun\ny/a.jpg,tree\n")
    assert found.tags == {} and "another picture of that name" in found.faults[0].problem


def test_a_column_for_each_label_is_read(tmp_path: Path) -> None:
    """Of 0 and 1, however they are spelled; anything else is a fault."""
    text = "image_name,sun,fog,tree,pond,kiln,note\na,1,0,1.0,0,,x\nb,False,TRUE,0,0,0,x\nc,2,0,0,0,0,x\n"
    found = table(tmp_path, text, tags=None)
    assert found.tags == {"a": ("sun", "tree"), "b": ("fog",)}
    assert [fault.problem for fault in found.faults] == ["column sun holds '2', expected 0 or 1"]
    with pytest.raises(InputError, match="expected the columns image_name, sun, fog, tree, pond, kiln, found"):
        table(tmp_path, "image_name,sun\na,1\n", tags=None)


def test_a_file_in_cocos_format_is_read(tmp_path: Path) -> None:
    """A chip's labels are the categories of its annotations, each once; its pictures may say more, as columns do."""
    content = {
        "images": [
            {"id": 1, "file_name": "train/a.jpg", "width": 8, "scene": "s1"},
            {"id": 2, "file_name": "b.jpg", "scene": "s2"},
            {"id": 3, "file_name": "c.jpg", "scene": "s2"},
        ],
        "categories": [{"id": 7, "name": "sun"}, {"id": 9, "name": "tree"}],
        "annotations": [
            {"id": number, "image_id": image, "category_id": category}
            for number, (image, category) in enumerate([(1, 7), (1, 9), (1, 7), (2, 9)])
        ],
    }
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    found = read_tags(Place(str(path), file=loose(path)), VOCABULARY, group="scene")
    assert found.tags == {"a": ("sun", "tree"), "b": ("tree",), "c": ()} and found.faults == []
    assert found.groups == {"a": "s1", "b": "s2", "c": "s2"}
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match=r"coco\.json: expected a file in COCO's format"):
        read_tags(Place(str(path), file=loose(path)), VOCABULARY)


def test_a_row_without_a_name_is_a_fault(tmp_path: Path) -> None:
    """It is named by its number."""
    found, (fault,) = read(tmp_path, "image_name,tags\na,sun\n,fog tree\n")
    assert found == {"a": ("sun",)}
    assert fault.image_id == "row 2" and fault.problem == "names no picture in tags.csv: fog tree" and fault.left_out


@pytest.mark.parametrize("head", ["image,tags", "image_name,label"])
def test_a_csv_without_the_columns_is_an_error(tmp_path: Path, head: str) -> None:
    """It says which were expected and which were found."""
    with pytest.raises(InputError, match=r"tags\.csv: expected the columns image_name, tags, found image"):
        read(tmp_path, f"{head}\na,sun\n")


UNREADABLE = {"nothing": b"", "a picture": b"\xff\xd8\xff\xe0", "UTF-16": PLAIN.encode("utf-16"), "NULs": b"\0" * 99}


@pytest.mark.parametrize("data", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_is_no_csv_is_an_error(tmp_path: Path, data: bytes) -> None:
    """The error names the file."""
    with pytest.raises(InputError, match=r"tags\.csv: (not a CSV that can be read|expected the columns)"):
        read(tmp_path, data)


def test_rows_that_do_not_fit_the_columns_are_an_error(tmp_path: Path) -> None:
    """Tags separated by commas, an open quote."""
    with pytest.raises(
        InputError,
        match=r"csv: line 2: expected 2 fields in each row, as in its first line, found 3: 'a,sun,tree'\. Quote",
    ):
        read(tmp_path, "image_name,tags\na,sun,tree\nb,sun,pond\n")
    with pytest.raises(InputError, match=r"csv: line 4: expected 2 fields .* found 4: 'b,sun,pond,tree'\. Quote"):
        read(tmp_path, "\nimage_name,tags\na,sun\nb,sun,pond,tree\n")
    with pytest.raises(InputError, match="not a CSV that can be read"):
        read(tmp_path, 'image_name,tags\na,"sun')


def test_a_place_may_hold_the_csv_and_only_one(tmp_path: Path) -> None:
    """As a zip does; with several the data set's YAML has to name one."""
    (tmp_path / "one.csv").write_text(PLAIN, encoding="utf-8")
    one = loose(tmp_path / "one.csv")
    assert read_tags(Place("a.zip", files={"one.csv": one}), VOCABULARY).tags == {"a": ("sun", "tree"), "b": ("fog",)}
    with pytest.raises(InputError, match=r"a\.zip: expected one CSV .*, found one\.csv, two\.csv"):
        read_tags(Place("a.zip", files={"one.csv": one, "two.csv": one}), VOCABULARY)
    with pytest.raises(InputError, match=r"a\.zip: expected one CSV .*, found none"):
        read_tags(Place("a.zip"), VOCABULARY)


def test_a_table_of_absurd_size_is_an_error(tmp_path: Path) -> None:
    """It is not read to its end."""
    with (tmp_path / "tags.csv").open("wb") as file:
        file.truncate(2**40)
    huge = Extent(tmp_path / "tags.csv", 0, 2**40, 0)
    with pytest.raises(InputError, match=r"tags\.csv: expected a CSV of at most 64 MB"):
        read_tags(Place("tags.csv", file=huge), VOCABULARY)


def test_the_labels_of_all_of_planets_chips_are_read(planet: Path) -> None:
    """40,479 rows; 73 of them repeat a tag, which is no fault and counts once."""
    labels = "clear partly_cloudy cloudy haze primary agriculture road water cultivation habitation bare_ground"
    rare = "selective_logging artisinal_mine blooming slash_burn conventional_mine blow_down"
    vocabulary = Vocabulary(exclusive=(), alone=(), common=tuple(labels.split()), rare=tuple(rare.split()))
    found = read_tags(Place("train_v2.csv", file=loose(planet / "train_v2.csv")), vocabulary)
    tags, faults = found.tags, found.faults
    assert len(tags) == 40_479 and faults == []
    counts = Counter(tag for row in tags.values() for tag in row)
    assert (counts["primary"], counts["cultivation"], counts["blow_down"]) == (37_513, 4_477, 98)
    assert all(len(row) == len(set(row)) > 0 for row in tags.values())
