"""One chip: what is known about a picture, and where its bytes are to be had."""

from dataclasses import dataclass
from typing import Protocol


class Origin(Protocol):
    """Where a chip's bytes come from. It is picklable: the process that packs the chip reads it there."""

    def read(self) -> bytes:
        """Return the encoded picture; raise InputError that names the place when it cannot be read."""
        ...


@dataclass(frozen=True)
class Encoded:
    """The origin of a chip that was made in memory: its bytes."""

    data: bytes

    def read(self) -> bytes:
        """Return the bytes."""
        return self.data


@dataclass(frozen=True, slots=True)  # a million of them are in memory
class Chip:
    """A labelled picture on its way into the store.

    image_id: its name without suffix.
    split: "train" or "test"; a test chip carries no tags.
    group: what must stay together when folds are made, for example a scene.
    tags: a set of labels, as its source lists them.
    origin: gives the encoded picture; its bytes go into the store unchanged.
    """

    image_id: str
    split: str
    group: str
    tags: tuple[str, ...]
    origin: Origin
