"""The spool: a 7z is unpacked once, whole or not at all, and only what may be."""

import shutil
import struct
import tarfile
import zipfile
import zlib
from collections import namedtuple
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import py7zr
import pytest

from igarape.chips.sources.archives import LEADS_OUT, list_zip
from igarape.chips.sources.origins import Extent, loose
from igarape.chips.sources.spool import keep, unpack_7z
from igarape.errors import InputError

NOISE = np.random.default_rng(0).integers(0, 256, 200_000, dtype=np.uint8).tobytes()
FILES = {f"t/{number:02d}.jpg": NOISE[1000 * number : 1000 * number + 7000 + number] for number in range(40)}


def write_7z(path: Path, files: Mapping[str, bytes], *, plain: bool = False, password: str | None = None) -> Path:
    """Write a 7z; plain: its header is not compressed, so that tests can change it."""
    with py7zr.SevenZipFile(path, "w", password=password) as archive:
        archive.set_encoded_header_mode(not plain)
        for name, data in files.items():
            archive.writestr(data, name)
    return path


def rename(path: Path, old: str, new: str) -> None:
    """Change a name in the plain header of a 7z, and the checksums over it."""
    data = path.read_bytes()
    offset, size = struct.unpack("<QQ", data[12:28])
    header = data[32 + offset : 32 + offset + size].replace(old.encode("utf-16-le"), new.encode("utf-16-le"))
    start = struct.pack("<QQI", offset, size, zlib.crc32(header))
    path.write_bytes(data[:8] + struct.pack("<I", zlib.crc32(start)) + start + data[32 : 32 + offset] + header)


class Reports(list[tuple[int, int]]):
    """Keeps what is reported."""

    def __call__(self, done: int, total: int) -> None:
        """Keep a report."""
        self.append((done, total))


def unpack(path: Path, spool: Path, reports: Reports | None = None) -> tuple[dict[str, bytes], dict[str, str]]:
    """Unpack a 7z and read every file in it; return why others are refused, too."""
    contents = unpack_7z(loose(path), str(path), spool=spool, report=Reports() if reports is None else reports)
    return {name: origin.read() for name, origin in contents.files.items()}, contents.refused


def test_a_7z_is_unpacked_once(tmp_path: Path) -> None:
    """Every file with its bytes, in one plain tar; a second time nothing is unpacked; progress is told in bytes."""
    path = write_7z(tmp_path / "a.7z", {**FILES, "notes.txt": b"x", "empty.jpg": b"", "__MACOSX/t/._00.jpg": b"x"})
    spool, reports = tmp_path / "spool", Reports()
    expected = {**FILES, "empty.jpg": b""}
    assert unpack(path, spool, reports) == (expected, {})
    total = sum(map(len, FILES.values()))
    assert reports[-1] == (total, total) and [done for done, _ in reports] == sorted(done for done, _ in reports)
    (tar,) = spool.iterdir()
    with tarfile.open(tar, "r:") as opened:
        assert {member.name for member in opened} == set(expected)
    again = Reports()
    assert unpack(path, spool, again) == (expected, {}) and again == []


def test_two_spools_are_the_same_to_the_byte(tmp_path: Path) -> None:
    """When, and by whom a 7z is unpacked makes no difference."""
    path = write_7z(tmp_path / "a.7z", FILES)
    for name in ("one", "two"):
        unpack(path, tmp_path / name)
    one, two = (next((tmp_path / name).iterdir()) for name in ("one", "two"))
    assert one.name == two.name and one.read_bytes() == two.read_bytes()


def test_another_archive_of_the_same_name_is_unpacked_anew(tmp_path: Path) -> None:
    """Its size or its time tell them apart."""
    path = write_7z(tmp_path / "a.7z", FILES)
    unpack(path, tmp_path / "spool")
    write_7z(path, {"b.jpg": b"other"})
    assert unpack(path, tmp_path / "spool") == ({"b.jpg": b"other"}, {})


def test_what_stops_halfway_leaves_nothing_and_the_next_run_succeeds(tmp_path: Path) -> None:
    """A tar takes its name when it is whole."""

    class Stopped(BaseException):
        """Stands for a killed process."""

    def stop(done: int, total: int) -> None:
        if done > total / 2:
            raise Stopped

    path, spool = write_7z(tmp_path / "a.7z", FILES), tmp_path / "spool"
    with pytest.raises(Stopped):
        unpack_7z(loose(path), "a.7z", spool=spool, report=stop)
    assert list(spool.glob("*.tar")) == []
    with pytest.raises(NotADirectoryError, match=str(path)):  # no word of the archive, which is whole
        unpack(path, path / "spool")
    (spool / ".unfinished-left").write_bytes(b"what a killed process leaves")
    assert unpack(path, spool) == (FILES, {})


def test_members_that_climb_out_are_refused(tmp_path: Path) -> None:
    """The others are unpacked; nothing is written outside the spool."""
    for number, name in enumerate(("../evil.jpg", "/evil1x.jpg", "C:/evilx.jpg", "a/../../e.jpg")):
        path = write_7z(tmp_path / f"{number}.7z", {"x" * len(name): NOISE[:500], **FILES}, plain=True)
        rename(path, "x" * len(name), name)
        spool = tmp_path / f"deep/spool-{number}"
        assert unpack(path, spool) == (FILES, {name: LEADS_OUT})
        assert list(tmp_path.rglob("*evil*")) == list(tmp_path.rglob("e.jpg")) == []


def test_links_are_refused(tmp_path: Path) -> None:
    """What one points at is not read."""
    (tmp_path / "target.jpg").write_bytes(b"secret")
    (tmp_path / "link.jpg").symlink_to("target.jpg")
    with py7zr.SevenZipFile(tmp_path / "a.7z", "w") as archive:
        archive.write(tmp_path / "target.jpg", "a.jpg")
        archive.write(tmp_path / "link.jpg", "link.jpg")
    assert unpack(tmp_path / "a.7z", tmp_path / "spool") == ({"a.jpg": b"secret"}, {"link.jpg": "is a link"})


def test_of_two_members_with_one_name_the_first_is_used(tmp_path: Path) -> None:
    """The other one is reported."""
    path = write_7z(tmp_path / "a.7z", {"a.jpg": b"first", "b.jpg": b"second", "c.jpg": b"third"}, plain=True)
    rename(path, "b.jpg", "a.jpg")
    found, refused = unpack(path, tmp_path / "spool")
    assert found == {"a.jpg": b"first", "c.jpg": b"third"}
    assert refused == {"a.jpg": "stands in the archive twice; the first one is used"}


def test_an_archive_that_unpacks_to_an_absurd_size_is_an_error(tmp_path: Path) -> None:
    """Four megabytes out of less than one kilobyte: before anything is written."""
    path = write_7z(tmp_path / "a.7z", {f"{number}.jpg": bytes(2**20) for number in range(4)})
    with pytest.raises(InputError, match=r"a\.7z: unpacks to \d+ times its size; at most 200 times are read"):
        unpack(path, tmp_path / "spool")
    assert not (tmp_path / "spool").exists()


def test_an_archive_that_the_disk_cannot_hold_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is written; the error says how much is needed, and where."""
    usage = namedtuple("usage", "total used free")  # noqa: PYI024 - as shutil's
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(2**30, 2**30 - 2**20, 2**20))
    path = write_7z(tmp_path / "a.7z", FILES)
    with pytest.raises(InputError, match=r"a\.7z: unpacks to 0 MB, but 1 MB are free in .*spool\. Make room"):
        unpack(path, tmp_path / "spool")
    assert list((tmp_path / "spool").iterdir()) == []


@pytest.mark.parametrize("hidden", [False, True])
def test_an_archive_with_a_password_is_an_error(tmp_path: Path, hidden: bool) -> None:
    """Whether its list of files can be read or not."""
    path = tmp_path / "a.7z"
    with py7zr.SevenZipFile(path, "w", password="secret", header_encryption=hidden) as archive:  # noqa: S106 - a test's
        archive.writestr(NOISE, "a.jpg")
    with pytest.raises(InputError, match=r"a\.7z: needs a password\. Unpack it yourself"):
        unpack(path, tmp_path / "spool")


@pytest.mark.timeout(60)
def test_a_damaged_archive_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    """Cut anywhere, a byte changed anywhere, or no 7z at all: no other exception, and no part passes for the whole."""
    sound = write_7z(tmp_path / "sound.7z", FILES, plain=True).read_bytes()
    rng = np.random.default_rng(0)
    cases = [b"", b"no archive", sound[:32], *(sound[:end] for end in rng.integers(0, len(sound), 8))]
    places = [40, *rng.integers(0, len(sound), 9), *rng.integers(len(sound) - 500, len(sound), 16)]
    cases += [sound[:place] + bytes([sound[place] ^ 0x55]) + sound[place + 1 :] for place in places]
    path, spool = tmp_path / "a.7z", tmp_path / "spool"
    for data in cases:
        path.write_bytes(data)
        with pytest.raises(InputError, match=r"a\.7z: cannot be read as an archive; it is damaged or cut short"):
            unpack(path, spool)
        assert not spool.exists() or list(spool.iterdir()) == []


def test_an_archive_in_another_is_copied_once(tmp_path: Path) -> None:
    """From a zip, or from a tar; the copy keeps the suffix that says what it is."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("more/b.7z", NOISE * 20)
    (member,) = list_zip(loose(tmp_path / "a.zip"), "a.zip").files.values()
    spool = tmp_path / "spool"
    copy = keep(member, spool)
    assert copy.path.suffix == ".7z" and b"".join(copy.chunks()) == NOISE * 20
    assert keep(member, spool) == copy and list(spool.iterdir()) == [copy.path]
    assert keep(Extent(tmp_path / "a.zip", 0, 10, 0, "c.zip"), spool).path.read_bytes().startswith(b"PK")
