"""The store: packed chips, read one by one by the catalog that says where each of them lies."""

import os
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from igarape.chips.pictures import Pixels, decode
from igarape.errors import InputError, counted


class Store:
    """Read single chips of a folder that write_shards wrote: one seek each, from any thread."""

    def __init__(self, folder: Path, catalog: pd.DataFrame) -> None:
        """Index the catalog: image_id, shard, offset, length."""
        self._folder = folder
        self._rows = dict(zip(catalog["image_id"], range(len(catalog)), strict=True))
        self._shard, names = pd.factorize(catalog["shard"])
        self._names: list[str] = names.tolist()
        self._offsets, self._lengths = (catalog[name].to_numpy() for name in ("offset", "length"))
        self._shards: dict[str, int] = {}

    def only(self, image_ids: Sequence[str]) -> "Store":
        """Return a store of some of the chips, which travels to other machines."""
        rows = [self._rows[image_id] for image_id in image_ids]
        places = {"offset": self._offsets[rows], "length": self._lengths[rows]}
        shards = [self._names[number] for number in self._shard[rows]]
        return Store(self._folder, pd.DataFrame({"image_id": list(image_ids), "shard": shards} | places))

    def __getstate__(self) -> dict[str, Any]:
        """Leave open files behind."""
        return self.__dict__ | {"_shards": {}}

    def bytes(self, image_id: str) -> bytes:
        """Return a chip's bytes as they came from the source."""
        row = self._rows.get(image_id)
        if row is None:
            raise InputError(
                f"{self._folder}: holds no chip {image_id!r}; its catalog lists {counted(len(self._rows), 'other')}"
            )
        shard, offset, length = self._names[self._shard[row]], int(self._offsets[row]), int(self._lengths[row])
        data = os.pread(self._shards.get(shard) or self._open(shard), length, offset)
        if len(data) != length:
            path, end = self._folder / shard, offset + length
            raise InputError(f"{path}: cut short, {image_id} should end at {end}. Remove the file and run: dvc repro")
        return data

    def _open(self, shard: str) -> int:
        """Open a shard, which stays open as long as the store lives: opening costs more than reading a chip."""
        path = self._folder / shard
        try:
            opened = os.open(path, os.O_RDONLY)
        except FileNotFoundError as error:
            step = self._folder.name
            raise InputError(f"{path}: not found, but the catalog names it. Run: dvc repro {step}") from error
        weakref.finalize(self, os.close, opened)
        self._shards[shard] = opened  # of two threads that open it at once, both may read
        return opened

    def rgb(self, image_id: str) -> Pixels:
        """Return a chip decoded, of shape (height, width, 3)."""
        return decode(self.bytes(image_id), f"{self._folder}: {image_id}")
