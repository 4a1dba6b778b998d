"""Where a file's bytes lie: in a file of its own, in a stretch of a larger one, or in a zip.

Origins are picklable and small: they are made where a source is listed, and read in the process that packs the chip.
"""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from igarape.chips.pictures import MAX_BYTES
from igarape.errors import InputError, reason

CHUNK = 2**20
ENOUGH = MAX_BYTES + 1  # bytes that show that a file is too large for a picture, whatever its archive says


@dataclass(frozen=True, slots=True)
class Extent:
    """A stretch of a file: all of it, or a member of a tar, which lies there as it is.

    name: what the tar calls it, or nothing. modified: when the file was last changed, in nanoseconds, so that an origin
    of other bytes is another origin.
    """

    path: Path
    offset: int
    length: int
    modified: int
    name: str = ""

    def __str__(self) -> str:
        return f"{self.path}/{self.name}" if self.name else str(self.path)

    def read(self) -> bytes:
        """Return the bytes, or as many of them as show that they are too many.

        Raises InputError if they are not there.
        """
        return self._part(0, min(self.length, ENOUGH))

    def chunks(self) -> Iterator[bytes]:
        """Yield all bytes, however many they are."""
        for start in range(0, self.length, CHUNK):
            yield self._part(start, min(CHUNK, self.length - start))

    def _part(self, start: int, length: int) -> bytes:
        try:
            with self.path.open("rb", buffering=0) as file:
                file.seek(self.offset + start)
                data = file.read(length)
        except OSError as error:
            raise InputError(f"{self}: cannot be read ({error.strerror})") from error
        if len(data) != length:
            raise InputError(f"{self}: has become shorter since it was listed", "run the step again")
        return data


@dataclass(frozen=True, slots=True)
class ZipMember:
    """A member of a zip: its number there, since names may repeat, and its name. modified: as of an Extent."""

    path: Path
    index: int
    length: int
    modified: int
    name: str

    def __str__(self) -> str:
        return f"{self.path}/{self.name}"

    def read(self) -> bytes:
        """Return the bytes, checked by their CRC, or as many of them as show that they are too many.

        Raises InputError if the archive is gone or damaged there.
        """
        return b"".join(self._parts(ENOUGH))

    def chunks(self) -> Iterator[bytes]:
        """Yield all bytes that the zip states, however many they are."""
        return self._parts(self.length)

    def _entry(self, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
        entry = archive.infolist()[self.index]
        if entry.filename != self.name:
            raise ValueError("it has changed since it was listed")
        return entry

    def _parts(self, most: int) -> Iterator[bytes]:
        try:
            archive = open_zip(self.path)
            with archive.open(self._entry(archive)) as file:
                while most > 0 and (part := file.read(min(most, CHUNK))):
                    most -= len(part)
                    yield part
        except Exception as error:  # zipfile raises whatever a damaged archive trips it over
            raise InputError(f"{self}: cannot be read from the archive ({reason(error)})") from error


Origin = Extent | ZipMember


def loose(path: Path) -> Extent:
    """Return the origin of a file of its own."""
    try:
        facts = path.stat()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    return Extent(path, 0, facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=4)
def open_zip(path: Path) -> zipfile.ZipFile:
    """Open a zip once in each process; any of its threads may read it."""
    return zipfile.ZipFile(path)
