"""What has changed in a source since it was packed is named; what has not is not."""

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from igarape.chips.sources import inventory
from igarape.chips.sources.inventory import Inventory
from igarape.config.datasets import FolderSource
from igarape.config.schema import validate


def source(**changes: Any) -> FolderSource:
    """Give a source of a folder or else an archive, a table, and sets that may be missing."""
    plain = {
        "kind": "folder",
        "images": ["pictures", "all.zip/pictures"],
        "tags": ["tags.csv"],
        "unlabelled": [["more*/test"]],
        "nir": [["tifs"]],
    }
    return validate(FolderSource, plain | changes, "toy")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Lay a few files."""
    for name, text in {
        "pictures/a.jpg": "a",
        "pictures/deep/b.jpg": "bb",
        "tags.csv": "a,tree",
        "more1/test/c.jpg": "c",
        "other/d.jpg": "d",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_all_that_a_source_names_counts_and_nothing_else(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """By the paths from the root; what lies there is known on another machine too, whenever it was copied."""
    before = Inventory.take(root, source())
    assert set(before.places) == {"pictures", "tags.csv", "more1/test"}
    assert (before.places["pictures"].files, before.places["pictures"].bytes) == (2, 3)
    for path in root.rglob("*"):
        os.utime(path, (1, 1))
    for name in ("other/e.jpg", "pictures/._a.jpg", "pictures/notes.txt", "all.zip"):
        (root / name).write_text("x", encoding="utf-8")
    assert before.changes(Inventory.take(root, source())) == []
    file = tmp_path_factory.mktemp("kept") / "source.json"
    before.write(file)
    assert Inventory.read(file) == before


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("pictures/e.jpg", "x", "pictures holds 3 files, it held 2"),
        ("pictures/deep/b.jpg", "bbb", "pictures is not what it was"),
        ("tags.csv", "a,pond", "tags.csv is not what it was"),  # of the same length
        ("tifs/a.tif", "x", "tifs is new"),
        ("more2/test/c.jpg", "x", "more2/test is new"),
    ],
)
def test_a_change_is_told_by_its_place(root: Path, name: str, text: str, told: str) -> None:
    """More files, other bytes, a table of the same length, a set that was missing."""
    before = Inventory.take(root, source())
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text, encoding="utf-8")
    assert before.changes(Inventory.take(root, source())) == [told]


def test_what_is_gone_is_told_but_not_where_nothing_is(root: Path) -> None:
    """A machine without any of it has what was packed; settings that have changed pack anew by themselves."""
    before = Inventory.take(root, source())
    (root / "tags.csv").unlink()
    assert before.changes(Inventory.take(root, source())) == ["tags.csv is gone"]
    assert before.changes(Inventory.take(root, source(version=2))) == []
    assert before.changes(Inventory.take(root / "nothing", source())) == []


def test_an_archive_is_known_by_its_end(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A zip lists there what it holds: another picture of the same size is noticed, however large the zip is."""
    monkeypatch.setattr(inventory, "END", 200)
    found = []
    for content in (b"one", b"two", b"one"):
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            archive.writestr(zipfile.ZipInfo("pictures/a.jpg"), content + bytes(1000))
        (root / "all.zip").write_bytes(data.getvalue())
        found.append(Inventory.take(root, source(images=["all.zip/pictures"])))
    first, other, same = found
    assert first.changes(other) == ["all.zip is not what it was"] and first == same
    assert first.places["all.zip"].bytes > 1000


def test_a_link_that_leads_back_up_is_not_followed(root: Path) -> None:
    """It would never end; nor is one that leads to itself, which is no file."""
    before = Inventory.take(root, source())
    (root / "pictures/deep/up").symlink_to(root / "pictures")
    (root / "pictures/self").symlink_to(root / "pictures/self")
    assert Inventory.take(root, source()) == before
