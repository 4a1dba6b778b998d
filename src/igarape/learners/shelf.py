"""What is computed of pictures, row by row: once for all trainings, and kept beside the pictures' file."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile

import numpy as np
import numpy.typing as npt

from igarape.chips.resized import mapped_from, one_at_a_time
from igarape.errors import InputError
from igarape.files import FULL, whole
from igarape.learners.examples import Images, Rows

Table = npt.NDArray[np.float32]
# From rows of pictures to what is computed of them, in parts; the first one may be empty, and says how wide all are.
Compute = Callable[[Rows], Iterator[Table]]

LARGE = 2**31  # bytes of a table that is not held in memory


def kept_rows(images: Images, rows: Rows, *, name: str, key: str, compute: Compute) -> Table:
    """Return what is computed of rows of pictures: float32 (rows, width), in memory.

    Of pictures that load_pictures has mapped it is computed for all rows, once, and written to a file beside theirs as
    it comes, so that no more than a part of it is in memory. Of others it is computed whenever it is asked for.

    Parameters
    ----------
    images
        Pictures, uint8 (n, size, size, 3).
    rows
        Those that are wanted.
    name
        What is computed, in a word.
    key
        A hash of all that it depends on beside the pixels.
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
    with one_at_a_time(path.with_name(f"{name}.lock")):  # who wants the same waits; who wants others has no processor
        if not path.exists():
            with whole(path) as unfinished, unfinished.open("wb") as file:
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
    """Give a table to write to: in memory, or where it is LARGE, and the pictures are mapped, on their disk.

    Nothing is left of it, as its file has no name. Raises InputError when the disk is full.
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
