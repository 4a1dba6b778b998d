"""The examples that a learner learns from: pictures at its size, its labels, and the folds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from igarape.chips.resized import load_pictures
from igarape.errors import InputError
from igarape.files import digest
from igarape.labels import Booleans
from igarape.progress import Report
from igarape.tables import read_catalog, read_folds, read_groups, truth
from igarape.workspace import Workspace

Images = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.int64]

WITHOUT_TIF = (
    "A learner on near-infrared needs a TIF of each labelled chip. Put those that are missing, or stand in "
    "data/nir/faults.parquet, where the data set's YAML looks for them (source.nir), raise its source.version (1 where "
    "there is none), then: dvc repro; or take this experiment out of params.yaml"
)


class InputSpec(Protocol):
    """What a learner sees: an experiment says it, and the manifest of its result."""

    @property
    def chips(self) -> str:
        """Return which chips: raw, dehazed or nir."""

    @property
    def size(self) -> int:
        """Return their side in pixels."""


@dataclass(frozen=True)
class Examples:
    """image_ids (n,), pictures uint8 (n, size, size, 3), y (n, labels), folds (n,), -1 for the hold-out, groups (n,).

    The pictures are mapped from the disk and read-only: take few rows at once. digest: a hash of all of this and of the
    labels' names, for the key of what is made of it.
    """

    image_ids: Sequence[str]
    images: Images
    y: Booleans
    folds: Rows
    groups: Sequence[str]
    digest: str


def outside(folds: Rows, fold: int) -> Rows:
    """Return the rows of which a model of a fold may learn: neither that fold's nor the hold-out's; folds: (n,)."""
    return np.flatnonzero((folds != fold) & (folds >= 0))


def load_examples(workspace: Workspace, experiment: InputSpec, *, labels: Sequence[str], report: Report) -> Examples:
    """Load the chips that an experiment sees, at its size, in the order of the folds.

    Parameters
    ----------
    workspace
        Where packed chips, folds and groups lie.
    experiment
        Says which chips, and their size: an experiment, or a learner's manifest.
    labels
        Those that y has columns of.
    report
        Called with (chips done, of how many).

    Raises
    ------
    InputError
        When the folds name a chip that is not packed.
    """
    store, split = workspace.chips(experiment.chips), workspace.folder("split")
    table = read_folds(workspace.folds)
    catalog = read_catalog(workspace.catalog(experiment.chips), labels).set_index("image_id", drop=False)
    if lost := sorted(table["image_id"][~table["image_id"].isin(catalog.index)]):
        way_out = WITHOUT_TIF if experiment.chips == "nir" else "Run: dvc repro"
        raise InputError(f"{store}: {lost[0]} and {len(lost) - 1} more chips of {split} are not in it. {way_out}")
    image_ids = list(table["image_id"])
    resized = load_pictures(store, catalog, image_ids, size=experiment.size, report=report)
    y = truth(catalog.loc[image_ids], labels)
    folds = table["fold"].to_numpy()
    held_together = read_groups(workspace.groups, image_ids)
    return Examples(
        image_ids=image_ids,
        images=resized.images,
        y=y,
        folds=folds,
        groups=held_together,
        digest=digest([resized.digest, repr(list(labels)), y.tobytes(), folds.tobytes(), repr(held_together)]),
    )
