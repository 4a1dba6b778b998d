"""One chip: a picture as its source has it, and what is known about it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Chip:
    """A labelled picture on its way into the store.

    image: its name without suffix.
    split: "train" or "test"; a test chip carries no tags.
    group: what must stay together when folds are made, for example a scene.
    tags: a set of labels, as its source lists them.
    data: the encoded picture, bytes unchanged.
    """

    image: str
    split: str
    group: str
    tags: tuple[str, ...]
    data: bytes
