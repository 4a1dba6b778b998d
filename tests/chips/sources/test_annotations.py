"""Tags: what people and their programs make of a CSV is understood; what is wrong in it is said row by row."""

from collections import Counter
from pathlib import Path

import pytest

from igarape.chips.sources.annotations import read_tags
from igarape.chips.sources.origins import Extent, loose
from igarape.chips.sources.places import Place
from igarape.errors import InputError
from igarape.labels import Vocabulary
from igarape.tables import Fault

VOCABULARY = Vocabulary(exclusive=("sun", "fog"), alone=("fog",), common=("tree", "pond"), rare=("kiln",))

Read = tuple[dict[str, tuple[str, ...]], list[Fault]]


def read(folder: Path, text: str | bytes) -> Read:
    """Read a CSV."""
    path = folder / "tags.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_tags(Place(str(path), file=loose(path)), VOCABULARY)


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
}


@pytest.mark.parametrize("text", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_a_csv_means_the_same_however_it_is_spelled(tmp_path: Path, text: str) -> None:
    """And none of this is a fault."""
    assert read(tmp_path, text) == ({"a": ("sun", "tree"), "b": ("fog",)}, [])


def test_names_and_tags_that_look_like_something_else_stay_what_they_are(tmp_path: Path) -> None:
    """No number, no missing value."""
    assert read(tmp_path, "image_name,tags\n007,sun\nNA,fog\n")[0] == {"007": ("sun",), "NA": ("fog",)}


def test_a_row_with_no_tags_is_kept(tmp_path: Path) -> None:
    """Whether no label may hold is for the vocabulary to say; a missing last field is an empty one."""
    assert read(tmp_path, "image_name,tags\na,\nb\n") == ({"a": (), "b": ()}, [])


def test_an_unknown_tag_is_a_fault_that_suggests_the_known_one(tmp_path: Path) -> None:
    """The row is left out."""
    tags, faults = read(tmp_path, "image_name,tags\na,sun\nb,sun kilnn\n")
    assert tags == {"a": ("sun",)}
    problem = "unknown tag 'kilnn'; did you mean kiln?"
    assert faults == [Fault("b", problem, "correct the row in tags.csv", left_out=True)]


@pytest.mark.parametrize(
    ("tags", "said"), [("tree sun", "the same tags"), ("fog", "other tags"), ("nix", "other tags")]
)
def test_of_repeated_rows_the_first_is_used(tmp_path: Path, tags: str, said: str) -> None:
    """The fault says whether they agree; nothing is left out."""
    found, (fault,) = read(tmp_path, f"image_name,tags\na,sun tree\na,{tags}\n")
    assert found == {"a": ("sun", "tree")}
    assert fault.image_id == "a" and fault.problem == f"stands twice in tags.csv, with {said}" and not fault.left_out


def test_a_later_row_does_not_rescue_an_unknown_tag(tmp_path: Path) -> None:
    """Which of the two is right cannot be known: the first row counts, and it is wrong."""
    found, faults = read(tmp_path, "image_name,tags\nb,nix\nb,sun\n")
    assert found == {}
    assert sorted((fault.image_id, fault.left_out) for fault in faults) == [("b", False), ("b", True)]


def test_a_row_without_a_name_is_a_fault(tmp_path: Path) -> None:
    """It is named by its number."""
    found, (fault,) = read(tmp_path, "image_name,tags\na,sun\n,fog tree\n")
    assert found == {"a": ("sun",)}
    assert fault.image_id == "row 2" and fault.problem == "names no picture in tags.csv: fog tree" and fault.left_out


@pytest.mark.parametrize("head", ["image,tags", "image_name;tags", "image_name,label"])
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
    with pytest.raises(InputError, match="expected 2 fields in each row, as in its first line, found more"):
        read(tmp_path, "image_name,tags\na,sun,tree\nb,sun,pond\n")
    with pytest.raises(InputError, match=r"not a CSV that can be read: .*line 3"):
        read(tmp_path, "image_name,tags\na,sun\nb,sun,pond\n")
    with pytest.raises(InputError, match="not a CSV that can be read"):
        read(tmp_path, 'image_name,tags\na,"sun')


def test_a_place_may_hold_the_csv_and_only_one(tmp_path: Path) -> None:
    """As a zip does; with several the data set's YAML has to name one."""
    (tmp_path / "one.csv").write_text(PLAIN, encoding="utf-8")
    one = loose(tmp_path / "one.csv")
    assert read_tags(Place("a.zip", files={"one.csv": one}), VOCABULARY)[0] == {"a": ("sun", "tree"), "b": ("fog",)}
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
    tags, faults = read_tags(Place("train_v2.csv", file=loose(planet / "train_v2.csv")), vocabulary)
    assert len(tags) == 40_479 and faults == []
    counts = Counter(tag for row in tags.values() for tag in row)
    assert (counts["primary"], counts["cultivation"], counts["blow_down"]) == (37_513, 4_477, 98)
    assert all(len(row) == len(set(row)) > 0 for row in tags.values())
