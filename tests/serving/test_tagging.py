"""Tagging of files: one bad picture costs one row, not the run; near-infrared is found by the pictures' names."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pytest

from igarape.chips.pictures import Pixels, encode_jpeg
from igarape.errors import InputError
from igarape.serving.bundle import Bundle
from igarape.serving.tagging import check_out, find_pictures, find_tifs, passed_over, tag_files


@pytest.fixture
def folder(tmp_path: Path, images: list[Pixels]) -> Path:
    """Lay five JPEGs and a text file into a folder, out of order."""
    folder = tmp_path / "chips"
    folder.mkdir()
    for number in (3, 0, 4, 1, 2):
        (folder / f"chip_{number}.jpg").write_bytes(encode_jpeg(images[number], 95))
    (folder / "notes.txt").write_text("no picture")
    return folder


@pytest.fixture
def tifs(tmp_path: Path, tif_files: list[bytes]) -> Path:
    """Lay the TIFs of the five pictures into a folder, beside other files."""
    folder = tmp_path / "tifs"
    folder.mkdir()
    for number, tif in enumerate(tif_files):
        (folder / f"chip_{number}.tif").write_bytes(tif)
    (folder / "chip_0.txt").write_text("no TIF")
    (folder / "other.tif").write_bytes(b"")
    return folder


def tagged(
    bundle: Bundle, files: Sequence[Path], tifs: Mapping[str, Path] | None = None
) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Tag files; return the answers, the names of the files that failed, and the complaints."""
    said: list[str] = []
    answers, failed = tag_files(bundle, files, tifs=tifs, complain=said.append, report=lambda *_: None)
    return answers, [path.name for path in failed], said


def same(answers: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Compare probabilities."""
    probabilities = answers.filter(like="p_"), expected.filter(like="p_")
    pd.testing.assert_frame_equal(*probabilities, check_dtype=False, atol=1e-6)


def test_a_folder_is_tagged_in_the_order_of_names(folder: Path, bundle_folder: Path) -> None:
    """image_name without suffix, tags, and p_<label>... as the bundle answers; other files do not matter."""
    bundle = Bundle.load(bundle_folder)
    answers, failed, said = tagged(bundle, find_pictures([folder]))
    expected = bundle.answer([path.read_bytes() for path in sorted(folder.glob("*.jpg"))])
    assert list(answers.columns) == ["image_name", "tags", *(f"p_{label}" for label in bundle.vocabulary.labels)]
    assert list(answers["image_name"]) == [f"chip_{number}" for number in range(5)]
    assert list(answers["tags"]) == list(expected["tags"])
    same(answers, expected)
    assert failed == said == []


def test_pictures_come_in_the_order_given(folder: Path) -> None:
    """And folders where they are named."""
    (folder / "more").mkdir()
    (folder / "more/b.png").touch()
    found = find_pictures([folder / "chip_2.jpg", folder / "more", folder / "chip_0.jpg"])
    assert [path.name for path in found] == ["chip_2.jpg", "b.png", "chip_0.jpg"]


def test_what_is_passed_over_in_a_folder_is_told(folder: Path) -> None:
    """Folders and formats that are not read, each with how many; notes are none of a model's business."""
    assert passed_over([folder, folder / "chip_0.jpg"]) == ""
    for name in ("more", "deeper", ".hidden"):
        (folder / name).mkdir()
    for name in ("a.webp", "b.webp", "c.gif"):
        (folder / name).touch()
    said = "2 folders, which have to be named themselves, 1 GIF, 2 WEBP, which is not read: convert it to PNG, or"
    assert passed_over([folder, folder / "chip_0.jpg"]).startswith(said)
    (folder / "more/a.webp").touch()
    with pytest.raises(
        InputError, match=r"more: no picture in it; found 1 WEBP, which is not read: .*; expected files"
    ):
        find_pictures([folder / "more"])


def test_answers_take_the_place_of_answers_only(folder: Path, tmp_path: Path) -> None:
    """Not of what is read, by whatever name, nor of a folder, a device or a pipe."""
    files = find_pictures([folder])
    (tmp_path / "old.csv").touch()
    (tmp_path / "link.csv").symlink_to(folder / "chip_1.jpg")
    os.mkfifo(tmp_path / "pipe")
    for name in ("old.csv", "new.csv", "new/new.csv"):
        check_out(tmp_path / name, files, tmp_path)
    for out, said in (
        (folder / "chip_0.jpg", "is read as a picture"),
        (tmp_path / "link.csv", "is read as a picture"),
        (folder, r"is a folder\. Name a file in it: \S+chips/answers\.csv"),
        (tmp_path / "pipe", "is a device or a pipe, no file"),
        (Path("/dev/full"), "is a device or a pipe, no file"),
    ):
        with pytest.raises(InputError, match=f"^--out {out}: {said}"):
            check_out(out, files, None)
    (tmp_path / "chip_0.tif").touch()
    with pytest.raises(InputError, match="is read as a picture"):
        check_out(tmp_path / "chip_0.tif", files, tmp_path)


def test_paths_without_pictures_are_refused(folder: Path) -> None:
    """A path that is not there, a folder that holds none, and two pictures of one name."""
    with pytest.raises(InputError, match="nowhere: not found"):
        find_pictures([Path("nowhere")])
    (folder / "empty").mkdir()
    with pytest.raises(InputError, match=r"empty: no picture in it; found none; expected files that end in \.jpg"):
        find_pictures([folder / "empty"])
    (folder / "chip_0.png").touch()
    with pytest.raises(InputError, match=r"chip_0\.png and \S+chip_0\.jpg have one name"):
        find_pictures([folder])


def test_what_cannot_be_read_is_complained_of_and_left_out(folder: Path, bundle_folder: Path) -> None:
    """With the columns there even where nothing else is."""
    (folder / "chip_1.jpg").write_bytes(b"hello")
    (folder / "chip_9.png").mkdir()
    bundle = Bundle.load(bundle_folder)
    answers, failed, said = tagged(bundle, find_pictures([folder]))
    assert list(answers["image_name"]) == ["chip_0", "chip_2", "chip_3", "chip_4"]
    assert failed == ["chip_1.jpg", "chip_9.png"] and len(said) == 2
    assert "chip_1.jpg: expected a JPEG, PNG or TIF" in said[0]
    nothing, failed, _ = tagged(bundle, [folder / "chip_1.jpg"])
    assert list(nothing.columns) == list(answers.columns) and len(nothing) == 0 and failed == ["chip_1.jpg"]


def test_progress_counts_the_pictures(folder: Path, bundle_folder: Path) -> None:
    """Those that cannot be read are done with, too."""
    (folder / "chip_1.jpg").write_bytes(b"hello")
    heard: list[tuple[int, int]] = []
    tag_files(
        Bundle.load(bundle_folder),
        find_pictures([folder]),
        tifs=None,
        complain=lambda _: None,
        report=lambda *count: heard.append(count),
    )
    assert heard == [(5, 5)]


def test_near_infrared_is_found_by_the_pictures_name(
    folder: Path, tifs: Path, nir_bundle_folder: Path, tif_files: list[bytes]
) -> None:
    """Other files in the folder do not matter."""
    bundle = Bundle.load(nir_bundle_folder)
    files = find_pictures([folder])
    answers, failed, _ = tagged(bundle, files, find_tifs(bundle, tifs))
    assert list(answers["image_name"]) == [f"chip_{number}" for number in range(5)] and failed == []
    same(answers, bundle.answer([path.read_bytes() for path in files], tif_files))


def test_a_picture_without_a_sound_tif_is_complained_of_and_left_out(
    folder: Path, tifs: Path, nir_bundle_folder: Path
) -> None:
    """The others are tagged with their own TIFs, not with the next ones."""
    bundle = Bundle.load(nir_bundle_folder)
    whole, *_ = tagged(bundle, find_pictures([folder]), find_tifs(bundle, tifs))
    (tifs / "chip_1.tif").unlink()
    (tifs / "chip_3.tif").write_bytes(b"hello")
    answers, failed, said = tagged(bundle, find_pictures([folder]), find_tifs(bundle, tifs))
    assert failed == ["chip_1.jpg", "chip_3.jpg"]
    assert list(answers["image_name"]) == ["chip_0", "chip_2", "chip_4"]
    same(answers, whole.iloc[[0, 2, 4]].reset_index(drop=True))
    assert "chip_1.jpg: no TIF of its name in the folder that --nir names" in said[0]
    assert "tifs/chip_3.tif: expected a JPEG, PNG or TIF" in said[1]


def test_a_bundle_that_needs_near_infrared_gets_a_folder_of_it(tifs: Path, nir_bundle_folder: Path) -> None:
    """No folder, a folder that is not there, two TIFs of one name: each is refused before anything is tagged."""
    bundle = Bundle.load(nir_bundle_folder)
    for folder, found in ((None, "not given"), (tifs / "nowhere", "no such folder")):
        with pytest.raises(InputError, match=rf"--nir: {found}\. The model sees near-infrared too: .*--nir FOLDER"):
            find_tifs(bundle, folder)
    (tifs / "chip_0.tiff").touch()
    with pytest.raises(InputError, match=r"chip_0\.tiff and \S+chip_0\.tif have one name"):
        find_tifs(bundle, tifs)


def test_near_infrared_is_refused_by_a_bundle_that_sees_pictures_only(tifs: Path, bundle_folder: Path) -> None:
    """It would make no difference, and whoever gives it should know."""
    bundle = Bundle.load(bundle_folder)
    assert find_tifs(bundle, None) is None
    with pytest.raises(InputError, match=r"--nir .*: the model sees pictures only"):
        find_tifs(bundle, tifs)


def test_alerts_stand_after_the_tags_in_the_table(folder: Path, alert_bundle_folder: Path) -> None:
    """Where the bundle has any."""
    answers, *_ = tagged(Bundle.load(alert_bundle_folder), find_pictures([folder]))
    assert list(answers.columns)[:3] == ["image_name", "tags", "alerts"]
    assert set(answers["alerts"]) == {"kiln"}
