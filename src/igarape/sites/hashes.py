"""The SHA-256 of files that are looked at again and again, and are large: each is read once, until it changes."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from dvc_data.hashfile.cache import HashesCache, Timeout  # type: ignore[attr-defined]  # it has no __all__

from igarape.errors import reason
from igarape.files import sha256

TROUBLE = (sqlite3.Error, Timeout, OSError)  # a database that is damaged, locked, or may not be written


@contextmanager
def remembered(folder: Path, *, complain: Callable[[str], None]) -> Iterator[Callable[[Path], str]]:
    """Give what returns the SHA-256 of a file, and reads those only that are new or have changed.

    In a database as DVC's own: a file with the inode, the size, and the times of change of content and inode of the
    last time is taken for the same. Nobody can set the latter, so that no file passes for another one in its place.
    folder: of the database; several processes may have it open. complain: called with a line where the database cannot
    be used; then each file is read.
    """
    with ExitStack() as stack:
        memory: HashesCache | None = None

        def without(error: Exception) -> None:
            nonlocal memory
            memory = None
            complain(
                f"{folder}: what is known of files can be neither read nor kept ({reason(error)}), so each is read "
                "anew. Remove that folder, or look who may write there"
            )

        def hashed(path: Path) -> str:
            place, known = os.fsencode(path.resolve()), ""  # SQLite takes no text that is not in UTF-8
            stamp = _stamp(path)  # before it is read: what changes meanwhile is read again next time
            try:
                known = "" if memory is None else str(memory.get(place))  # type: ignore[no-untyped-call]
            except TROUBLE as error:
                without(error)
            before, _, found = known.rpartition(" ")
            if before == stamp:
                return found
            found = sha256(path)
            try:
                if memory is not None:
                    memory[place] = f"{stamp} {found}"
            except TROUBLE as error:
                without(error)
            return found

        try:
            memory = stack.enter_context(closing(HashesCache(str(folder))))
        except TROUBLE as error:
            without(error)
        yield hashed


def _stamp(path: Path) -> str:
    """Return what tells a file from what it was before."""
    now = path.stat()
    return f"{now.st_ino} {now.st_size} {now.st_mtime_ns} {now.st_ctime_ns}"
