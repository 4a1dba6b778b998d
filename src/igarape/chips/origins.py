"""Where a file's bytes lie: in a file of its own, in a stretch of a larger one, or in a zip.

Origins are picklable and small: they are made where a source is listed and read in the process that packs the chip.
"""

import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from igarape.chips.pictures import MAX_BYTES
from igarape.errors import InputError

CHUNK = 2**20
ENOUGH = MAX_BYTES + 1  # bytes that show that a file is too large, whatever its archive says


@dataclass(frozen=True)
class Loose:
    """A file of its own."""

    path: Path

    def read(self) -> bytes:
        """Return the file's bytes, or as many of them as show that it is too large."""
        return _stretch(self.path, 0, ENOUGH, str(self.path))


@dataclass(frozen=True)
class Extent:
    """A stretch of a file: a member of a tar, which lies there as it is. name: what it is called there."""

    path: Path
    offset: int
    length: int
    name: str

    def __str__(self) -> str:
        return f"{self.path}/{self.name}" if self.name else str(self.path)

    def read(self) -> bytes:
        """Return the stretch's bytes, or as many of them as show that it is too large."""
        length = min(self.length, ENOUGH)
        data = _stretch(self.path, self.offset, length, str(self))
        if len(data) != length:
            raise InputError(f"{self}: the archive is cut short; {length} bytes expected, {len(data)} found")
        return data

    def chunks(self) -> Iterator[bytes]:
        """Yield all bytes, however many they are."""
        for start in range(0, self.length, CHUNK):
            yield _stretch(self.path, self.offset + start, min(CHUNK, self.length - start), str(self))


@dataclass(frozen=True)
class ZipMember:
    """A member of a zip: by its number, since names may repeat, and its name there."""

    path: Path
    index: int
    length: int
    name: str

    def __str__(self) -> str:
        return f"{self.path}/{self.name}"

    def read(self) -> bytes:
        """Return the member's bytes, checked by their CRC, or as many of them as show that it is too large."""
        return b"".join(self._parts(ENOUGH))

    def chunks(self) -> Iterator[bytes]:
        """Yield all bytes that the zip states, however many they are."""
        return self._parts(self.length)

    def _parts(self, most: int) -> Iterator[bytes]:
        """Yield the member's bytes, at most so many."""
        try:
            archive = open_zip(self.path)
            member = archive.infolist()[self.index]
            if member.filename != self.name:
                raise ValueError(f"it holds {member.filename} there now")
            with archive.open(member) as file:
                while most > 0 and (part := file.read(min(most, CHUNK))):
                    most -= len(part)
                    yield part
        except Exception as error:  # zipfile raises whatever a damaged archive trips it over
            raise InputError(f"{self}: cannot be read, the archive is damaged or has changed ({error})") from error


@lru_cache(maxsize=4)
def open_zip(path: Path) -> zipfile.ZipFile:
    """Open a zip once in each process, to be read by any of its threads."""
    return zipfile.ZipFile(path)


def _stretch(path: Path, offset: int, length: int, where: str) -> bytes:
    """Read a stretch of a file, fewer bytes where it ends."""
    try:
        with path.open("rb", buffering=0) as file:
            file.seek(offset)
            return file.read(min(length, max(0, os.fstat(file.fileno()).st_size - offset)))
    except OSError as error:
        raise InputError(f"{where}: cannot be read ({error.strerror})") from error
