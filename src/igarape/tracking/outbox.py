"""What a step has to tell, on disk before it is sent."""

import itertools
import json
import os
import shutil
import threading
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from igarape.errors import InputError
from igarape.files import atomic_path, write_text

LINES, COPIES = "outbox.jsonl", "files"
TOGETHER = 1000  # entries that are sent at once
RATE = 1e6  # bytes a second that a server's store takes at least

Entry = dict[str, Any]


class Outbox:
    """An append-only file of JSON lines in a folder of its own, with copies of the files that the lines name.

    A line says what it is (op), whose it is (run) and when it happened (time, milliseconds). It outlives the process as
    soon as append returns. Whoever writes or sends an outbox holds the lock beside it, which the system takes from a
    process that dies, wherever it ran: an outbox that can be taken over is that of a dead process.
    """

    def __init__(self, folder: Path, lock: FileLock) -> None:
        self.folder = folder
        self.news = threading.Event()
        self._lock = lock
        self._writing, self._reading = threading.Lock(), threading.Lock()
        self._writer = (folder / LINES).open("ab", buffering=0)
        self._reader = (folder / LINES).open("rb")  # held open: it can be read to its end though somebody removes it
        self._unwritten = b""
        self._mark = 0
        self._copies = itertools.count()

    @classmethod
    def begin(cls, folder: Path) -> "Outbox":
        """Start an outbox in a folder that is not there yet; raise InputError where none can be made."""
        folder = folder.absolute()
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(_lock_of(folder), thread_local=False)
            lock.acquire(blocking=False)  # before the folder is there, so that nobody can come between
            folder.mkdir()
            return cls(folder, lock)
        except OSError as error:
            raise InputError(
                f"{folder.parent}: cannot be written to ({error.strerror}), and what MLflow is told is kept there "
                "first. See its room, and who may write there; then run it again"
            ) from error

    @classmethod
    def take_over(cls, folder: Path) -> "Outbox | None":
        """Take a dead process's outbox; None while somebody holds it, or when it has just been sent and removed."""
        folder = folder.absolute()
        lock = FileLock(_lock_of(folder), thread_local=False)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return None
        if (folder / LINES).exists():
            return cls(folder, lock)
        _lock_of(folder).unlink(missing_ok=True)
        lock.release()
        return None

    def append(self, op: str, run: str, *, durable: bool = False, **content: Any) -> None:
        """Write an entry, in microseconds.

        Never fails: what a full disk does not take is written with the next entry.

        Parameters
        ----------
        op
            What MLflow is to be told.
        run
            Which run it is about.
        durable
            Whether the entry outlives a power cut too, which takes milliseconds.
        **content
            What else the entry holds.
        """
        with self._writing:
            entry = {"op": op, "run": run, "time": time.time_ns() // 1_000_000, **content}
            self._unwritten += json.dumps(entry).encode() + b"\n"
            self._write(durable=durable)
        self.news.set()

    def _write(self, *, durable: bool = False) -> None:
        """Write what is not written yet, as far as there is room for it."""
        try:
            self._unwritten = self._unwritten[self._writer.write(self._unwritten) :]
            if durable:
                os.fsync(self._writer.fileno())
        except OSError:
            self.news.set()  # the sender tries again

    def keep(self, path: Path) -> str:
        """Copy a file, or a folder with all it holds, as it is now; return the copy's place in the outbox's folder.

        Raises InputError when the disk is full.
        """
        place = self._place(path.absolute().name)
        with atomic_path(self.folder / place) as unfinished:
            if path.is_dir():
                shutil.copytree(path, unfinished)
            else:
                shutil.copyfile(path, unfinished)
        return place

    def write(self, text: str, name: str) -> str:
        """Write a file beside the outbox, and return its place in the outbox's folder."""
        place = self._place(name)
        write_text(text, self.folder / place)
        return place

    def _place(self, name: str) -> str:
        """Return a place for a file where no other has been."""
        return f"{COPIES}/{next(self._copies)}/{name}"

    def batch(self) -> tuple[list[Entry], int]:
        """Return the next entries that were not sent, of one kind and run, and the mark that stands behind them.

        A last line that is torn, because the process was killed or the disk is full, is left out.
        """
        with self._writing:
            self._write()
        found: list[Entry] = []
        mark = self._mark
        with self._reading:
            self._reader.seek(mark)
            for length, entry in _entries(self._reader):
                if len(found) == TOGETHER or (found and _kind(entry) != _kind(found[0])):
                    break
                found.append(entry)
                mark += length
        return found, mark

    def sent(self, mark: int) -> None:
        """Remember that all before the mark is sent."""
        self._mark = mark

    def unsent(self) -> int:
        """Return how many entries have not been sent."""
        with self._reading:
            self._reader.seek(self._mark)
            return sum(1 for _ in _entries(self._reader)) + self.unwritten()

    def unwritten(self) -> int:
        """Return how many entries a full disk has not taken yet."""
        return self._unwritten.count(b"\n")

    def close(self, *, remove: bool) -> None:
        """Let go of the outbox; remove it, which is for one that has been sent, or leave it to whoever sends it."""
        self._writer.close()
        self._reader.close()
        if remove:
            shutil.rmtree(self.folder / COPIES, ignore_errors=True)
            (self.folder / LINES).unlink(missing_ok=True)  # last: as long as it is there, another can take over
            shutil.rmtree(self.folder, ignore_errors=True)
            _lock_of(self.folder).unlink(missing_ok=True)
        self._lock.release()


def seconds_for(folder: Path, entries: Sequence[Entry]) -> float:
    """Return how long a server may take over the files that entries name: it answers when its store has them."""
    paths = [folder / entry["path"] for entry in entries if "path" in entry]
    files = [each for path in paths for each in (path.rglob("*") if path.is_dir() else [path]) if each.is_file()]
    return float(sum(file.stat().st_size for file in files) / RATE)


def left_behind(root: Path, place: str) -> list[Path]:
    """Return the folders of a place's outboxes under root, the oldest first; live ones are among them."""
    return sorted(path.parent for path in root.glob(f"{place}.*/{LINES}"))


def _lock_of(folder: Path) -> Path:
    """Return the lock's file, beside the folder: it is there before the folder, and goes after it."""
    return folder.with_name(f"{folder.name}.lock")


def _entries(lines: Iterable[bytes]) -> Iterator[tuple[int, Entry]]:
    """Yield how many bytes further each entry ends, and what it says, up to a line that is torn.

    A power cut may leave zeros where a line was: such a line is passed over, with a warning.
    """
    length = 0
    for line in lines:
        if not line.endswith(b"\n"):
            return
        length += len(line)
        try:
            entry = json.loads(line)
        except ValueError:
            warnings.warn(f"{getattr(lines, 'name', LINES)}: a line is garbled, and lost: {line[:80]!r}", stacklevel=2)
            continue
        yield length, entry
        length = 0


def _kind(entry: Entry) -> tuple[str, str]:
    """Return what entries that are sent together have in common."""
    return entry["op"], entry["run"]
