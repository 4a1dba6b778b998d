"""Files are read once, until they change."""

import hashlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from igarape.files import sha256
from igarape.sites import hashes
from igarape.sites.hashes import remembered


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note the names of the files that are read."""
    names: list[str] = []

    def reading(path: Path) -> str:
        names.append(path.name)
        return sha256(path)

    monkeypatch.setattr(hashes, "sha256", reading)
    return names


def ask(folder: Path, *paths: Path, said: list[str] | None = None) -> list[str]:
    """Return the hashes of files, as a new process would; said: takes what is complained of, else nothing may be."""
    lines: list[str] = []
    with remembered(folder, complain=lines.append) as hashed:
        found = [hashed(path) for path in paths]
    assert said is not None or not lines
    if said is not None:
        said += lines
    return found


def of(*contents: bytes) -> list[str]:
    """Return the SHA-256 of contents."""
    return [hashlib.sha256(content).hexdigest() for content in contents]


def test_a_file_is_read_once_until_it_changes(tmp_path: Path, read: list[str]) -> None:
    """By another process too; a file of the same size and another time is another one."""
    one, other = tmp_path / "one.tif", tmp_path / "other.tif"
    one.write_bytes(b"1111")
    other.write_bytes(b"2222")
    for _ in range(2):
        assert ask(tmp_path / "known", one, other) == of(b"1111", b"2222")
    assert read == ["one.tif", "other.tif"]
    one.write_bytes(b"3333")
    os.utime(one, ns=(1, 2))
    assert ask(tmp_path / "known", one) == of(b"3333")
    assert read[2:] == ["one.tif"]


def test_a_file_in_the_place_of_another_is_read(tmp_path: Path, read: list[str]) -> None:
    """Of the same size and time: its inode is another one."""
    one, other = tmp_path / "one.tif", tmp_path / "other.tif"
    one.write_bytes(b"1111")
    other.write_bytes(b"2222")
    for path in (one, other):
        os.utime(path, ns=(5, 5))
    assert ask(tmp_path / "known", one) == of(b"1111")
    other.replace(one)
    assert ask(tmp_path / "known", one) == of(b"2222")
    assert read == ["one.tif", "one.tif"]


def test_what_is_written_into_a_file_is_read_though_its_time_was_put_back(tmp_path: Path, read: list[str]) -> None:
    """As cp -p and rsync --inplace do: inode, size and time are those of before, that of the inode is not."""
    one = tmp_path / "one.tif"
    one.write_bytes(b"1111")
    os.utime(one, ns=(5, 5))
    assert ask(tmp_path / "known", one) == of(b"1111")
    with one.open("r+b") as file:
        file.write(b"2222")
    os.utime(one, ns=(5, 5))
    assert ask(tmp_path / "known", one) == of(b"2222")
    assert read == ["one.tif", "one.tif"]


def test_a_name_may_be_no_text(tmp_path: Path, read: list[str]) -> None:
    """A file whose name is not in UTF-8 is known again like all others."""
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/odd\xff.tif"))
    odd.write_bytes(b"1111")
    for _ in range(2):
        assert ask(tmp_path / "known", odd) == of(b"1111")
    assert len(read) == 1


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    """As whoever reads it says."""
    with pytest.raises(FileNotFoundError):
        ask(tmp_path / "known", tmp_path / "gone.tif")


def _garbage(database: Path) -> None:
    database.write_bytes(b"garbage" * 1000)


def _damaged(database: Path) -> None:
    whole = database.read_bytes()
    database.write_bytes(whole[:4096] + b"\x55" * (len(whole) - 4096))


def _folder(database: Path) -> None:
    database.unlink()
    database.mkdir()


def _file_in_the_way(database: Path) -> None:
    database.unlink()
    database.parent.rmdir()
    database.parent.write_text("mine", encoding="utf-8")


@pytest.mark.parametrize("spoil", [_garbage, _damaged, _folder, _file_in_the_way])
def test_a_database_that_is_none_costs_a_line_and_a_reading(
    tmp_path: Path, read: list[str], spoil: Callable[[Path], None]
) -> None:
    """Once, however many files there are; what it is, and what to do, is said."""
    paths = [tmp_path / "one.tif", tmp_path / "other.tif"]
    for path in paths:
        path.write_bytes(path.name.encode())
    ask(tmp_path / "known", *paths)
    spoil(tmp_path / "known" / "cache.db")
    said: list[str] = []
    assert ask(tmp_path / "known", *paths, said=said) == of(b"one.tif", b"other.tif")
    assert len(said) == 1 and said[0].startswith(f"{tmp_path / 'known'}: what is known of files can be neither read")
    assert read == ["one.tif", "other.tif"] * 2


def test_a_database_that_fails_on_the_way_costs_a_line(tmp_path: Path, read: list[str]) -> None:
    """Such as one whose disk is full, or that somebody takes the table from."""
    one = tmp_path / "one.tif"
    one.write_bytes(b"1111")
    said: list[str] = []
    with remembered(tmp_path / "known", complain=said.append) as hashed:
        with sqlite3.connect(tmp_path / "known" / "cache.db") as database:
            database.execute("DROP TABLE Cache")
        assert [hashed(one), hashed(one)] == of(b"1111") * 2
    assert read == ["one.tif", "one.tif"] and len(said) == 1


@pytest.mark.parametrize("value", ["garbage", "", "[]", 7, None, b"\xff"])
def test_a_value_that_is_none_of_ours_is_no_hash(tmp_path: Path, read: list[str], value: object) -> None:
    """The file is read."""
    one = tmp_path / "one.tif"
    one.write_bytes(b"1111")
    ask(tmp_path / "known", one)
    with sqlite3.connect(tmp_path / "known" / "cache.db") as database:
        database.execute("UPDATE Cache SET value = ?", [value])
    assert ask(tmp_path / "known", one) == of(b"1111")
    assert read == ["one.tif", "one.tif"]
