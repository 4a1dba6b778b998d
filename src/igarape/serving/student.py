"""The student as a bundle: one network in the place of all learners, and how fast that is."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from igarape.chips.pictures import Pixels
from igarape.chips.store import Store
from igarape.config.datasets import Dataset
from igarape.config.documents import OperatingPoint
from igarape.config.params import Params
from igarape.config.student import Lesson
from igarape.ensemble.decision import Rule
from igarape.ensemble.linear import one_of
from igarape.ensemble.stacker import Stacker
from igarape.learners.distillation import FILE
from igarape.serving.assembly import assemble
from igarape.serving.bundle import Bundle, Merge
from igarape.serving.holdout import megabytes, milliseconds
from igarape.serving.manifest import Learner
from igarape.workspace import Workspace


def build_student(
    workspace: Workspace,
    params: Params,
    dataset: Dataset,
    *,
    lesson: Lesson,
    rule: Rule,
    alerts: Mapping[str, OperatingPoint],
    merge: Merge,
) -> None:
    """Build the student's bundle: what it answers is what it learned, calibrated probabilities, and the rule applies.

    Parameters
    ----------
    workspace
        Where the student lies, and its bundle goes.
    params, dataset
        How chips are read and dehazed, and near-infrared is made.
    lesson
        What the student is.
    rule, alerts
        Those of the ensemble.
    merge
        As of assembly.assemble.
    """
    network = workspace.folder("distill") / FILE
    learners = {lesson.name: lesson.labels}
    alone = Stacker("single", lesson.labels, learners, one_of(lesson.name, learners, lesson.labels))
    part = Learner(**lesson.model_dump(include={"name", "chips", "size", "labels", "tta"}), files=(str(network),))
    with tempfile.TemporaryDirectory() as made:
        alone.save(Path(made))
        assemble(
            workspace.student,
            params,
            dataset,
            learners=[part],
            stacker=Path(made),
            rule=rule,
            alerts=alerts,
            merge=merge,
        )


def measure(
    folders: Sequence[Path], image_ids: Sequence[str], *, raw: Store, nir: Store, threads: int
) -> tuple[list[float], list[float]]:
    """Return how many megabytes each bundle has, and how many milliseconds it takes from a chip's bytes to its tags.

    The latter is the median over some chips, which are timed as the gate does: holdout.milliseconds.

    Parameters
    ----------
    folders
        Of the bundles.
    image_ids
        The chips that some are taken of.
    raw, nir
        The stores of their pictures and of their near-infrared.
    threads
        Processors that the learners may use.
    """

    def read(image_id: str, bundle: Bundle) -> tuple[Pixels, Pixels | None]:
        """Return a chip as a bundle sees it."""
        return bundle.read(raw.bytes(image_id), image_id), nir.rgb(image_id) if bundle.needs_nir else None

    times = milliseconds([Bundle.load(folder, threads=threads) for folder in folders], read, image_ids)
    return [megabytes(folder) for folder in folders], [float(np.median(each)) for each in times]
