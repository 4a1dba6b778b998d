"""Places: a path leads through archives as if they were folders."""

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import py7zr
import pytest

from igarape.chips.sources.archives import LEADS_OUT
from igarape.chips.sources.places import Finder, Place, on_disk
from igarape.errors import InputError

FILES = {"t/a.jpg": b"a", "t/b.jpg": b"b", "t/deep/c.jpg": b"c", "tags.csv": b"d"}


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Make a zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred(files: Mapping[str, bytes]) -> bytes:
    """Make a tar."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def seven(files: Mapping[str, bytes]) -> bytes:
    """Make a 7z."""
    buffer = io.BytesIO()
    with py7zr.SevenZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(data, name)
    return buffer.getvalue()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give a folder with the files as they are, and packed in each way."""
    root = tmp_path / "root"
    for name, data in FILES.items():
        (root / "loose" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "loose" / name).write_bytes(data)
    (root / "a.zip").write_bytes(zipped(FILES))
    (root / "a.tar").write_bytes(tarred(FILES))
    (root / "a.7z").write_bytes(seven(FILES))
    (root / "a.tar.7z").write_bytes(seven({"a.tar": tarred(FILES)}))
    (root / "all.zip").write_bytes(
        zipped(
            {"x/a.tar.7z": seven({"a.tar": tarred(FILES)}), "x/a.zip": zipped(FILES), "x/tags.csv.zip": zipped(FILES)}
        )
    )
    (root / "all.tar").write_bytes(tarred({"a.zip": zipped(FILES), "a.tar": tarred(FILES), "a.7z": seven(FILES)}))
    return root


def nothing(done: int, total: int) -> None:
    """Report to nobody."""


@pytest.fixture
def find(root: Path, tmp_path: Path) -> Callable[[str], Place | None]:
    """Give a finder of places."""
    return Finder(root, tmp_path / "spool", nothing).find


def content(place: Place | None) -> bytes | dict[str, bytes] | None:
    """Return a file's bytes, or those of each file below a folder."""
    if place is None:
        return None
    if place.file is not None:
        return place.file.read()
    return {name: origin.read() for name, origin in place.files.items()}


PACKED = [
    "a.zip",
    "a.tar",
    "a.7z",
    "a.tar.7z",
    "all.zip/x/a.tar.7z",
    "all.zip/x/a.zip",
    "all.tar/a.zip",
    "all.tar/a.tar",
]


@pytest.mark.parametrize("archive", [*PACKED, "all.tar/a.7z", "a.tar.7z/a.tar"])
def test_a_path_leads_into_archives_and_archives_in_them(find: Callable[[str], Place | None], archive: str) -> None:
    """To all that is in one, to a folder in it with all below, to a file."""
    assert content(find(archive)) == FILES
    assert content(find(f"{archive}/t")) == {"a.jpg": b"a", "b.jpg": b"b", "deep/c.jpg": b"c"}
    assert content(find(f"{archive}/t/deep")) == {"c.jpg": b"c"}
    assert content(find(f"{archive}/tags.csv")) == b"d"
    assert find(f"{archive}/nowhere") is None and find(f"{archive}/t/nowhere.jpg") is None


def test_a_folder_on_the_disk_holds_what_lies_directly_in_it(find: Callable[[str], Place | None], root: Path) -> None:
    """And files only, of the kinds that are of use."""
    (root / "loose/t/notes.txt").write_bytes(b"x")
    (root / "loose/t/._a.jpg").write_bytes(b"x")
    (root / "loose/t/folder.jpg").mkdir()
    assert content(find("loose/t")) == {"a.jpg": b"a", "b.jpg": b"b"}
    assert content(find("loose/tags.csv")) == b"d"
    assert find("loose/nowhere") is None and find("loose/tags.csv/further") is None


def test_what_lies_in_the_folders_of_a_folder_can_be_asked_for(root: Path, tmp_path: Path) -> None:
    """At any depth, as FOLDER/NAME, also on the disk; a file stays a file, and nowhere is None."""
    finder = Finder(root, tmp_path / "spool", nothing)
    for folder in ("below/x", "below/y/z"):
        (root / folder).mkdir(parents=True)
        (root / folder / "a.jpg").write_bytes(b"1")
    place = finder.find_below("below")
    assert place and set(place.files) == {"x/a.jpg", "y/z/a.jpg"} and place.files["x/a.jpg"].read() == b"1"
    assert finder.find_below("below/y/z/a.jpg") == finder.find("below/y/z/a.jpg")
    assert finder.find_below("nowhere") is None


def test_a_place_says_what_it_holds(find: Callable[[str], Place | None], root: Path) -> None:
    """For people who look for something else there: by folder and kind, the most of them first."""
    (root / "loose/t/notes.txt").write_bytes(b"x")
    (root / "empty").mkdir()
    held = {"loose/t": "2 .jpg, 1 .txt, 1 .jpg in deep", "a.zip/t": "2 .jpg, 1 .jpg in deep", "empty": "nothing"}
    for path, said in held.items():
        place = find(path)
        assert place and sorted(place.holds().split(", ")) == sorted(said.split(", "))
    (root / "empty/many").mkdir()
    for number in range(6):
        (root / f"empty/many/a.{number}").touch()
    many = find("empty")
    assert many and many.holds().endswith(" in many, and more")


def test_a_star_stands_for_any_letters_on_the_disk(find: Callable[[str], Place | None], root: Path) -> None:
    """The first name that leads somewhere counts; archives that lack the rest of the path are passed over."""
    (root / "0.zip").write_bytes(zipped({"other.jpg": b"x"}))
    (root / "1.zip").write_bytes(zipped({"t/a.jpg": b"first"}))
    place = find("*.zip/t")
    assert content(place) == {"a.jpg": b"first"} and place is not None and place.path == str(root / "1.zip/t")
    assert find("*.rar/t") is None


def test_a_place_says_where_it_is(find: Callable[[str], Place | None], root: Path) -> None:
    """As people would type it; the tar in a .tar.7z is not named."""
    places = [find(path) for path in ("loose/t", "a.zip/t", "a.tar.7z/t", "all.zip/x/a.tar.7z")]
    assert [place.path for place in places if place] == [
        str(root / path) for path in ("loose/t", "a.zip/t", "a.tar.7z/t", "all.zip/x/a.tar.7z")
    ]


def test_what_is_refused_is_told_with_the_folder_it_lies_in(tmp_path: Path, root: Path) -> None:
    """What climbs out lies in none, so every place in the archive tells of it."""
    (root / "b.zip").write_bytes(
        zipped({**FILES, "../out.jpg": b"x", "t/big.jpg": bytes(2**22), "u/big.jpg": bytes(2**22)})
    )
    finder = Finder(root, tmp_path / "spool", nothing)
    refused = {path: place.refused for path in ("b.zip/t", "b.zip/u", "b.zip") if (place := finder.find(path))}
    assert set(refused["b.zip/t"]) == {"../out.jpg", "t/big.jpg"} and refused["b.zip/t"]["../out.jpg"] == LEADS_OUT
    assert set(refused["b.zip"]) == {"../out.jpg", "t/big.jpg", "u/big.jpg"}


def test_an_archive_is_unpacked_once_however_many_places_are_in_it(root: Path, tmp_path: Path) -> None:
    """By one finder, and by the next one that has the same spool."""
    told: list[int] = []
    for _ in range(2):
        finder = Finder(root, tmp_path / "spool", lambda done, _: told.append(done))
        for path in ("all.zip/x/a.tar.7z/t", "all.zip/x/a.tar.7z/tags.csv", "all.zip/x/a.tar.7z"):
            assert finder.find(path) is not None
    assert told == sorted(set(told)), "a second time would begin from nothing again"


def test_what_cannot_be_read_is_an_error(
    find: Callable[[str], Place | None], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A damaged archive on the way, by the path that people know; a folder that one may not look into."""
    (root / "all.zip").write_bytes(zipped({"x/a.tar.7z": b"no archive"}))
    with pytest.raises(InputError, match=r"root/all\.zip/x/a\.tar\.7z: cannot be read as an archive"):
        find("all.zip/x/a.tar.7z/t")

    def forbidden(self: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_dir", forbidden)  # root may look into everything, and tests may run as root
    with pytest.raises(InputError, match=r"root/loose/t: cannot be read \(Permission denied\)"):
        find("loose/t")


def test_a_path_may_lead_into_an_archive_on_the_disk(tmp_path: Path) -> None:
    """Which is not opened for it; a file that is none leads nowhere."""
    (tmp_path / "a").mkdir()
    for name in ("a/b", "chips.zip", "notes.txt"):
        (tmp_path / name).touch()
    for path, there in {"a/b": True, "chips.zip/a/b": True, "notes.txt/a": False, "*/b": True, "c": False}.items():
        assert any(on_disk(tmp_path, path.split("/"))) is there, path
    assert list(on_disk(tmp_path, ["chips.zip", "a", "b"])) == [(tmp_path / "chips.zip", ["a", "b"])]
