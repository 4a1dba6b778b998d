"""Archives: every picture in them is found, what could do harm is refused, what is damaged is an error."""

import io
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from igarape.chips.pictures import MAX_BYTES
from igarape.chips.sources.archives import LEADS_OUT, Contents, is_of_use, list_tar, list_zip, refusal
from igarape.chips.sources.origins import Extent, loose, open_zip
from igarape.errors import InputError

NOISE = np.random.default_rng(0).integers(0, 256, 3000, dtype=np.uint8).tobytes()
LINK, DEVICE = "is a link", "is a device or a pipe, no file"


def write_zip(path: Path, files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write a zip."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, **facts: object) -> tarfile.TarInfo:
    """Describe a member of a tar."""
    info = tarfile.TarInfo(name)
    info.type = kind
    for fact, value in facts.items():
        setattr(info, fact, value)
    return info


def write_tar(path: Path, files: Mapping[str, bytes], *others: tarfile.TarInfo) -> Path:
    """Write a tar of files, and of members without content."""
    with tarfile.open(path, "w") as archive:
        for name, data in files.items():
            archive.addfile(member(name, size=len(data)), io.BytesIO(data))
        for other in others:
            archive.addfile(other)
    return path


def listed(path: Path) -> Contents:
    """List an archive; forget it, since tests change archives under their names."""
    open_zip.cache_clear()
    return (list_zip if path.suffix == ".zip" else list_tar)(loose(path), str(path))


def bytes_of(contents: Contents) -> dict[str, bytes]:
    """Read every file."""
    return {name: origin.read() for name, origin in contents.files.items()}


def test_the_files_of_a_zip_and_of_a_tar_are_found(tmp_path: Path) -> None:
    """Under their paths, with their bytes; folders, other files and what macOS adds are passed over."""
    wanted = {"t/a.jpg": NOISE, "t/b.PNG": b"b", "tags.csv": b"c", "more.tar.7z": b"d"}
    every = {**wanted, "__MACOSX/t/._a.jpg": b"x", "t/._b.PNG": b"x", "notes.txt": b"x"}
    every = {f"./{name}": data for name, data in every.items()}
    write_zip(tmp_path / "a.zip", {"t/": b"", **every})
    write_zip(tmp_path / "stored.zip", every, zipfile.ZIP_STORED)
    write_tar(tmp_path / "a.tar", every, member("t", tarfile.DIRTYPE))
    for name in ("a.zip", "stored.zip", "a.tar"):
        contents = listed(tmp_path / name)
        assert bytes_of(contents) == wanted and contents.refused == {}


def test_backslashes_are_slashes(tmp_path: Path) -> None:
    """Some programs for Windows write them."""
    assert bytes_of(listed(write_zip(tmp_path / "a.zip", {"t\\a.jpg": b"a"}))) == {"t/a.jpg": b"a"}


def test_a_tar_in_a_larger_file_is_read_where_it_lies(tmp_path: Path) -> None:
    """Nothing before or behind it matters, and it may not reach beyond its end."""
    data = write_tar(tmp_path / "a.tar", {"a.jpg": NOISE, "b.jpg": b"b"}).read_bytes()
    (tmp_path / "large").write_bytes(NOISE + data + NOISE)
    there = Extent(tmp_path / "large", len(NOISE), len(data), 0, "a.tar")
    assert bytes_of(list_tar(there, "a.tar")) == {"a.jpg": NOISE, "b.jpg": b"b"}
    with pytest.raises(InputError, match=r"a\.tar: cannot be read as an archive"):
        list_tar(Extent(tmp_path / "large", len(NOISE), 2048, 0, "a.tar"), "a.tar")


OUTSIDE = ["../evil.jpg", "t/../../evil.jpg", "/etc/evil.jpg", "C:/evil.jpg", "..\\evil.jpg", "\\evil.jpg"]


@pytest.mark.parametrize("name", OUTSIDE)
def test_members_that_climb_out_are_refused(tmp_path: Path, name: str) -> None:
    """The others are found; nothing is written anywhere in any case."""
    for path in (
        write_zip(tmp_path / "a.zip", {name: NOISE, "a.jpg": b"a"}),
        write_tar(tmp_path / "a.tar", {name: NOISE, "a.jpg": b"a"}),
    ):
        contents = listed(path)
        assert bytes_of(contents) == {"a.jpg": b"a"}
        assert list(contents.refused.values()) == [LEADS_OUT]


def test_links_and_devices_are_refused(tmp_path: Path) -> None:
    """What a link points at is not followed, in the archive or out of it."""
    path = write_tar(
        tmp_path / "a.tar",
        {"a.jpg": b"a"},
        member("soft.jpg", tarfile.SYMTYPE, linkname="/etc/passwd"),
        member("hard.jpg", tarfile.LNKTYPE, linkname="a.jpg"),
        member("pipe.jpg", tarfile.FIFOTYPE),
        member("device.jpg", tarfile.CHRTYPE, devmajor=1, devminor=5),
        member("block.jpg", tarfile.BLKTYPE),
    )
    expected = {"soft.jpg": LINK, "hard.jpg": LINK, "pipe.jpg": DEVICE, "device.jpg": DEVICE, "block.jpg": DEVICE}
    assert listed(path).refused == expected and set(listed(path).files) == {"a.jpg"}
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, kind in (
            ("a.jpg", stat.S_IFREG),
            ("soft.jpg", stat.S_IFLNK),
            ("pipe.jpg", stat.S_IFIFO),
            ("b.jpg", 0),
        ):
            info = zipfile.ZipInfo(name)
            info.external_attr = (kind | 0o644) << 16
            archive.writestr(info, b"../../etc/passwd")
    contents = listed(tmp_path / "a.zip")
    assert contents.refused == {"soft.jpg": LINK, "pipe.jpg": DEVICE} and set(contents.files) == {"a.jpg", "b.jpg"}


def test_a_file_with_holes_is_refused(tmp_path: Path) -> None:
    """A few bytes in the tar stand for any length."""
    info = member(
        "a.jpg", pax_headers={"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(2**40)}
    )
    info.size = 512
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info, io.BytesIO(b"1\n0\n0\n".ljust(512, b"\0")))
    contents = listed(tmp_path / "a.tar")
    assert contents.files == {} and list(contents.refused.values()) == ["is stored with holes"]


def test_members_that_unpack_to_absurd_sizes_are_refused(tmp_path: Path) -> None:
    """Too large for a picture, or a hundred times larger than packed; a small one may shrink to nothing."""
    path = write_zip(tmp_path / "a.zip", {"a.jpg": bytes(MAX_BYTES + 1), "b.jpg": bytes(2**22), "c.tif": bytes(2**19)})
    contents = listed(path)
    assert set(contents.files) == {"c.tif"}
    assert contents.refused["a.jpg"] == "unpacks to 64 MB; at most 64 MB are read"
    assert contents.refused["b.jpg"].endswith("times its size; at most 200 times are read")
    assert refusal("a.tar", 10 * MAX_BYTES, 9 * MAX_BYTES, 0) is None, "an archive in an archive is as large as it is"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_members_with_one_name_the_first_is_used(tmp_path: Path) -> None:
    """The other one is reported."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.jpg", b"first")
        archive.writestr("a.jpg", b"second")
    contents = listed(tmp_path / "a.zip")
    assert bytes_of(contents) == {"a.jpg": b"first"}
    assert contents.refused == {"a.jpg": "stands in the archive twice; the first one is used"}


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_cannot_be_bounded_are_refused(tmp_path: Path, method: int) -> None:
    """Python unpacks these as far as they go, whatever one asks for."""
    contents = listed(write_zip(tmp_path / "a.zip", {"a.jpg": NOISE}, method))
    assert contents.files == {} and "expected deflate, or none" in contents.refused["a.jpg"]


def test_a_zip_with_a_password_is_an_error(tmp_path: Path) -> None:
    """The error says what to do."""
    path = write_zip(tmp_path / "a.zip", {"a.jpg": NOISE})
    data = bytearray(path.read_bytes())
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"a\.zip: needs a password\. Unpack it yourself"):
        listed(path)


@pytest.mark.parametrize("stated", [10, 2**31])
def test_a_zip_that_lies_about_a_size_gives_no_wrong_bytes(tmp_path: Path, stated: int) -> None:
    """Said to be shorter or longer than it is, a member is refused, or an error when it is read."""
    path = write_zip(tmp_path / "a.zip", {"a.jpg": NOISE})
    data = bytearray(path.read_bytes())
    start = data.rindex(b"PK\x01\x02") + 24
    data[start : start + 4] = struct.pack("<I", stated)
    path.write_bytes(data)
    contents = listed(path)
    if "a.jpg" in contents.files:
        with pytest.raises(InputError, match=r"a\.zip/a\.jpg: cannot be read from the archive"):
            contents.files["a.jpg"].read()
    else:
        assert "a.jpg" in contents.refused


def negative_size(data: bytearray) -> None:
    """State a size below zero in the header of the second member, which would lead back to the first."""
    data[3584 + 124 : 3584 + 136] = b"\xff" * 10 + struct.pack(">h", -4096)
    field = sum(data[3584 : 3584 + 148]) + 8 * 32 + sum(data[3584 + 156 : 3584 + 512])
    data[3584 + 148 : 3584 + 156] = b"%06o\0 " % field


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data.__delitem__(slice(4000, None)),
        lambda data: data.__delitem__(slice(3584, None)),
        lambda data: data.__setitem__(slice(3584, 3684), bytes(range(100))),
        negative_size,
        lambda data: data.__setitem__(slice(None), b"no archive at all" * 100),
        lambda data: data.clear(),
    ],
    ids=["cut", "cut between members", "header damaged", "negative size", "no tar", "empty"],
)
def test_a_damaged_tar_is_an_error(tmp_path: Path, damage: Callable[[bytearray], None]) -> None:
    """It never passes for one that holds fewer pictures."""
    path = write_tar(tmp_path / "a.tar", {"a.jpg": NOISE, "b.jpg": NOISE})
    data = bytearray(path.read_bytes())
    assert bytes(data[3584:3589]) == b"b.jpg"
    damage(data)
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"a\.tar: cannot be read as an archive; it is damaged or cut short"):
        listed(path)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("suffix", [".zip", ".tar"])
def test_no_damage_leads_to_another_exception(tmp_path: Path, suffix: str) -> None:
    """Cut anywhere, or with bytes changed: an error, or files of which each is read or an error itself."""
    write = write_zip if suffix == ".zip" else write_tar
    data = write(tmp_path / f"sound{suffix}", {"a.jpg": NOISE[:700], "t/b.jpg": b"b" * 700, "c.csv": b"c"}).read_bytes()
    rng = np.random.default_rng(5)
    path = tmp_path / f"a{suffix}"
    for turn in range(300):
        damaged = bytearray(data[: rng.integers(0, len(data))] if turn % 3 == 0 else data)
        for place in rng.integers(0, len(data), turn % 3 * 3):
            damaged[place % max(1, len(damaged))] = rng.integers(0, 256)
        path.write_bytes(damaged)
        try:
            for origin in listed(path).files.values():
                origin.read()
        except InputError as error:
            assert str(path) in str(error)  # noqa: PT017 - a sound member is right as well


def test_only_pictures_tables_and_archives_are_of_use() -> None:
    """By their suffix, in any case."""
    assert all(is_of_use(name) for name in ("a.jpg", "t/a.JPEG", "a.tif", "x.csv", "x.zip", "x.tar.7z", "x.tar"))
    assert not any(is_of_use(name) for name in ("a.txt", "a", "t.jpg/a", "._a.jpg", "__MACOSX/a.jpg", "a.tar.gz"))
