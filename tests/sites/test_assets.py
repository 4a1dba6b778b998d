"""A scene that an item names by an address is copied, once; from moto's S3 and from a web server."""

import os
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from buckets import Store
from scenes import write_item

from igarape.errors import InputError
from igarape.sites.assets import fetch_asset, named_scenes


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, says nothing, and breaks off where the name asks for it."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def send_header(self, keyword: str, value: str) -> None:
        """Promise more than there is of a file that is cut."""
        cut = keyword == "Content-Length" and "cut" in self.path
        super().send_header(keyword, str(int(value) + 1) if cut else value)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """Give the address of a server of the folder served."""
    (tmp_path / "served").mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "served")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_an_object_is_copied_once_and_again_when_it_changes(store: Store, tmp_path: Path) -> None:
    """Under its bucket and its key."""
    done: list[int] = []
    fetched = partial(fetch_asset, "s3://scenes/2024/a.tif", tmp_path, report=lambda bytes_, _: done.append(bytes_))
    for body in (b"first", b"first", b"another"):
        store.client().put_object(Bucket="scenes", Key="2024/a.tif", Body=body) if body not in _read(tmp_path) else None
        assert fetched() == tmp_path / "scenes/2024/a.tif" and fetched().read_bytes() == body
    assert done == [5, 7]


def _read(folder: Path) -> list[bytes]:
    """Return what files lie in a folder."""
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


def test_a_file_of_a_web_server_is_copied_once_and_again_when_it_changes(web: str, tmp_path: Path) -> None:
    """By its length and its day; what a signature adds to its address is no part of its name."""
    scene, done = tmp_path / "served/a.tif", list[int]()
    for body, written in ((b"first", 1e9), (b"first", 1e9), (b"other", 1.1e9)):
        scene.write_bytes(body)
        os.utime(scene, (written, written))
        copy = fetch_asset(f"{web}/a.tif?key=1", tmp_path / "inbox", report=lambda bytes_, _: done.append(bytes_))
        assert copy == tmp_path / "inbox/127.0.0.1/a.tif" and copy.read_bytes() == body
    assert done == [5, 5]


def test_what_breaks_off_leaves_nothing(web: str, tmp_path: Path) -> None:
    """Half a scene is none."""
    (tmp_path / "served/cut.tif").write_bytes(b"half")
    with pytest.raises(InputError, match=r"http://127\.0\.0\.1:[0-9]+/cut\.tif: (cannot be read|broke off)"):
        fetch_asset(f"{web}/cut.tif", tmp_path / "inbox", report=lambda *_: None)
    assert not _read(tmp_path / "inbox")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("s3://scenes/gone.tif", "s3://scenes/gone.tif: cannot be read .*404"),
        ("s3://scenes/../../out.tif", "names no scene"),
        ("s3://scenes", "names no scene"),
        ("ftp://example.org/a.tif", "Fetch it into the inbox"),
        ("file:///scenes/a.tif", "Fetch it into the inbox"),
        ("http://[::1/a.tif", r"http://\[::1/a\.tif: is no address"),
    ],
)
def test_what_is_not_there_is_told(store: Store, tmp_path: Path, address: str, said: str) -> None:
    """In one line."""
    assert store.endpoint
    with pytest.raises(InputError, match=said):
        fetch_asset(address, tmp_path, report=lambda *_: None)
    assert not _read(tmp_path)


def test_a_server_that_has_nothing_is_told_without_the_key(web: str, tmp_path: Path) -> None:
    """Which may be a secret."""
    with pytest.raises(InputError, match=r"/none\.tif: cannot be read") as caught:
        fetch_asset(f"{web}/none.tif?signature=secret", tmp_path / "inbox", report=lambda *_: None)
    assert "secret" not in str(caught.value)


def test_scenes_are_named_by_paths_and_by_items_as_an_inbox_has_them(tmp_path: Path) -> None:
    """Of two items that say another day of one scene the first counts; JSON that is no item is told."""
    scene, other = tmp_path / "one.img", tmp_path / "other.json"
    scene.touch()
    other.write_text("{}", encoding="utf-8")
    days = ("2024-05-31", "2024-07-01")
    items = [write_item(tmp_path / f"{day}.json", "./one.img", bands=("red", "green", "blue"), day=day) for day in days]
    found, why = named_scenes([scene, *items, other], tmp_path / "copies", show=lambda _: nullcontext(print))
    assert [(each.path, each.day) for each in found] == [(scene, days[0])]
    assert "says another day or other bands" in why[items[1]] and "no scene in it" in why[other] and len(why) == 2
