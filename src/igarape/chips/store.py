"""Packed chips: plain tar files that hold the pictures' bytes unchanged, and a catalog that says where each one lies."""

import io
import os
import tarfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt
import pandas as pd

from igarape.chips.pictures import Picture, decode, resize, suffix
from igarape.errors import InputError

SHARD_SIZE = 4096

Report = Callable[[int, int], None]


class StoreWriter:
    """Write chips into shard-00000.tar, shard-00001.tar, ... of a folder, in WebDataset's layout (<image>.jpg).

    The same chips in the same order give the same bytes. A shard stands under its final name only when it is whole.
    """

    def __init__(self, folder: Path, *, shard_size: int = SHARD_SIZE) -> None:
        """Make the folder if it is not there; shard_size: chips in one tar file."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._shard_size = shard_size
        self._count = 0
        self._tar: tarfile.TarFile | None = None

    def __enter__(self) -> "StoreWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._tar is None:
            return
        if kind is None:
            self._finish(self._tar)
        else:
            self._tar.close()
            self._unfinished().unlink()

    def add(self, image: str, data: bytes) -> tuple[str, int, int]:
        """Append a picture and return where it lies: its shard, the offset of its first byte, its length in bytes."""
        tar = self._tar or self._start()
        member = tarfile.TarInfo(f"{image}.{suffix(data, image)}")  # mtime, uid and gid are 0, and no names
        member.size = len(data)
        member.mode = 0o644
        tar.addfile(member, io.BytesIO(data))
        padded = -(-len(data) // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
        place = (self._shard(), tar.offset - padded, len(data))
        self._count += 1
        if self._count % self._shard_size == 0:
            self._finish(tar)
        return place

    def _shard(self) -> str:
        return f"shard-{self._number:05d}.tar"

    def _unfinished(self) -> Path:
        return self._folder / f".{self._shard()}.unfinished"

    def _start(self) -> tarfile.TarFile:
        self._number = self._count // self._shard_size
        self._tar = tarfile.open(self._unfinished(), "w", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - _finish closes it
        return self._tar

    def _finish(self, tar: tarfile.TarFile) -> None:
        tar.close()
        os.replace(self._unfinished(), self._folder / self._shard())
        self._tar = None


class Store:
    """Read single chips of a folder that StoreWriter wrote: one seek each, from any thread or process."""

    def __init__(self, folder: Path, catalog: pd.DataFrame) -> None:
        """Index the catalog: image, shard, offset, length."""
        self._folder = folder
        places = zip(catalog["shard"], catalog["offset"].tolist(), catalog["length"].tolist(), strict=True)
        self._places: dict[str, tuple[str, int, int]] = dict(zip(catalog["image"], places, strict=True))

    def bytes(self, image: str) -> bytes:
        """Return a chip's bytes as they came from the source."""
        if image not in self._places:
            raise InputError(f"{self._folder}: holds no chip {image!r}; its catalog lists {len(self._places)} others")
        shard, offset, length = self._places[image]
        path = self._folder / shard
        if not path.exists():
            raise InputError(f"{path}: not found, but the catalog names it. Run: dvc repro {self._folder.name}")
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(length)
        if len(data) != length:
            raise InputError(f"{path}: cut short, {image} should end at {offset + length}. Remove it and run: dvc repro")
        return data

    def rgb(self, image: str) -> Picture:
        """Return a chip decoded, of shape (height, width, 3)."""
        return decode(self.bytes(image), f"{self._folder}: {image}")


def _no_report(done: int, total: int) -> None:
    """Report to nobody."""


def load_pictures(
    folder: Path,
    catalog: pd.DataFrame,
    images: Sequence[str],
    *,
    size: int,
    report: Report = _no_report,
    workers: int | None = None,
) -> npt.NDArray[np.uint8]:
    """Decode and resize chips into one array of shape (images, size, size, 3), in the order of images.

    report is called with (done, total) after each chip. workers: threads (Pillow and OpenCV free the interpreter while
    they work); None leaves their number to the machine.
    """
    store = Store(folder, catalog)
    pictures = np.empty((len(images), size, size, 3), dtype=np.uint8)

    def load(row: int) -> None:
        pictures[row] = resize(store.rgb(images[row]), size)

    with ThreadPoolExecutor(workers) as pool:
        for done, _ in enumerate(pool.map(load, range(len(images))), start=1):
            report(done, len(images))
    return pictures
