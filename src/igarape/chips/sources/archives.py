"""What archives hold: the files that can be read from them, and those that are refused."""

import re
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from igarape.chips.formats import NAMED, UNREAD
from igarape.chips.pictures import MAX_BYTES
from igarape.chips.sources.origins import Extent, Origin, ZipMember, open_zip
from igarape.errors import InputError, reason

ARCHIVES = (".zip", ".7z", ".tar")
TABLES = (".csv", ".json")
MOST_TIMES = 200  # a picture, a table or a tar of pictures shrinks less than that; what bursts open is made to do harm
SMALL = 2**20  # bytes that may unpack by any factor
_ZIP_METHODS = (
    zipfile.ZIP_STORED,
    zipfile.ZIP_DEFLATED,
)  # the other methods of zipfile cannot be bounded as they unpack
_ENCRYPTED = 1  # the bit of a zip member's flags
_UNIX = 3  # the system whose file modes stand in the high half of a zip member's external attributes
LEADS_OUT = "leads out of the archive by its name"
_LINK, _DEVICE = "is a link", "is a device or a pipe, no file"


@dataclass(frozen=True)
class Contents:
    """What an archive holds: where each file lies, by its name there, and why others are refused, by theirs."""

    files: dict[str, Origin]
    refused: dict[str, str]

    def add(self, name: str, origin: Origin, why_not: str | None) -> None:
        """Take a file in, or refuse it; of two with one name the first is taken. What is of no use is passed over."""
        plain = plain_name(name)
        if not is_of_use(plain):
            return
        if why_not is None and plain in self.files:
            why_not = "stands in the archive twice; the first one is used"
        if why_not is None:
            self.files[plain] = origin
        else:
            self.refused.setdefault(plain, why_not)


def is_archive(name: str) -> bool:
    """Say whether a name is that of an archive whose files can be read."""
    return name.lower().endswith(ARCHIVES)


def is_of_use(name: str) -> bool:
    """Say whether a name is that of a picture, a table or an archive, and not of the notes that macOS leaves."""
    path = PurePosixPath(name)
    wanted = path.suffix.lower() in {*NAMED, *UNREAD, *TABLES, *ARCHIVES}
    return wanted and not path.name.startswith("._") and "__MACOSX" not in path.parts


def plain_name(name: str) -> str:
    """Return a member's name as others spell it: slashes, and no ./ before it."""
    return str(PurePosixPath(name.replace("\\", "/")))


def refusal(name: str, size: int, packed: int, mode: int) -> str | None:
    """Say why a member must not be read; None when nothing speaks against it.

    Parameters
    ----------
    name
        The member's path, as the archive spells it.
    size, packed
        Bytes unpacked and packed, as the archive states them.
    mode
        As of os.stat; 0 where it is not known.
    """
    path = PurePosixPath(plain_name(name))
    if path.is_absolute() or ".." in path.parts or re.match("[A-Za-z]:", name):
        return LEADS_OUT
    if mode and not stat.S_ISREG(mode):
        return _LINK if stat.S_ISLNK(mode) else _DEVICE
    if size > MAX_BYTES and not is_archive(name):
        return f"unpacks to {size / 2**20:.0f} MB; at most {MAX_BYTES // 2**20} MB are read"
    if size > max(SMALL, MOST_TIMES * packed):
        return f"unpacks to {size / max(packed, 1):.0f} times its size; at most {MOST_TIMES} times are read"
    return None


def list_zip(archive: Extent, where: str) -> Contents:
    """List a zip that is a file of its own. Raises InputError when it cannot be read, or needs a password.

    where: what people call the archive; it may be a copy.
    """
    try:
        members = open_zip(archive.path).infolist()
    except Exception as error:  # zipfile raises whatever a damaged directory trips it over
        raise damaged(where, error) from error
    contents = Contents({}, {})
    for index, member in enumerate(members):
        if member.is_dir():
            continue
        if member.flag_bits & _ENCRYPTED:
            raise locked(where)
        mode = member.external_attr >> 16 if member.create_system == _UNIX else 0
        kind = mode if stat.S_IFMT(mode) else 0  # some write permissions only
        why_not = refusal(member.filename, member.file_size, member.compress_size, kind)
        if member.compress_type not in _ZIP_METHODS:
            why_not = why_not or "is compressed in a way that is not read; expected deflate, or none"
        origin = ZipMember(archive.path, index, member.file_size, archive.modified, member.filename)
        contents.add(member.filename, origin, why_not)
    return contents


def list_tar(archive: Extent, where: str) -> Contents:
    """List an uncompressed tar, wherever it lies. Raises InputError when it cannot be read to its end."""
    contents = Contents({}, {})
    try:
        for member in _tar_members(archive):
            if member.isdir():
                continue
            mode = 0 if member.isreg() else stat.S_IFLNK if member.issym() or member.islnk() else stat.S_IFCHR
            why_not = refusal(member.name, member.size, member.size, mode)
            if member.issparse():
                why_not = "is stored with holes"
            origin = Extent(archive.path, member.offset_data, member.size, archive.modified, member.name)
            contents.add(member.name, origin, why_not)
    except Exception as error:  # tarfile raises whatever a damaged header trips it over
        raise damaged(where, error) from error
    return contents


def _tar_members(archive: Extent) -> Iterator[tarfile.TarInfo]:
    """Yield the members of a tar; raise ReadError where it does not go on as it should, and has not ended either."""
    end = archive.offset + archive.length
    with archive.path.open("rb") as file:
        file.seek(archive.offset)
        with tarfile.open(fileobj=file, mode="r:") as tar:
            while (member := tar.next()) is not None:
                # A size below zero would lead tarfile back, and round and round.
                if member.size < 0 or not member.offset < tar.offset <= end:
                    raise tarfile.ReadError(f"it is cut short at {member.name}")
                yield member
            file.seek(tar.offset)
            if file.read(tarfile.BLOCKSIZE).strip(b"\0") or tar.offset > end - tarfile.BLOCKSIZE:
                raise tarfile.ReadError("it is cut short, or no tar from there on")


def damaged(where: str, error: Exception) -> InputError:
    """Return the error for an archive that cannot be read."""
    return InputError(
        f"{where}: cannot be read as an archive; it is damaged or cut short ({reason(error)}). Fetch it again"
    )


def locked(where: str) -> InputError:
    """Return the error for an archive that needs a password."""
    return InputError(f"{where}: needs a password. Unpack it yourself, and name the folder in the data set's YAML")
