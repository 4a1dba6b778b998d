"""The SHA-256 of files that are looked at again and again, and are large: each is read once, until it changes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.state import State
from dvc_objects.fs.local import LocalFileSystem

from igarape.files import sha256

NAME = "sha256"


@contextmanager
def remembered(folder: Path) -> Iterator[Callable[[Path], str]]:
    """Give what returns the SHA-256 of a file, and reads those only that are new or have changed.

    As DVC does it, by DVC's own database: a file with the inode, the time of change and the size of the last time is
    taken for the same. folder: of the database; several processes may have it open.
    """
    state, here = State(root_dir=str(folder), tmp_dir=str(folder)), LocalFileSystem()  # type: ignore[no-untyped-call]

    def hashed(path: Path) -> str:
        place = str(path.resolve())
        info = here.info(place)  # before it is read: what changes meanwhile is read again next time
        _, known = state.get(place, here, info)
        if known is None or known.name != NAME:
            known = HashInfo(NAME, sha256(path))
            state.save(place, here, known, info)
        return str(known.value)

    try:
        yield hashed
    finally:
        state.close()  # type: ignore[no-untyped-call]
