"""Kaggle's client: found or explained; a file takes its name when it is whole. tests/stages/test_fetch.py does more."""

import sys
from pathlib import Path

import pytest

from igarape.chips.sources.kaggle import download, find_client
from igarape.errors import InputError


class Client:
    """Writes a file as Kaggle's client does, in two halves; the second one may fail to come."""

    def __init__(self, *, breaks: bool) -> None:
        self.breaks = breaks

    def competition_download_file(self, competition: str, file_name: str, *, path: str, quiet: bool) -> None:
        """Write the file's first half, and the rest unless the line breaks."""
        target = Path(path) / file_name
        target.write_bytes(b"half")
        if self.breaks:
            raise ConnectionError("the line is dead")
        target.write_bytes(b"half and half")


def test_a_file_takes_its_name_when_it_is_whole(tmp_path: Path) -> None:
    """Until then it lies where the client goes on with it."""
    with pytest.raises(InputError, match=r"tags\.csv: the download stopped \(the line is dead\).* by hand"):
        download(Client(breaks=True), "toy", "tags.csv", tmp_path, "Or take them by hand")
    assert not (tmp_path / "tags.csv").exists()
    download(Client(breaks=False), "toy", "tags.csv", tmp_path, "Or take them by hand")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"tags.csv": b"half and half"}


def test_without_the_client_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """And how to do without."""
    monkeypatch.setitem(sys.modules, "kaggle", None)
    with pytest.raises(InputError, match=r"not installed.* pip install -e '\.\[kaggle\]'\. Or take them by hand"):
        find_client("Or take them by hand")
