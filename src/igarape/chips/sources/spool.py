"""The spool: a folder where archives that cannot be read at any place are unpacked, once."""

import errno
import shutil
import stat
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

import py7zr
from py7zr.io import NullIO, Py7zIO, WriterFactory

from igarape.chips.sources.archives import (
    MOST_TIMES,
    SMALL,
    Contents,
    damaged,
    is_of_use,
    list_tar,
    locked,
    plain_name,
    refusal,
)
from igarape.chips.sources.origins import Extent, Origin, loose
from igarape.errors import InputError
from igarape.files import FULL, atomic_path, digest
from igarape.progress import Report

SPARE = 64 * 2**20  # bytes of the disk that are left free
# What is said by a folder where nothing can be written, of a whole archive.
CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR)


def keep(archive: Origin, spool: Path) -> Extent:
    """Copy an archive that lies in another one into the spool, unless it is there; return the copy."""
    path = spool / f"{digest([repr(archive)])}{PurePosixPath(archive.name).suffix}"
    if not path.exists():
        _check_room(str(archive), archive.length, spool)
        with atomic_path(path) as unfinished, unfinished.open("wb") as file:
            for part in archive.chunks():
                file.write(part)
    return loose(path)


def unpack_7z(archive: Extent, where: str, *, spool: Path, report: Report) -> Contents:
    """List a 7z that is a file of its own, after unpacking it into a plain tar in the spool, unless that is there.

    A 7z packs its files as one stream, so that each can only be read after those before it.

    Parameters
    ----------
    archive
        Where its bytes are.
    where
        What people call it.
    spool
        The folder of what is unpacked.
    report
        Called with the bytes unpacked so far, and all.

    Raises
    ------
    InputError
        When the archive is damaged, needs a password, or is too large.
    """
    path = spool / f"{digest([repr(archive)])}.tar"
    with _opened(archive, where) as opened:
        if opened.needs_password():
            raise locked(where)
        sizes, refused = _members(opened)
        total = sum(sizes.values())
        if total > max(SMALL, MOST_TIMES * archive.length):
            times = total / archive.length
            raise InputError(f"{where}: unpacks to {times:.0f} times its size; at most {MOST_TIMES} times are read")
        if not path.exists():
            _check_room(where, total, spool)
            with atomic_path(path) as unfinished, unfinished.open("wb") as file:
                _unpack(opened, sizes, spool, file, report)
    contents = list_tar(loose(path), where)
    contents.refused.update(refused)
    return contents


@contextmanager
def _opened(archive: Extent, where: str) -> Iterator[py7zr.SevenZipFile]:
    """Open a 7z; what goes wrong with it inside the block is an InputError too."""
    try:
        with archive.path.open("rb") as file, py7zr.SevenZipFile(file) as opened:
            yield opened
    except py7zr.PasswordRequired as error:
        raise locked(where) from error
    except InputError:
        raise
    except Exception as error:  # py7zr raises whatever a damaged archive trips it over
        if isinstance(error, OSError) and error.errno in (*FULL, *CLOSED):
            raise
        raise damaged(where, error) from error


def _members(opened: py7zr.SevenZipFile) -> tuple[dict[str, int], dict[str, str]]:
    """Return the sizes of the members that are of use, and why others are refused, by name."""
    sizes: dict[str, int] = {}
    refused: dict[str, str] = {}
    for member in opened.list():
        if member.is_directory or not is_of_use(plain_name(member.filename)):
            continue
        mode = stat.S_IFREG if member.is_file else stat.S_IFLNK if member.is_symlink else stat.S_IFCHR
        why_not = refusal(member.filename, member.uncompressed, member.uncompressed, mode)
        if member.filename in sizes:
            why_not = "stands in the archive twice; the first one is used"
        if why_not is None:
            sizes[member.filename] = member.uncompressed
        else:
            refused.setdefault(plain_name(member.filename), why_not)
    return sizes, refused


def _unpack(opened: py7zr.SevenZipFile, sizes: dict[str, int], spool: Path, file: IO[bytes], report: Report) -> None:
    """Write members into a tar as they come out of the stream; nothing is written elsewhere, spool only gives names."""
    tar = _Tar(file, {(spool.absolute() / name).as_posix(): (name, size) for name, size in sizes.items()}, report)
    opened.extract(spool.absolute(), list(sizes), factory=tar)
    tar.finish()


class _Tar(WriterFactory):
    """A tar whose members are pushed into it, by whom py7zr asks for a file to write."""

    def __init__(self, file: IO[bytes], wanted: dict[str, tuple[str, int]], report: Report) -> None:
        """wanted: the name in the tar and the size of each member, by py7zr's name for it."""
        self._file = file
        self._wanted = wanted
        self._report = report
        self._total = sum(size for _, size in wanted.values())
        self._done = 0

    def create(self, filename: str) -> Py7zIO:
        """Begin a member; a second one of the same name is passed over."""
        if filename not in self._wanted:
            return NullIO()  # type: ignore[no-untyped-call]
        member = tarfile.TarInfo()
        member.name, member.size = self._wanted.pop(filename)
        self._file.write(member.tobuf(tarfile.PAX_FORMAT))
        return _TarMember(self, member)

    def write(self, data: bytes | bytearray) -> int:
        """Write a part of the member that was begun last."""
        self._done += len(data)
        self._report(self._done, self._total)
        return self._file.write(data)

    def pad(self, size: int) -> None:
        """Fill up the last block of a member of `size` bytes."""
        self._file.write(bytes(-size % tarfile.BLOCKSIZE))

    def finish(self) -> None:
        """End the tar; raise ValueError when it lacks something."""
        if self._wanted or self._done != self._total:
            raise ValueError(f"{self._done} of {self._total} bytes came out of it")
        self._file.write(bytes(2 * tarfile.BLOCKSIZE))


class _TarMember(Py7zIO):
    """The file that py7zr writes a member to."""

    def __init__(self, tar: _Tar, member: tarfile.TarInfo) -> None:
        self._tar = tar
        self._member = member

    def write(self, s: bytes | bytearray) -> int:
        """Write a part."""
        return self._tar.write(s)

    def close(self) -> None:
        """End the member."""
        self._tar.pad(self._member.size)

    def seekable(self) -> bool:
        """Tell py7zr that this cannot be read back."""
        return False

    def read(self, size: int | None = None) -> bytes:
        """Give nothing: py7zr only writes."""
        return b""

    def seek(self, offset: int, whence: int = 0) -> int:
        """Stay: py7zr only writes."""
        return 0

    def flush(self) -> None:
        """Leave it to the file."""

    def size(self) -> int:
        """Return the bytes of the member."""
        return self._member.size


def _check_room(where: str, needed: int, spool: Path) -> None:
    """Refuse to begin what the disk cannot hold."""
    spool.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(spool).free
    if needed + SPARE > free:
        raise InputError(
            f"{where}: unpacks to {needed / 2**20:.0f} MB, but {free / 2**20:.0f} MB are free in {spool}. Make room, "
            "or unpack it elsewhere and name the folder in the data set's YAML"
        )
