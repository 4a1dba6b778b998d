"""A cache of features: what is computed of each picture is computed once for all trainings, and kept on the disk."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile

import numpy as np
import numpy.typing as npt
from filelock import FileLock

from igarape.chips.resized import mapped_from
from igarape.errors import InputError
from igarape.files import FULL, atomic_path
from igarape.learners.examples import Images, Rows

Table = npt.NDArray[np.float32]
# From rows of pictures to their features, in chunks of rows; the first chunk may be empty, its width is that of all.
Compute = Callable[[Rows], Iterator[Table]]

LARGE = 2**31  # bytes of a table that is not held in memory


def cached_rows(images: Images, rows: Rows, *, name: str, key: str, compute: Compute) -> Table:
    """Return the features of some rows of pictures: float32 (rows, width), in memory.

    Where the pictures are a file that load_pictures has mapped, the features of all its rows are computed once, and
    written chunk by chunk to a file beside it; later calls read that file. Features of pictures in memory are computed
    at every call.

    Parameters
    ----------
    images
        Pictures, uint8 (n, size, size, 3).
    rows
        Those that are wanted.
    name
        Of the features, a word; it becomes part of the file's name.
    key
        A hash of all that the features depend on besides the pixels.
    compute
        Computes it.

    Raises
    ------
    InputError
        When the disk is full, and what compute raises.
    """
    pictures = mapped_from(images)
    if pictures is None:
        return np.concatenate(list(compute(rows)))
    path = pictures.with_name(f"{pictures.stem}.{name}-{key}.npy")
    with FileLock(path.with_name(f"{name}.lock")):  # who wants the same waits; who wants others has no processor
        if not path.exists():
            with atomic_path(path) as unfinished, unfinished.open("wb") as file:
                parts = compute(np.arange(len(images)))
                first = next(parts)
                shape = (len(images), first.shape[1])
                np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
                file.write(first.tobytes())
                for part in parts:
                    file.write(part.tobytes())
    return np.asarray(np.load(path, mmap_mode="r"))[rows]


@contextmanager
def scratch(images: Images, shape: tuple[int, int]) -> Iterator[Table]:
    """Yield an empty float32 table to write to: in memory, or a temporary file where it takes LARGE bytes or more.

    The file lies on the disk from which the pictures are mapped, and is gone when the block ends; pictures in memory
    have none. Raises InputError when the disk is full.
    """
    pictures, size = mapped_from(images), 4 * shape[0] * shape[1]
    if pictures is None or size < LARGE:
        yield np.empty(shape, dtype=np.float32)
        return
    with TemporaryFile(dir=pictures.parent) as file:
        try:
            os.posix_fallocate(file.fileno(), 0, size)  # later on, a full disk would be a signal that ends the process
        except OSError as error:
            if error.errno not in FULL:
                raise
            raise InputError(
                f"{pictures.parent}: no room for {size / 2**30:.0f} GB that a training wants for a while "
                f"({error.strerror}). Make room and run the step again; what is finished is kept"
            ) from error
        yield np.asarray(np.memmap(file, dtype=np.float32, mode="r+", shape=shape))
