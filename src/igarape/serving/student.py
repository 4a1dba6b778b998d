"""The student as a bundle: one network in the place of all learners, and how fast that is."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from igarape.config.student import StudentManifest
from igarape.ensemble.linear import single_weights
from igarape.ensemble.stacker import Stacker
from igarape.learners.distillation import FILE
from igarape.serving.assembly import BundleSpec, build_bundle
from igarape.serving.bundle import Bundle
from igarape.serving.holdout import PackedChips, megabytes, milliseconds
from igarape.serving.manifest import Learner
from igarape.serving.reference import without_answers
from igarape.workspace import Workspace


def build_student(workspace: Workspace, shared: BundleSpec, manifest: StudentManifest) -> None:
    """Build the student's bundle: what it answers is what it learned, calibrated probabilities, and the rule applies.

    Parameters
    ----------
    workspace
        Where the student lies, and its bundle goes.
    shared
        What its bundle has in common with the ensemble's.
    manifest
        What the student is.
    """
    network = workspace.folder("distill") / FILE
    learners = {manifest.name: manifest.labels}
    alone = Stacker("single", manifest.labels, learners, single_weights(manifest.name, learners, manifest.labels))
    part = Learner(**manifest.model_dump(include={"name", "chips", "size", "labels", "tta"}), files=(str(network),))
    with tempfile.TemporaryDirectory() as made:
        alone.save(Path(made))
        own = replace(shared, reference=without_answers(shared.reference))
        build_bundle(workspace.student, own, learners=[part], stacker=Path(made))


def measure(
    bundles: Sequence[Bundle], image_ids: Sequence[str], *, packed: PackedChips
) -> tuple[list[float], list[float]]:
    """Return how many megabytes each bundle has, and how many milliseconds it takes from a chip's bytes to its tags.

    The latter is the median over some chips, which are timed as the gate does: holdout.milliseconds.

    packed: the chips' pictures.
    """
    times = milliseconds(bundles, packed, image_ids)
    return [megabytes(bundle.folder) for bundle in bundles], [float(np.median(each)) for each in times]
