"""Pickle tasks for another machine. Large arrays go by reference: they stay in files, and are mapped there by path."""

import io
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from filelock import FileLock
from ray.cloudpickle import CloudPickler

from igarape.chips.resized import CACHE, mapped_file
from igarape.files import atomic_path, digest

SCRATCH = "IGARAPE_SCRATCH"
SMALL = 4096  # bytes; a smaller array travels


def pickled(content: Any, folder: Path) -> bytes:
    """Pickle what a task is made of; an array that is no file yet becomes one in the folder, once."""
    buffer = io.BytesIO()
    _Pickler(buffer, folder).dump(content)
    return buffer.getvalue()


def mapped(path: str) -> npt.NDArray[Any]:
    """Map an array from its file, read-only; decoded chips from this machine's disk, where IGARAPE_SCRATCH names it.

    A copy's name changes with what is in it, as that of the file does, so that it is never stale.
    """
    file, disk = Path(path), os.environ.get(SCRATCH)
    if disk and file.parent.parent.name == CACHE:
        own = Path(disk, CACHE, file.parent.name, file.name)
        own.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(own.with_name("lock")):
            if not own.exists():
                with atomic_path(own) as unfinished:
                    shutil.copyfile(file, unfinished)
        file = own
    return np.asarray(np.load(file, mmap_mode="r"))


class _Pickler(CloudPickler):
    """Pickles large arrays as the paths of their files."""

    def __init__(self, buffer: io.BytesIO, folder: Path) -> None:
        super().__init__(buffer, protocol=5)
        self._folder = folder

    def reducer_override(self, value: Any) -> Any:
        """Return how a value is made again: an array from its file, and all else as it usually is."""
        if isinstance(value, np.ndarray) and value.nbytes > SMALL and not value.dtype.hasobject:
            return mapped, (os.path.abspath(self._file(value)),)  # noqa: PTH100 - links stay as they are named
        return super().reducer_override(value)

    def _file(self, array: npt.NDArray[Any]) -> Path:
        file = mapped_file(array)
        if file is None:
            file = self._folder / f"{digest([array.tobytes(), str((array.dtype, array.shape))])}.npy"
            if not file.exists():
                with atomic_path(file) as unfinished:
                    np.save(unfinished, array)
        return file
