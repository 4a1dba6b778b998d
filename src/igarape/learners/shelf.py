"""What is computed of pictures, row by row: once for all trainings, and kept beside the pictures' file."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from igarape.chips.resized import mapped_from, one_at_a_time
from igarape.files import whole
from igarape.learners.examples import Images, Rows

Table = npt.NDArray[np.float32]
# From rows of pictures to what is computed of them, in parts; the first one may be empty, and says how wide all are.
Compute = Callable[[Rows], Iterator[Table]]


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
