"""A folder for each label: its name is the tag of what lies in it."""

from pathlib import Path

import pytest

from igarape.chips.sources.folders import read_folders, sort_by_folder
from igarape.chips.sources.origins import loose
from igarape.chips.sources.places import Place
from igarape.errors import InputError
from igarape.labels import Vocabulary


def files(folder: Path, **contents: bytes) -> Place:
    """Write files whose names have __ for a slash, and give a place with their origins by path."""
    found = {}
    for number, (name, data) in enumerate(contents.items()):
        path = folder / f"{number}.jpg"
        path.write_bytes(data)
        found[f"{name.replace('__', '/')}.jpg"] = loose(path)
    return Place("archive.zip", files=dict(found))


def test_the_innermost_folder_is_the_label(tmp_path: Path) -> None:
    """Whatever lies above it; a picture in no folder has none and is passed over."""
    found = sort_by_folder(files(tmp_path, top__forest__a=b"1", top__river__b=b"2", c=b"3"))
    assert found.tags == {"a": ("forest",), "b": ("river",)} and set(found.pictures) == {"a", "b"}


def test_blanks_around_a_folders_name_are_no_part_of_the_label(tmp_path: Path) -> None:
    """Nobody sees them, and a label begins and ends with a letter."""
    for name in ("top/forest /a.jpg", "top/ forest/a.jpg"):
        (tmp_path / "a").write_bytes(b"1")
        found = sort_by_folder(Place("archive.zip", files={name: loose(tmp_path / "a")}))
        assert found.tags == {"a": ("forest",)}


def test_the_same_picture_in_two_folders_has_two_labels(tmp_path: Path) -> None:
    """By its name and its bytes."""
    found = sort_by_folder(files(tmp_path, forest__a=b"1", river__a=b"1"))
    assert found.tags == {"a": ("forest", "river")} and len(found.pictures) == 1


def test_other_pictures_of_one_name_are_told_apart_by_their_folder(tmp_path: Path) -> None:
    """As where each folder counts from one."""
    found = sort_by_folder(files(tmp_path, forest__1=b"1", river__1=b"2"))
    assert found.tags == {"forest-1": ("forest",), "river-1": ("river",)}
    assert found.pictures["river-1"].read() == b"2"


def test_pictures_of_one_name_below_two_folders_of_one_label_are_all_kept(tmp_path: Path) -> None:
    """As where train and test count from one; the same picture in both is one chip."""
    found = sort_by_folder(files(tmp_path, train__forest__1=b"1", test__forest__1=b"2", train__river__1=b"3"))
    assert found.tags == {"train-forest-1": ("forest",), "test-forest-1": ("forest",), "river-1": ("river",)}
    assert {name: origin.read() for name, origin in found.pictures.items()} == {
        "train-forest-1": b"1",
        "test-forest-1": b"2",
        "river-1": b"3",
    }
    same = sort_by_folder(files(tmp_path, train__forest__1=b"1", test__forest__1=b"1", test__river__1=b"3"))
    assert same.tags == {"forest-1": ("forest",), "river-1": ("river",)}
    once = sort_by_folder(files(tmp_path, train__forest__1=b"1", test__forest__1=b"1"))
    assert once.tags == {"1": ("forest",)}


def test_folders_named_as_a_split_are_told(tmp_path: Path) -> None:
    """They are none: whoever wants theirs kept hears how."""
    vocabulary = Vocabulary(exclusive=(), alone=(), common=("forest",), rare=())
    place = files(tmp_path, train__forest__1=b"1", Test__forest__2=b"2")
    _, found = read_folders(place, vocabulary, {})
    assert "split: the folders Test, train are not taken for a split" in found.remarks[1]
    _, found = read_folders(files(tmp_path, test__1=b"1", data__forest__2=b"2"), vocabulary, {})
    assert len(found.remarks) == 1


def test_a_place_without_such_folders_is_an_error_that_says_what_it_holds(tmp_path: Path) -> None:
    """Pictures that lie in no folder are of no label; some are of formats that are not read."""
    with pytest.raises(
        InputError, match=r"^archive\.zip: holds no folder with pictures; found 2 \.jpg; expected a folder"
    ):
        sort_by_folder(files(tmp_path, a=b"1", b=b"2"))
    (tmp_path / "forest").mkdir()
    (tmp_path / "forest/a.webp").touch()
    with pytest.raises(InputError, match=r"1 \.webp in forest; expected .* that end in \.jpg"):
        sort_by_folder(Place(str(tmp_path / ".")))
