"""Pickle tasks for others, processes or machines. Large arrays go by reference: they stay in files, and are mapped."""

import io
import os
import pickle
import shutil
from collections.abc import Collection
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from cloudpickle import CloudPickler
from filelock import FileLock

from igarape.chips.resized import CACHE, mapped_file
from igarape.executors import Callback, Executor, Task, ignore_message
from igarape.files import atomic_path, digest

SCRATCH = "IGARAPE_SCRATCH"
SMALL = 4096  # bytes; a smaller array travels


def pickled(content: Any, folder: Path) -> bytes:
    """Pickle what a task is made of; an array that is no file yet becomes one in the folder, once."""
    buffer = io.BytesIO()
    _Pickler(buffer, folder).dump(content)
    return buffer.getvalue()


class ByReference:
    """An igarape.executors.Executor that hands tasks on to another one, large arrays by reference."""

    def __init__(self, executor: Executor, folder: Path) -> None:
        """executor: does them. folder: for arrays that are no files yet; it has to outlive the tasks."""
        self._executor, self._folder = executor, folder

    def submit(self, task: Task, *words: Any, name: str, on_message: Callback = ignore_message) -> Future[Any]:
        """Hand a task on.

        Parameters
        ----------
        task, name, on_message, *words
            As igarape.executors.Executor.submit takes them.
        """
        content = pickled((task, words), self._folder)
        return self._executor.submit(_unpickled, content, name=name, on_message=on_message)

    def wait(self, futures: Collection[Future[Any]]) -> set[Future[Any]]:
        """Wait as the other one does."""
        return self._executor.wait(futures)


def _unpickled(send: Callback, content: bytes) -> Any:
    """Do a task that was pickled."""
    task, words = pickle.loads(content)  # noqa: S301 - we have pickled it
    return task(send, *words)


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
