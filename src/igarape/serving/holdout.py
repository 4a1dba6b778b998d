"""The hold-out's chips as a project has packed them, and what a bundle costs: megabytes, and milliseconds a chip."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from igarape.chips.fingerprints import read_fingerprints
from igarape.chips.store import Store
from igarape.errors import InputError
from igarape.scores.answers import Answers
from igarape.scores.metrics import Floats
from igarape.serving.bundle import Bundle, DecodedChip
from igarape.tables import read_catalog
from igarape.workspace import Workspace

TIMED, ROUNDS = 8, 3  # pictures that are timed, and how often: the fastest time of each counts


@dataclass(frozen=True)
class PackedChips:
    """Chips as a project has packed them: the stores of their pictures and, where there is any, near-infrared."""

    raw: Store
    nir: Store | None

    @classmethod
    def of(cls, workspace: Workspace, labels: Sequence[str]) -> "PackedChips":
        """Open the stores of a data set with these labels."""

        def opened(kind: str) -> Store:
            return Store(workspace.chips(kind), read_catalog(workspace.catalog(kind), labels))

        return cls(opened("raw"), opened("nir") if workspace.catalog("nir").exists() else None)

    def load(self, bundle: Bundle, name: str) -> DecodedChip:
        """Return a chip decoded by a bundle, from its raw bytes, with its near-infrared where the bundle needs that.

        Near-infrared is packed without loss, so its planes are what the TIFs give. Raises InputError where it is
        missing.
        """
        if bundle.needs_nir and self.nir is None:
            raise InputError("data/nir/catalog.parquet: not found; a version needs near-infrared. Run: dvc repro nir")
        planes = self.nir.rgb(name) if bundle.needs_nir and self.nir is not None else None
        return bundle.decode(self.raw.bytes(name), name, planes)


def open_holdout(workspace: Workspace, held: Answers, version: str) -> PackedChips:
    """Open the pictures that a version was scored on; raise InputError where one is missing or has changed."""
    way_out = (
        f"Bring the chips that version {version} was scored on: check out its commit (tag git_commit), then: dvc "
        "pull, or: dvc repro ingest"
    )
    if not workspace.catalog().exists():
        raise InputError(f"{workspace.catalog()}: not found, and with it the hold-out's pictures. {way_out}")
    try:
        prints = read_fingerprints(workspace.chips("raw") / "fingerprints.parquet", held.image_ids)
    except InputError as error:
        raise InputError(f"{error}. It is a hold-out chip of version {version}. {way_out}") from error
    for image_id, pixels, expected in zip(held.image_ids, prints.pixels, held.pixels, strict=True):
        if pixels != expected:
            raise InputError(
                f"{workspace.chips('raw')}: {image_id} is another picture than that which version {version} was "
                f"scored on. {way_out}"
            )
    return PackedChips.of(workspace, held.labels)


def megabytes(folder: Path) -> float:
    """Return the size of a bundle."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def milliseconds(bundles: Sequence[Bundle], packed: PackedChips, image_ids: Sequence[str]) -> list[Floats]:
    """Time each bundle from a picture's bytes to its tags, on the same few pictures, the bundles in turn."""
    places = np.linspace(0, len(image_ids) - 1, min(TIMED, len(image_ids))).astype(int)
    spent = np.full((ROUNDS + 1, len(bundles), len(places)), np.inf)
    for turn in range(ROUNDS + 1):
        for column, place in enumerate(places):
            for row, bundle in enumerate(bundles):
                start = time.perf_counter()
                bundle.tag_decoded([packed.load(bundle, image_ids[place])])
                spent[turn, row, column] = time.perf_counter() - start
    return list(1000 * spent[1:].min(axis=0))  # the first round warms up
