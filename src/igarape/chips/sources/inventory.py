"""What of a source lies on the disk, by names and sizes: DVC does not look there, so a change has to be told.

Pictures are not read: that would take as long as packing them. Of a table all counts, of a large file its end: a zip
lists there what it holds, with the checksum of each.
"""

import hashlib
import os
from pathlib import Path
from typing import Any, Self

from pydantic import Field

from igarape.chips.sources.places import below, on_disk
from igarape.config.datasets import FolderSource
from igarape.config.documents import Document
from igarape.config.schema import Section
from igarape.errors import counted

END = 2**24  # bytes of a file that count, from its end


class Holding(Section):
    """What lies at a place: the number of files, their bytes in all, and a hash of names and sizes, or of a file."""

    files: int
    bytes: int
    hash: str


class Inventory(Document):
    """data/source.json: the data set's `source`, and what lay at each place that it names, by the path; of drawn: none.

    It lies apart from data/ingest: the same chips from another place are the same chips.
    """

    source: dict[str, Any] = Field(default_factory=dict)
    places: dict[str, Holding] = Field(default_factory=dict)

    @classmethod
    def take(cls, root: Path, source: FolderSource) -> Self:
        """Look at what a source names under a root: of several paths, at the first that exists.

        Raises OSError or InputError where something cannot be read.
        """
        found: set[Path] = set()
        for paths in (source.images, source.tags, *source.unlabelled, *source.nir):
            ways = ({place for place, _ in on_disk(root, path.split("/"))} for path in paths)
            found |= next(filter(None, ways), set())
        held = {place.relative_to(root).as_posix(): _held(place) for place in sorted(found)}
        return cls(source=source.model_dump(mode="json"), places=held)

    def changes(self, now: Self) -> list[str]:
        """Say what has changed since, a line for each place; nothing where the settings have, or where chips are not.

        A machine that holds none of the places needs no chips: it has what was packed.
        """
        if self.source != now.source or not set(self.places) & set(now.places):
            return []
        lines = []
        for place in sorted({*self.places, *now.places}):
            before, after = self.places.get(place), now.places.get(place)
            if before is None or after is None:
                lines.append(f"{place} {'is new' if before is None else 'is gone'}")
            elif before.files != after.files:
                lines.append(f"{place} holds {counted(after.files, 'file')}, it held {before.files:,}")
            elif before != after:
                lines.append(f"{place} is not what it was")
        return lines


def _held(place: Path) -> Holding:
    """Look at a place: at all folders below it, too."""
    if place.is_dir():
        total, count, size = hashlib.sha256(), 0, 0
        for name, file in below(place):
            total.update(f"{name}\0{file.length}\0".encode(errors="surrogateescape"))
            count, size = count + 1, size + file.length
        return Holding(files=count, bytes=size, hash=total.hexdigest())
    with place.open("rb") as opened:
        size = opened.seek(0, os.SEEK_END)
        opened.seek(max(0, size - END))
        return Holding(files=1, bytes=size, hash=hashlib.file_digest(opened, "sha256").hexdigest())
