"""Shards: any tar lists them, the same chips give the same bytes, whatever happens on the way."""

import errno
import hashlib
import io
import itertools
import resource
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest
from packing import JPEG, die, fail, pack
from PIL import Image

from igarape.chips.shards import FEWEST, LARGEST, Shard, Tables, deal, open_shard, write_shards
from igarape.errors import InputError
from igarape.executors import local

Chips = dict[str, bytes]


def write(
    folder: Path,
    how: Callable[[range, Shard], Tables] = pack,
    *,
    parts: list[range] | None = None,
    workers: int = 1,
    report: Callable[[int], None] = lambda _done: None,
) -> Tables:
    """Write chips 0..19 as four shards."""
    parts = deal(20, 5) if parts is None else parts
    (folder / "result").mkdir(parents=True, exist_ok=True)
    with local(workers) as executor:
        return write_shards(folder / "result", parts, how, scratch=folder / "notes", executor=executor, report=report)


def digests(folder: Path) -> dict[str, str]:
    """Return a hash of each file of a folder, hidden ones too."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_any_tar_lists_the_chips(tmp_path: Path) -> None:
    """In order, named by their real format, with nothing of the machine or the day."""
    png = io.BytesIO()
    Image.new("RGB", (4, 4), (1, 2, 3)).save(png, "PNG")
    chips = {"b": JPEG, "a": png.getvalue(), "long" * 60: JPEG}
    with open_shard(tmp_path / "shard-00000.tar") as shard:
        places = {image_id: shard.add(image_id, data) for image_id, data in chips.items()}
    with tarfile.open(tmp_path / "shard-00000.tar", "r:") as tar:
        members = tar.getmembers()
        assert [tar.extractfile(member).read() for member in members] == list(chips.values())  # type: ignore[union-attr]
    assert [member.name for member in members] == ["b.jpg", "a.png", f"{'long' * 60}.jpg"]
    assert [(m.mtime, m.uid, m.gid, m.uname, m.mode) for m in members] == [(0, 0, 0, "", 0o644)] * 3
    whole = (tmp_path / "shard-00000.tar").read_bytes()
    for image_id, (name, offset, length) in places.items():
        assert name == "shard-00000.tar" and whole[offset : offset + length] == chips[image_id]


def test_what_is_no_picture_leaves_no_shard(tmp_path: Path) -> None:
    """It is an error that names it."""

    def add() -> None:
        with open_shard(tmp_path / "shard-00000.tar") as shard:
            shard.add("a", JPEG)
            shard.add("text", b"hello")

    with pytest.raises(InputError, match="text: expected a JPEG"):
        add()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 169, 1680, 40_479, 101_670, 200_000])
@pytest.mark.parametrize("multiple", [1, 4])
def test_chips_are_dealt_into_shards_of_one_size(count: int, multiple: int) -> None:
    """Each chip once, in order; no shard of more than 4,096; so many that sixteen processors have work."""
    parts = deal(count, multiple)
    assert list(itertools.chain(*parts)) == list(range(count))
    sizes = [len(part) for part in parts]
    if count:
        assert 0 < max(sizes) <= LARGEST
        assert max(sizes[:-1], default=0) - min(sizes[:-1], default=0) <= multiple
        assert len(parts) >= min(FEWEST, -(-count // multiple)) and len(parts) <= max(FEWEST, count / LARGEST + 1)
        assert {part.start % multiple for part in parts} == {0}


@pytest.mark.parametrize("workers", [1, 5])
def test_the_number_of_processes_changes_no_byte(tmp_path: Path, workers: int) -> None:
    """Tables come joined in the order of the parts; progress ends at the number of chips."""
    done: list[int] = []
    tables = write(tmp_path / "some", workers=workers, report=done.append)
    assert digests(tmp_path / "some/result") == PLAIN
    assert list(tables["catalog"]["image_id"]) == [f"chip-{number}" for number in range(20)]
    assert list(tables["odd"]["number"]) == list(range(1, 20, 2)) and tables["odd"]["first"].dtype == np.bool_
    assert done[-1] == 20 and done == sorted(done)


def test_an_empty_table_keeps_its_columns_and_spoils_no_other(tmp_path: Path) -> None:
    """Of two parts one has no row: the other's types stay; if none has one, the columns are still there."""
    assert write(tmp_path / "a", parts=[range(1), range(1, 2)])["odd"]["first"].dtype == np.bool_
    assert list(write(tmp_path / "b", parts=[range(1), range(2, 3)])["odd"].columns) == ["number", "first"]


def test_no_parts_are_no_shards(tmp_path: Path) -> None:
    """And no tables."""
    assert write(tmp_path, parts=[]) == {}


@pytest.mark.parametrize("workers", [1, 2])
def test_after_an_error_the_next_run_writes_only_what_was_not_finished(tmp_path: Path, workers: int) -> None:
    """The error comes through as it is; no half shard is left; the result is the same to the byte."""
    with pytest.raises(InputError, match="chip-11: out of luck"):
        write(tmp_path, fail, workers=workers)
    left = digests(tmp_path / "result")
    assert "shard-00002.tar" not in left and left.items() <= PLAIN.items() and "shard-00000.tar" in left
    mine, done = tmp_path / "mine", list[int]()
    write(tmp_path, partial(pack, mine=mine), report=done.append)
    assert set(mine.read_text(encoding="utf-8").split()) == set(PLAIN) - set(left)
    assert done[0] == 5 * len(left) + 1 and done[-1] == 20
    assert digests(tmp_path / "result") == PLAIN


def test_a_process_that_dies_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    """And the next run goes on."""
    with pytest.raises(InputError, match=r"A process of this step died.*IGARAPE_WORKERS"):
        write(tmp_path, die, workers=2)
    write(tmp_path)
    assert digests(tmp_path / "result") == PLAIN


SLOW = """
import sys
from functools import partial
from pathlib import Path
sys.path[:0] = sys.argv[2:4]
import packing
import test_shards
if __name__ == "__main__":
    folder = Path(sys.argv[1])
    test_shards.write(folder, partial(packing.pack, pause=0.03, mine=folder / "mine"), workers=int(sys.argv[4]))
"""


@pytest.mark.parametrize(("workers", "seconds"), [(1, 0.3), (2, 0.1)])
def test_a_run_that_is_killed_loses_only_the_shards_it_was_at(tmp_path: Path, workers: int, seconds: float) -> None:
    """Its processes end with it; the next run writes the same bytes, and no finished shard again."""
    (tmp_path / "run.py").write_text(SLOW, encoding="utf-8")
    (tmp_path / "mine").touch()
    here = Path(__file__).parent
    words = [sys.executable, "run.py", str(tmp_path), str(here), str(here.parent), str(workers)]
    with subprocess.Popen(words, cwd=tmp_path, start_new_session=True) as running:
        while not (tmp_path / "mine").read_text(encoding="utf-8"):
            time.sleep(0.01)
        time.sleep(seconds)
        children = psutil.Process(running.pid).children(recursive=True)
        running.kill()
    gone, alive = psutil.wait_procs(children, timeout=5)
    assert not alive and len(gone) >= workers * (workers > 1)
    finished = {path.name for path in (tmp_path / "notes").glob("shard-*")}
    assert {f"{name}.tar" for name in finished} <= set(PLAIN)
    mine = tmp_path / "mine"
    mine.write_text("", encoding="utf-8")
    write(tmp_path, partial(pack, mine=mine))
    assert set(mine.read_text(encoding="utf-8").split()) == set(PLAIN) - {f"{name}.tar" for name in finished}
    assert digests(tmp_path / "result") == PLAIN


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_is_a_clear_error_and_leaves_no_half_shard(tmp_path: Path, workers: int) -> None:
    """Here a bound on the size of files stands for the disk; with room again, the run goes on."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))
    try:
        with pytest.raises(InputError, match=r"shard-0000\d\.tar: no room to write it.*run the step again"):
            write(tmp_path, workers=workers, parts=[range(5), range(5, 40)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert not [path for path in (tmp_path / "result").iterdir() if path.name != "shard-00000.tar"]
    assert len(write(tmp_path, parts=[range(5), range(5, 40)])["catalog"]) == 40


def test_a_full_disk_is_a_full_disk(tmp_path: Path) -> None:
    """The same on a file system that is full: a small one in memory."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a file system in memory can be mounted by root only: {mounted.stderr.decode().strip()}")
    try:
        with pytest.raises(InputError, match="no room to write it") as caught:
            write(disk, parts=[range(100)])
        assert isinstance(caught.value.__cause__, OSError) and caught.value.__cause__.errno == errno.ENOSPC
        assert list((disk / "result").iterdir()) == []
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.fixture(autouse=True, scope="module")
def _plain(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Write the shards once without any trouble: what all other ways have to lead to."""
    folder = tmp_path_factory.mktemp("plain")
    write(folder)
    PLAIN.update(digests(folder / "result"))


PLAIN: dict[str, str] = {}
