"""Files are read once, until they change."""

import hashlib
import os
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


def test_a_file_is_read_once_until_it_changes(tmp_path: Path, read: list[str]) -> None:
    """By another process too; a file of the same size and another time is another one."""
    one, other = tmp_path / "one.tif", tmp_path / "other.tif"
    one.write_bytes(b"1111")
    other.write_bytes(b"2222")
    for _ in range(2):
        with remembered(tmp_path / "known") as hashed:
            for path in (one, other):
                assert hashed(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    assert read == ["one.tif", "other.tif"]
    one.write_bytes(b"3333")
    os.utime(one, ns=(1, 2))
    with remembered(tmp_path / "known") as hashed:
        assert hashed(one) == hashlib.sha256(b"3333").hexdigest()
    assert read[2:] == ["one.tif"]


def test_a_file_in_the_place_of_another_is_read(tmp_path: Path, read: list[str]) -> None:
    """Of the same size and time: its inode is another one."""
    one, other = tmp_path / "one.tif", tmp_path / "other.tif"
    one.write_bytes(b"1111")
    other.write_bytes(b"2222")
    for path in (one, other):
        os.utime(path, ns=(5, 5))
    with remembered(tmp_path / "known") as hashed:
        before = hashed(one)
        other.replace(one)
        assert hashed(one) == hashlib.sha256(b"2222").hexdigest() != before
    assert read == ["one.tif", "one.tif"]


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    """As whoever reads it says."""
    with remembered(tmp_path / "known") as hashed, pytest.raises(FileNotFoundError):
        hashed(tmp_path / "gone.tif")
