"""Packed chips: plain tar files with the pictures' bytes unchanged, and a catalog that says where each one lies."""

import io
import tarfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from igarape.chips.pictures import Picture, decode, resize, suffix
from igarape.errors import InputError

SHARD_SIZE = 4096

Report = Callable[[int, int], None]


class StoreWriter:
    """Write chips into shard-00000.tar, shard-00001.tar, ... of a folder, in WebDataset's layout (<image>.jpg).

    The same chips in the same order give the same bytes. The shards get their final names together, when the block ends
    well; after an exception none is left.
    """

    def __init__(self, folder: Path, *, shard_size: int = SHARD_SIZE) -> None:
        """Make the folder if it is not there; shard_size: chips in one tar file."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._shard_size = shard_size
        self._count = 0
        self._tar: tarfile.TarFile | None = None
        self._shards: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._tar is not None:
                self._tar.close()
            if kind is None:
                for shard in self._shards:
                    self._unfinished(shard).replace(self._folder / shard)
        finally:
            for shard in self._shards:
                self._unfinished(shard).unlink(missing_ok=True)

    def add(self, image: str, data: bytes) -> tuple[str, int, int]:
        """Append a picture and return where it lies: its shard, the offset of its first byte, its length in bytes."""
        tar = self._tar or self._start()
        member = tarfile.TarInfo(f"{image}.{suffix(data, image)}")  # mtime, uid and gid are 0, and no names
        member.size = len(data)
        member.mode = 0o644
        tar.addfile(member, io.BytesIO(data))
        padded = -(-len(data) // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
        place = (self._shards[-1], tar.offset - padded, len(data))
        self._count += 1
        if self._count % self._shard_size == 0:
            tar.close()
            self._tar = None
        return place

    def _unfinished(self, shard: str) -> Path:
        return self._folder / f".{shard}.unfinished"

    def _start(self) -> tarfile.TarFile:
        self._shards.append(f"shard-{len(self._shards):05d}.tar")
        path = self._unfinished(self._shards[-1])
        self._tar = tarfile.open(path, "w", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - add and __exit__ close it
        return self._tar


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
            end = offset + length
            raise InputError(f"{path}: cut short, {image} should end at {end}. Remove the file and run: dvc repro")
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
