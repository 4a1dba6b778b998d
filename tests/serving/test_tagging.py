"""What is tagged: pictures, folders, archives and packed chips, with near-infrared found by the pictures' names."""

import os
import re
import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from unlabelled import NAMES, lay_out

from igarape.chips.pictures import Pixels, encode_jpeg
from igarape.chips.store import Store
from igarape.errors import InputError
from igarape.serving.bundle import Bundle
from igarape.serving.tagging import Pictures, check_out, find_pictures, find_tifs
from igarape.tables import read_catalog
from igarape.workspace import Workspace


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


def find(*paths: Path) -> Pictures:
    """Find the pictures at paths; nothing has to be unpacked."""
    return find_pictures(paths, spool=Path("nowhere"), report=lambda _done, _total: None)


def same(found: Pictures, expected: Pictures) -> None:
    """Compare names, their order, and bytes."""
    assert list(found.origins) == list(expected.origins)
    for name, origin in found.origins.items():
        assert origin.read() == expected.origins[name].read()


def test_pictures_come_in_the_order_given_and_a_folders_by_name(folder: Path) -> None:
    """And folders where they are named; other files do not matter."""
    (folder / "more").mkdir()
    (folder / "more/b.png").touch()
    (folder / "more/.c.png").touch()
    assert list(find(folder).origins) == [f"chip_{number}" for number in range(5)]
    assert list(find(folder / "chip_2.jpg", folder / "more", folder / "chip_0.jpg").origins) == [
        "chip_2",
        "b",
        "chip_0",
    ]


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_is_read_as_the_folder_that_it_holds(folder: Path, kind: str) -> None:
    """Whatever the folder's name there; what is no picture is passed over, what is not read is told."""
    archive = folder.parent / f"chips.{kind}"
    (folder / "a.webp").touch()
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as packed:
            for path in folder.iterdir():
                packed.write(path, f"deep/{path.name}")
    else:
        with tarfile.open(archive, "w") as tar:
            tar.add(folder, "deep")
    found = find(archive)
    assert [line.split(" in ")[0] for line in found.passed_over] == ["1"]
    assert f"chips.{kind}: deep/a.webp is WEBP" in found.passed_over[0]
    (folder / "a.webp").unlink()
    same(found, find(folder))
    with pytest.raises(InputError, match=r"chip_0\.jpg and \S+chip_0\.jpg have one name"):
        find(folder, archive)


def test_packed_chips_are_read_where_they_lie(tmp_path: Path, bundle_folder: Path) -> None:
    """All of the catalog, in its order."""
    here = lay_out(Workspace(tmp_path), NAMES[:7])
    catalog = read_catalog(here.catalog(), Bundle.load(bundle_folder, threads=1).vocabulary.labels)
    store, found = Store(here.chips("raw"), catalog), find(here.chips("raw"))
    assert list(found.origins) == list(catalog["image_id"]) and len(found.origins) == 9
    for name, origin in found.origins.items():
        assert origin.read() == store.bytes(name)
    shard = here.chips("raw") / "shard-00000.tar"
    shard.write_bytes(shard.read_bytes()[:-20_000])
    with pytest.raises(InputError, match=r"shard-00000\.tar: cut short, its last chip should end at \d+\. Remove"):
        find(here.chips("raw"))
    shard.unlink()
    with pytest.raises(InputError, match=r"shard-00000\.tar: cannot be read \(No such file"):
        find(here.chips("raw"))


def test_the_key_tells_model_and_pictures(folder: Path, tifs: Path, nir_bundle_folder: Path) -> None:
    """Another model, order or set, and a picture or a TIF that was changed, give another key."""
    found, again = find(folder), find(folder)
    assert found.key("one") == again.key("one")
    turned = Pictures(dict(reversed(found.origins.items())))
    (folder / "chip_0.jpg").write_bytes((folder / "chip_1.jpg").read_bytes())
    seeing = find(folder)
    changed = seeing.key("one")
    seeing.tifs = find_tifs(Bundle.load(nir_bundle_folder, threads=1), tifs)
    keys = {found.key("one"), found.key("two"), turned.key("one"), changed, seeing.key("one")}
    assert len(keys) == 5


def test_what_is_passed_over_in_a_folder_is_told(folder: Path) -> None:
    """Folders and formats that are not read, each with how many; notes are none of a model's business."""
    assert find(folder).passed_over == []
    for name in ("more", "deeper", ".hidden"):
        (folder / name).mkdir()
    for name in ("a.webp", "b.webp", "c.gif"):
        (folder / name).touch()
    said = "2 folders, which have to be named themselves, 1 GIF, 2 WEBP, which is not read: convert it to PNG, or"
    assert find(folder).passed_over[0].startswith(said)
    (folder / "more/a.webp").touch()
    with pytest.raises(
        InputError, match=r"more: no picture in it; found 1 WEBP, which is not read: .*; expected files"
    ):
        find(folder / "more")


def test_a_name_that_no_table_could_hold_is_passed_over(folder: Path) -> None:
    """And told, as in an archive; by itself it is refused."""
    file = folder / b"jo\xe3o.jpg".decode("utf-8", "surrogateescape")
    (folder / "chip_0.jpg").rename(file)
    told = "'jo\\udce3o.jpg': a file's name that is not in UTF-8. Rename the file"
    found = find(folder)
    assert (len(found.origins), found.passed_over) == (4, [told])
    with pytest.raises(InputError, match=f"^{re.escape(told)}$"):
        find(file)
    for other in folder.glob("chip_*"):
        other.unlink()
    with pytest.raises(InputError, match=f"no picture in it; found {re.escape(told)}; expected"):
        find(folder)


def test_answers_take_the_place_of_answers_only(folder: Path, tmp_path: Path) -> None:
    """Not of what is read, by whatever name, nor of another file, a folder, a device or a pipe."""
    files = [*folder.iterdir(), tmp_path / "chip_0.tif"]
    (tmp_path / "empty.csv").touch()
    (tmp_path / "old.csv").write_text("image_name,tags\na,clear\n", encoding="utf-8")
    pd.DataFrame({"image_name": ["a"]}).to_parquet(tmp_path / "old.parquet")
    (tmp_path / "params.yaml").write_text("seed: 1", encoding="utf-8")
    shutil.copy(folder / "chip_0.jpg", tmp_path / "other.jpg")
    (tmp_path / "link.csv").symlink_to(folder / "chip_1.jpg")
    os.mkfifo(tmp_path / "pipe")
    for name in ("empty.csv", "old.csv", "old.parquet", "new.csv", "new/new.csv"):
        check_out(tmp_path / name, files)
    (tmp_path / "chip_0.tif").touch()
    for out, said in (
        (folder / "chip_0.jpg", "is read, and would be lost"),
        (tmp_path / "link.csv", "is read, and would be lost"),
        (tmp_path / "chip_0.tif", "is read, and would be lost"),
        (tmp_path / "params.yaml", "is there, holds no answers, and would be lost"),
        (tmp_path / "other.jpg", "is there, holds no answers, and would be lost"),
        (folder, r"is a folder\. Name a file in it: \S+chips/answers\.csv"),
        (tmp_path / "pipe", "is a device or a pipe, no file"),
        (Path("/dev/full"), "is a device or a pipe, no file"),
        (Path("/proc/answers.csv"), r"no file can be made in /proc \("),
        (tmp_path / "old.csv/answers.csv", r"\S+old\.csv is no folder"),
    ):
        with pytest.raises(InputError, match=f"^--out {out}: {said}"):
            check_out(out, files)


def test_paths_without_pictures_are_refused(folder: Path) -> None:
    """A path that is not there, a folder that holds none, and two pictures of one name."""
    with pytest.raises(InputError, match=r"nowhere: not found; expected a picture, or a folder or an archive \(\.zip"):
        find(Path("nowhere"))
    (folder / "empty").mkdir()
    with pytest.raises(InputError, match=r"empty: no picture in it; found none; expected files that end in \.jpg"):
        find(folder / "empty")
    (folder / "chip_0.png").touch()
    with pytest.raises(InputError, match=r"chip_0\.png and \S+chip_0\.jpg have one name"):
        find(folder)


def test_near_infrared_is_found_by_the_pictures_name(
    folder: Path, tifs: Path, nir_bundle_folder: Path, tif_files: list[bytes]
) -> None:
    """Other files in the folder do not matter; a picture without a sound TIF is an error of its own."""
    bundle = Bundle.load(nir_bundle_folder, threads=1)
    found = find(folder)
    found.tifs = find_tifs(bundle, tifs)
    for number, tif in enumerate(tif_files):
        nir = found.load(bundle, f"chip_{number}").nir
        assert nir is not None and np.array_equal(nir, bundle.decode_nir(tif, "tif"))
    (tifs / "chip_1.tif").unlink()
    (tifs / "chip_3.tif").write_bytes(b"hello")
    found.tifs = find_tifs(bundle, tifs)
    with pytest.raises(InputError, match=r"chip_1\.jpg: no TIF of its name in the folder that --nir names"):
        found.load(bundle, "chip_1")
    with pytest.raises(InputError, match=r"tifs/chip_3\.tif: expected a JPEG, PNG or TIF"):
        found.load(bundle, "chip_3")


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
