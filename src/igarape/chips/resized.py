"""Chips decoded once per size: files of plain pixels beside the store, which all who see those chips map."""

import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
import PIL
from filelock import FileLock

from igarape.chips.pictures import resize
from igarape.chips.store import Store
from igarape.code import code_hash
from igarape.files import atomic_path, digest
from igarape.progress import Report, no_report

CACHE = ".resized"
AT_ONCE = 32  # chips that a thread decodes one after the other
# JPEG decoders and resizers differ by grey levels, so the libraries count as the code does.
LIBRARIES = (f"pillow {PIL.__version__}", f"opencv {cv2.__version__}")


@dataclass(frozen=True)
class Resized:
    """images: uint8 (n, size, size, 3), read-only, mapped from the disk. digest: of all they stem from."""

    images: npt.NDArray[np.uint8]
    digest: str


def load_pictures(
    folder: Path,
    catalog: pd.DataFrame,
    image_ids: Sequence[str],
    *,
    size: int,
    report: Report = no_report,
) -> Resized:
    """Return chips of a store, decoded and resized.

    They lie in .resized/FOLDER/SIZE-KEY.npy beside the store's folder. The first who asks for them writes that file;
    whoever asks meanwhile, waits. KEY is a hash of the chips' bytes and of what decodes them, so no file is ever stale;
    files of other keys are removed, which does not harm a process that still has one mapped. What is computed of the
    pictures may be kept beside them, as SIZE-KEY.NAME.npy: see mapped_from.

    Parameters
    ----------
    folder
        The store's.
    catalog
        Where each chip lies in it.
    image_ids
        Which chips, in the order in which they are wanted.
    size
        Side of the pictures in pixels.
    report
        Called with (done, total).

    Raises
    ------
    InputError
        For a chip that cannot be read, and when the disk is full.
    """
    store = Store(folder, catalog)
    key = digest(itertools.chain([code_hash(__name__)], LIBRARIES, image_ids, map(store.bytes, image_ids)))
    cache = folder.parent / CACHE / folder.name
    path = cache / f"{size}-{key}.npy"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "lock"):
        for other in set(cache.glob("*.npy")) - set(cache.glob(f"[0-9]*-{key}*.npy")):
            other.unlink()
        if path.exists():
            report(len(image_ids), len(image_ids))
        else:
            _write(path, store, image_ids, size=size, report=report)
        return Resized(np.asarray(np.load(path, mmap_mode="r")), path.stem)


def mapped_from(images: npt.NDArray[np.uint8]) -> Path | None:
    """Return the file that load_pictures has mapped these pictures from, all of them and in its order.

    None for pictures in memory, for some of a file's, and for those of another file: only load_pictures gives a name
    that changes with the pixels, so that what is kept beside the file is never stale.
    """
    path = mapped_file(images)
    return path if path and path.parent.parent.name == CACHE else None


def mapped_file(array: npt.NDArray[Any]) -> Path | None:
    """Return the file that an array is mapped from as a whole; None for one in memory, and for a part of a file."""
    source: object = array
    while source is not None and not isinstance(source, np.memmap):
        source = getattr(source, "base", None)
    if source is None or source.filename is None:
        return None
    same = source.ctypes.data == array.ctypes.data and source.shape == array.shape
    return Path(source.filename) if same and array.flags.c_contiguous else None


def _write(path: Path, store: Store, image_ids: Sequence[str], *, size: int, report: Report) -> None:
    """Decode all chips into a .npy file, which takes its name when it is whole."""
    # Threads do: Pillow and OpenCV release the interpreter's lock while they work.
    with atomic_path(path) as unfinished, ThreadPoolExecutor() as pool:
        shape = (len(image_ids), size, size, 3)
        start = np.lib.format.open_memmap(unfinished, mode="w+", dtype=np.uint8, shape=shape).offset

        def write(rows: range) -> int:
            # Not through the mapping: there a full disk would be a signal that ends the process, here it is an error.
            with unfinished.open("r+b") as file:
                file.seek(start + rows.start * size * size * 3)
                for row in rows:
                    file.write(resize(store.rgb(image_ids[row]), size).data)
            return rows.stop

        # A pool keeps a future of all that it is given: of a million single chips they would take a gigabyte.
        parts = [range(first, min(first + AT_ONCE, len(image_ids))) for first in range(0, len(image_ids), AT_ONCE)]
        for done in pool.map(write, parts):
            report(done, len(image_ids))
