"""A folder and its CSV: what fits together is a chip, what does not is a fault, what cannot be read is an error."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from igarape.chips.pictures import encode_jpeg
from igarape.chips.sources import Folder, open_folder
from igarape.errors import InputError
from igarape.labels import Vocabulary
from igarape.tables import Fault

VOCABULARY = Vocabulary(exclusive=("sun", "fog"), alone=("fog",), common=("tree", "pond"), rare=("kiln",))
PICTURE = encode_jpeg(np.arange(192, dtype=np.uint8).reshape(8, 8, 3), 95)

Open = Callable[..., Folder]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Give a function that lays out pictures (names) and a CSV (lines below the head), and opens them."""

    def open_source(pictures: str, *lines: str, head: str = "image_name,tags", unlabelled: str | None = None) -> Folder:
        for folder, names in (("train", pictures), ("test", unlabelled or "")):
            (tmp_path / folder).mkdir(exist_ok=True)
            for name in names.split():
                (tmp_path / folder / name).write_bytes(PICTURE)
        (tmp_path / "tags.csv").write_text("\n".join([head, *lines, ""]), encoding="utf-8")
        return open_folder(
            tmp_path / "train",
            tmp_path / "tags.csv",
            unlabelled=None if unlabelled is None else tmp_path / "test",
            vocabulary=VOCABULARY,
        )

    return open_source


def only(faults: list[Fault]) -> Fault:
    """Return the one fault."""
    assert len(faults) == 1
    return faults[0]


def test_chips_are_the_pictures_with_their_rows(opened: Open) -> None:
    """In the order of names, bytes unchanged; unlabelled pictures follow as test chips without tags."""
    source = opened("b.jpg a.jpg", "b,sun tree", "a,fog", unlabelled="z.jpg y.png")
    chips = list(source.chips())
    assert source.faults == [] and len(source) == len(chips) == 4
    assert [(chip.image, chip.split, chip.group, chip.tags) for chip in chips] == [
        ("a", "train", "a", ("fog",)),
        ("b", "train", "b", ("sun", "tree")),
        ("y", "test", "y", ()),
        ("z", "test", "z", ()),
    ]
    assert {chip.data for chip in chips} == {PICTURE}


def test_names_may_have_their_suffix_and_tables_a_byte_order_mark(opened: Open, tmp_path: Path) -> None:
    """Some CSVs say a.jpg, some were saved by a spreadsheet, some have more columns; other files are left alone."""
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "notes.txt").write_text("hello", encoding="utf-8")
    (tmp_path / "train" / "folder.jpg").mkdir()
    source = opened("a.JPG b.tif", "1,a.JPG,sun", "2, b ,sun  pond", head="\ufeffid,image_name,tags")
    assert {chip.image: chip.tags for chip in source.chips()} == {"a": ("sun",), "b": ("sun", "pond")}
    assert source.faults == []


def test_a_repeated_tag_counts_once(opened: Open) -> None:
    """A tag list is a set, and it is no fault to say a thing twice."""
    source = opened("a.jpg", "a,sun tree tree sun")
    assert next(source.chips()).tags == ("sun", "tree") and source.faults == []


def test_a_row_without_a_picture_is_a_fault(opened: Open) -> None:
    """It is left out, and the fault says what to do."""
    source = opened("a.jpg", "a,sun", "gone,fog")
    assert [chip.image for chip in source.chips()] == ["a"]
    assert only(source.faults) == Fault(
        "gone", "has tags in tags.csv, but no picture in train", "add the picture", True
    )


def test_a_picture_without_a_row_is_a_fault(opened: Open) -> None:
    """A training chip nobody labelled is left out: no tags is not the same as no label holds."""
    source = opened("a.jpg b.jpg", "a,sun")
    assert [chip.image for chip in source.chips()] == ["a"]
    fault = only(source.faults)
    assert fault.image == "b" and "has no row in tags.csv" in fault.problem and fault.left_out


def test_a_row_with_no_tags_is_kept(opened: Open) -> None:
    """Whether no label may hold is for the vocabulary to say; a missing last field is an empty one."""
    source = opened("a.jpg b.jpg", "a,", "b")
    assert [chip.tags for chip in source.chips()] == [(), ()] and source.faults == []


def test_an_unknown_tag_is_a_fault_that_suggests_the_known_one(opened: Open) -> None:
    """The chip is left out, reported once, and not reported as a picture without a row besides."""
    source = opened("a.jpg b.jpg", "a,sun", "b,sun kilnn")
    assert [chip.image for chip in source.chips()] == ["a"]
    fault = only(source.faults)
    assert fault.image == "b" and fault.problem == "unknown tag 'kilnn'; did you mean kiln?" and fault.left_out


@pytest.mark.parametrize(
    ("tags", "said"), [("tree sun", "the same tags"), ("fog", "other tags"), ("nix", "other tags")]
)
def test_of_repeated_rows_the_first_is_used(opened: Open, tags: str, said: str) -> None:
    """The fault says whether they agree; nothing is left out."""
    source = opened("a.jpg", "a,sun tree", f"a,{tags}")
    assert next(source.chips()).tags == ("sun", "tree")
    fault = only(source.faults)
    assert fault.image == "a" and fault.problem == f"stands twice in tags.csv, with {said}" and not fault.left_out


def test_a_later_row_does_not_rescue_an_unknown_tag(opened: Open) -> None:
    """Which of the two is right cannot be known: the first row counts, and it is wrong."""
    source = opened("a.jpg b.jpg", "a,sun", "b,nix", "b,sun")
    assert [chip.image for chip in source.chips()] == ["a"]
    assert sorted((fault.image, fault.left_out) for fault in source.faults) == [("b", False), ("b", True)]


def test_of_two_pictures_with_one_name_the_first_is_used(opened: Open) -> None:
    """a.jpg and a.png would both be the chip a."""
    source = opened("a.jpg a.png", "a,sun")
    assert len(source) == 1
    fault = only(source.faults)
    assert fault.image == "a.png" and fault.problem == "a.jpg has the same name" and fault.left_out


def test_an_unlabelled_picture_with_a_labelled_ones_name_is_a_fault(opened: Open) -> None:
    """The labelled one is used."""
    source = opened("a.jpg", "a,sun", unlabelled="a.jpg b.jpg")
    assert [(chip.image, chip.split) for chip in source.chips()] == [("a", "train"), ("b", "test")]
    assert only(source.faults).image == "a"


def test_a_missing_folder_or_csv_is_an_error(tmp_path: Path) -> None:
    """It names the path, and where the path comes from."""
    with pytest.raises(InputError, match=r"train: no such folder\. Check IGARAPE_DATA"):
        open_folder(tmp_path / "train", tmp_path / "tags.csv", unlabelled=None, vocabulary=VOCABULARY)
    (tmp_path / "train").mkdir()
    with pytest.raises(InputError, match=r"train: holds no picture; expected files that end in \.jpg"):
        open_folder(tmp_path / "train", tmp_path / "tags.csv", unlabelled=None, vocabulary=VOCABULARY)
    (tmp_path / "train" / "a.jpg").write_bytes(PICTURE)
    with pytest.raises(InputError, match=r"tags\.csv: no such file; expected a CSV with the columns image_name, tags"):
        open_folder(tmp_path / "train", tmp_path / "tags.csv", unlabelled=None, vocabulary=VOCABULARY)


def test_a_missing_folder_of_unlabelled_chips_is_an_error(opened: Open, tmp_path: Path) -> None:
    """It was asked for, so it is not passed over."""
    opened("a.jpg", "a,sun")
    with pytest.raises(InputError, match="gone: no such folder"):
        open_folder(tmp_path / "train", tmp_path / "tags.csv", unlabelled=tmp_path / "gone", vocabulary=VOCABULARY)


@pytest.mark.parametrize("head", ["image,tags", "image_name;tags", "image_name,label"])
def test_a_csv_without_the_columns_is_an_error(opened: Open, head: str) -> None:
    """It says which were expected and which were found."""
    with pytest.raises(InputError, match=r"tags\.csv: expected the columns image_name, tags, found image"):
        opened("a.jpg", "a,sun", head=head)


def test_a_csv_that_cannot_be_read_is_an_error(opened: Open, tmp_path: Path) -> None:
    """Tags separated by commas, an open quote, nothing at all, a picture."""
    with pytest.raises(InputError, match="expected 2 fields in each row, as in its first line, found more"):
        opened("a.jpg", "a,sun,tree", "b,sun,pond")
    with pytest.raises(InputError, match=r"not a CSV that can be read: .*line 3"):
        opened("a.jpg", "a,sun", "b,sun,pond")
    with pytest.raises(InputError, match="not a CSV that can be read"):
        opened("a.jpg", 'a,"sun')
    for content in (b"", PICTURE):
        (tmp_path / "tags.csv").write_bytes(content)
        with pytest.raises(InputError, match=r"tags\.csv: not a CSV that can be read"):
            open_folder(tmp_path / "train", tmp_path / "tags.csv", unlabelled=None, vocabulary=VOCABULARY)


@pytest.mark.parametrize("line", ["b,sun", "a,maize", ""])
def test_when_nothing_fits_together_the_error_shows_the_first_fault(opened: Open, line: str) -> None:
    """Other names, or the tags of another data set."""
    with pytest.raises(InputError, match=r"no row with known tags names one of the 1 pictures.*first fault: [ab]: "):
        opened("a.jpg", line)
