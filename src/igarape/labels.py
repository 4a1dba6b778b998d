"""A data set's vocabulary: which labels there are, and which of them cannot hold together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from igarape.errors import InputError, did_you_mean

Booleans = npt.NDArray[np.bool_]

SEPARATORS = {"blank": " ", "comma": ",", "semicolon": ";", "pipe": "|"}


@dataclass(frozen=True)
class Targets:
    """The labels that a learner predicts, in the order of its columns.

    exclusive: those of which exactly one holds, which are the first; alone: those of them that rule out every other
    label. partial: whether the data set has other labels too, so that many chips hold none of these.
    """

    labels: tuple[str, ...]
    exclusive: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()
    partial: bool = False

    def __post_init__(self) -> None:
        if self.labels[: len(self.exclusive)] != self.exclusive:
            raise ValueError(f"expected the exclusive labels {self.exclusive} first, found {self.labels}")
        if not set(self.alone) <= set(self.exclusive):
            raise ValueError(f"expected labels that stand alone among {self.exclusive}, found {self.alone}")

    @property
    def grouped(self) -> int:
        """How many of the first columns are the exclusive labels."""
        return len(self.exclusive)


@dataclass(frozen=True)
class Vocabulary:
    """The labels of a data set. Their order here is the order of columns everywhere.

    exclusive: labels of which exactly one holds (the weather); may be empty.
    alone: labels of the exclusive group that rule out every other label (cloudy); may be empty.
    common, rare: the other labels; the rare ones get a learner of their own.
    """

    exclusive: tuple[str, ...]
    alone: tuple[str, ...]
    common: tuple[str, ...]
    rare: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels in column order."""
        return self.exclusive + self.common + self.rare

    def subset(self, which: str | Sequence[str]) -> tuple[str, ...]:
        """Return the labels that an experiment's `labels:` names, in column order: "all", "rare", or some by name.

        Raises InputError for a name that the vocabulary does not have.
        """
        if isinstance(which, str):
            return self.rare if which == "rare" else self.labels
        return tuple(self.names(self.encode(which)))

    def targets(self, which: str | Sequence[str]) -> Targets:
        """Return what a learner predicts whose experiment says `labels: all`, `labels: rare`, or `labels: [some]`."""
        labels = self.subset(which)
        if labels != self.labels:
            return Targets(labels, partial=True)
        return Targets(labels, exclusive=self.exclusive, alone=self.alone)

    def encode(self, tags: Iterable[str]) -> Booleans:
        """Turn tags (a set: order and repeats are ignored) into booleans of shape (labels,).

        Raises InputError for a tag that the vocabulary does not have.
        """
        wanted = set(tags)
        unknown = sorted(wanted - set(self.labels))
        if unknown:
            raise InputError(f"unknown tag {unknown[0]!r}{did_you_mean(unknown[0], self.labels)}")
        return np.array([label in wanted for label in self.labels], dtype=np.bool_)

    def decode(self, row: npt.ArrayLike) -> str:
        """Turn booleans of shape (labels,) into tags in column order, as one text: see separator."""
        return self.separator.join(self.names(row))

    def names(self, row: npt.ArrayLike) -> list[str]:
        """Return the labels that hold in booleans of shape (labels,), in column order."""
        flags = np.asarray(row, dtype=np.bool_)
        return [label for label, present in zip(self.labels, flags, strict=True) if present]

    @property
    def separator(self) -> str:
        """What stands between tags in one text: a blank, or the first of SEPARATORS that no label holds."""
        return next((one for one in SEPARATORS.values() if not any(one in label for label in self.labels)), "\n")

    def contradiction(self, row: npt.ArrayLike) -> str | None:
        """Say which rule of the vocabulary the booleans of shape (labels,) break; None when they break none."""
        present = set(self.names(row))
        if not present:
            return "has no tag"
        group = sorted(present & set(self.exclusive))
        if self.exclusive and len(group) != 1:
            return f"exactly one of {', '.join(self.exclusive)} should hold, found {', '.join(group) or 'none'}"
        for label in sorted(present & set(self.alone)):
            if present != {label}:
                return f"{label} rules out every other label, found {', '.join(sorted(present - {label}))}"
        return None
