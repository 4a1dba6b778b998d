"""Files that are whole or not there: written under another name first, then renamed."""

import errno
import hashlib
import json
import os
import platform
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from filelock import FileLock, Timeout

from igarape.errors import InputError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
UNFINISHED = ".unfinished-"


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Write a file or a folder atomically: yield a temporary path, which is renamed to path when the block ends well.

    After an error nothing is left, and after a power cut nothing half. When two processes write the same path at once,
    on two machines even, the last one wins, and its file is whole. Raises InputError when the disk is full, and for a
    device or a pipe, in whose place a file would come to lie: /dev/null is one.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise InputError(f"{path}: is a device or a pipe, no file, and would be lost. Name a file")
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in _left_behind(path):
        _remove(left)
    unfinished = path.with_name(f"{UNFINISHED}{os.getpid()}@{platform.node()}-{path.name}")
    try:
        yield unfinished
        _sync(unfinished)
        unfinished.replace(path)
    except OSError as error:
        if error.errno not in FULL:
            raise
        free = shutil.disk_usage(path.parent).free / 2**20
        raise InputError(
            f"{path}: no room to write it ({error.strerror}; {free:.0f} MB are free there). Make room and run the "
            "step again; what is finished is kept"
        ) from error
    finally:
        _remove(unfinished)


def check_place(file: Path, where: str, *, utf8: bool = False) -> None:
    """Raise InputError, which begins with where, for a file that would lie where none can be made: that is tried.

    utf8: whether its path has to be so encoded: Arrow and GDAL open no other.
    """
    place = file.absolute()
    above = next(folder for folder in place.parents if os.path.exists(folder))  # noqa: PTH110 - Path's own raises
    if not above.is_dir():
        raise InputError(f"{where}: {above} is no folder. Name a file in one, such as {file.name}")
    try:
        str(place).encode(errors="strict" if utf8 else "surrogateescape")
        TemporaryFile(dir=above).close()
        for part in place.relative_to(above).parts:
            (above / part).exists()  # the system says where a name is too long
    except UnicodeEncodeError as error:
        raise InputError(f"{where}: is not in UTF-8. Name another place") from error
    except OSError as error:
        raise InputError(f"{where}: no file can be made in {above} ({error.strerror}). Name another place") from error


def _left_behind(path: Path) -> Iterator[Path]:
    """Yield what dead processes of this machine, and this one, had begun of a file or a folder.

    What another machine's processes have begun stays: nobody here knows whether they live.
    """
    ours = re.compile(rf"{UNFINISHED}(\d+)@{re.escape(platform.node())}-{re.escape(path.name)}")
    for left in path.parent.glob(f"{UNFINISHED}*"):
        begun = ours.fullmatch(left.name)
        if begun and (int(begun[1]) == os.getpid() or not _lives(int(begun[1]))):
            yield left


def _lives(process: int) -> bool:
    """Say whether a process of this machine lives. A served model imports this module, and needs no psutil."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def _sync(path: Path) -> None:
    """Wait until the disk has a file, or all files of a folder.

    File systems may keep a new name before they keep what the file holds: a power cut would leave it empty, and whoever
    goes on from there would take it for finished.
    """
    for file in path.rglob("*") if path.is_dir() else (path,):
        if file.is_file():
            with file.open("rb") as opened:
                os.fsync(opened.fileno())


def _remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def resumable(path: Path, key: str) -> Iterator[tuple[Path, Path]]:
    """Yield two folders, (result, notes), that survive a killed run; when the block ends well, result becomes path.

    A later run with the same key finds in both what was written before; with another key they are empty. So the key has
    to be a hash of everything that the result depends on. The notes are removed at the end. Raises InputError while
    another process writes the same path.
    """
    with resumable_folder(path, key) as unfinished:
        result, notes = unfinished / "result", unfinished / "notes"
        for folder in (result, notes):
            folder.mkdir(exist_ok=True)
        yield result, notes
        for left in list(result.rglob(f"{UNFINISHED}*")):  # by processes that died, on other machines too
            _remove(left)
        _remove(path)
        with atomic_path(path) as target:
            # Not moved: a run that is killed here has everything still. Linked: nothing is written twice.
            shutil.copytree(result, target, copy_function=_link)


def _link(source: str, target: str) -> None:
    """Give a file another name; copy it where the disk knows no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@contextmanager
def resumable_folder(path: Path, key: str) -> Iterator[Path]:
    """Yield a folder beside path that survives a killed run, and is removed when the block ends well.

    The block writes path itself. The key, and the error, are those of resumable.
    """
    folder = path.parent / ".unfinished" / path.name
    with write_lock(folder.with_name(f"{folder.name}.lock"), path):
        for other in folder.glob("*"):
            if other.name != key:
                _remove(other)
        (folder / key).mkdir(parents=True, exist_ok=True)
        yield folder / key
        finished = folder.with_name(f".finished-{folder.name}")
        _remove(finished)
        folder.replace(finished)  # all at once
        _remove(finished)
    with suppress(OSError):  # others keep something there too
        folder.parent.rmdir()


@contextmanager
def write_lock(lock: Path, path: Path) -> Iterator[None]:
    """Hold a lock, which the system takes from a process that dies, while the block writes path.

    Raises InputError when another process holds it.
    """
    try:
        acquired = _acquired(lock)
    except Timeout as error:
        raise InputError(
            f"{path}: another process is writing it. Wait until that has ended, or end it; then run the step again"
        ) from error
    with acquired:
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def _acquired(lock: Path) -> AbstractContextManager[object]:
    """Acquire a lock, whose folder goes with whoever has just ended; raise Timeout where another process holds it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        return FileLock(lock).acquire(blocking=False)
    except FileNotFoundError:
        lock.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(lock).acquire(blocking=False)


def digest(contents: Iterable[bytes | str | Path]) -> str:
    """Return a short hash of texts, bytes, and what files hold, in their order."""
    total = hashlib.blake2b(digest_size=16)
    for content in contents:
        data = content.read_bytes() if isinstance(content, Path) else content
        # A path may be no UTF-8.
        part = hashlib.blake2b(data.encode(errors="surrogateescape") if isinstance(data, str) else data)
        total.update(part.digest())
    return total.hexdigest()


def sha256(path: Path) -> str:
    """Return the SHA-256 of what a file holds, which is read piece by piece."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def begins(path: Path, *beginnings: bytes) -> bool:
    """Say whether a file is empty, or begins with one of some bytes: what may be written over is one of our own."""
    with path.open("rb") as file:
        found = file.read(max(map(len, beginnings)))
    return not found or found.startswith(beginnings)


def write_text(text: str, path: Path) -> None:
    """Write a text file whole; bytes of a path that are no UTF-8 are spelled as JSON does it."""
    with atomic_path(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(content: Any, path: Path) -> None:
    """Write content as JSON that people can read."""
    write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", path)


def read_json(path: Path) -> Any:
    """Read a JSON file that an earlier step wrote."""
    if not path.exists():
        raise InputError(f"{path}: not found; an earlier step writes it. Run: dvc repro")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: no JSON, or cut short: {error}. Remove it, then: dvc repro") from error


def fresh_folder(path: Path) -> Path:
    """Empty the folder, or make it, and return it."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path
