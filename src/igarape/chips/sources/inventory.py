"""What of a source lies on the disk, by names and sizes: DVC does not look there, so a change has to be told.

Pictures are not read: that would take as long as packing them. Of a table all counts, of a large file its end: a zip
lists there what it holds, with the checksum of each.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import Field

from igarape.chips.sources.archives import is_of_use
from igarape.chips.sources.places import leads_up
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
        """Look at what a source names under a root: of several paths, at the first that exists. Raises OSError."""
        found: set[Path] = set()
        for paths in (source.images, source.tags, *source.unlabelled, *source.nir):
            found |= next((places for path in paths if (places := set(_outermost(root, path.split("/"))))), set())
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


def _outermost(here: Path, parts: Sequence[str]) -> Iterator[Path]:
    """Yield the folders and files on the disk that a path leads to, or through, where it goes on in an archive."""
    if here.is_dir() and parts:
        for step in here.glob(parts[0]) if "*" in parts[0] else [here / parts[0]]:
            yield from _outermost(step, parts[1:])
    elif here.exists():
        yield here


def _held(place: Path) -> Holding:
    """Look at a place: at all folders below it, too."""
    if place.is_dir():
        total, count, size = hashlib.sha256(), 0, 0
        for name, length in _sizes(str(place)):
            total.update(f"{name}\0{length}\0".encode(errors="surrogateescape"))
            count, size = count + 1, size + length
        return Holding(files=count, bytes=size, hash=total.hexdigest())
    with place.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - END))
        return Holding(files=1, bytes=size, hash=hashlib.file_digest(file, "sha256").hexdigest())


def _sizes(folder: str, before: str = "") -> Iterator[tuple[str, int]]:
    """Yield the name and the size of each file of use, in the order of names; a million in seconds, so no Path each."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if is_of_use(entry.name) and entry.is_file():
            yield before + entry.name, entry.stat().st_size
        elif entry.is_dir() and not entry.name.startswith(".") and not leads_up(Path(entry.path)):
            yield from _sizes(entry.path, f"{before}{entry.name}/")
