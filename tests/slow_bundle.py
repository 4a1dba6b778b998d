"""A bundle that answers when a test lets it."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from igarape.serving.batching import Served
from igarape.serving.bundle import Bundle, DecodedChip


class Slow:
    """A bundle that notes its batches, and waits for a sign before it answers one."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self.batches: list[int] = []
        self.go = threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bundle, name)

    def tag_decoded(self, seen: Sequence[DecodedChip]) -> pd.DataFrame:
        """Answer after the sign."""
        self.batches.append(len(seen))
        assert self.go.wait(30)
        return self._bundle.tag_decoded(seen)


def slow(folder: Path) -> tuple[Slow, Served]:
    """Give a slow bundle, and as it is served."""
    bundle = Slow(Bundle.load(folder, threads=1))
    return bundle, Served(bundle, "toy", "1", {}, {})  # type: ignore[arg-type]  # all that it has not, it asks the bundle for
