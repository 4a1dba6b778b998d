"""From fold models to a bundle that answers as the pipeline did."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from igarape.chips.store import Store
from igarape.config.datasets import Dataset
from igarape.config.documents import LearnerManifest, OperatingPoint
from igarape.config.params import Params
from igarape.ensemble.decision import Rule
from igarape.errors import InputError
from igarape.learners.audit import fold_models
from igarape.serving.bundle import Bundle, Merge, build_bundle
from igarape.serving.manifest import Learner
from igarape.tables import Probabilities

# Bundle and pipeline run the same models on the same pictures; only the grouping into batches differs.
TOLERANCE = 1e-4

Report = Callable[[int, int], None]


def learner_part(folder: Path, manifest: LearnerManifest) -> Learner:
    """Describe a learner for the bundle; its fold models lie in folder, under their numbers."""
    files = fold_models(folder)
    parts = manifest.model_dump(include={"name", "chips", "size", "labels", "tta"})
    return Learner(**parts, files=tuple(str(file) for file in files))


def assemble(
    folder: Path,
    params: Params,
    dataset: Dataset,
    *,
    learners: Sequence[Learner],
    stacker: Path,
    rule: Rule,
    alerts: Mapping[str, OperatingPoint],
    merge: Merge,
) -> None:
    """Build a bundle of a data set's learners, as bundle.build_bundle does.

    Parameters
    ----------
    folder
        The bundle's.
    params, dataset
        How its chips are read and dehazed, and near-infrared is made.
    learners
        Their fold models, as learner_part names them.
    stacker
        The folder that Stacker.save wrote.
    rule, alerts
        From probabilities to labels, and what raises an alert.
    merge
        Writes fold models of a network as one: learners.networks.merging.merge.
    """
    build_bundle(
        folder,
        dataset=params.dataset,
        size=dataset.size,
        reading=dataset.reading,
        dehaze=params.dehaze.model_dump(),
        nir=params.nir.model_dump(include={"white"}),
        learners=learners,
        stacker=stacker,
        rule=rule,
        alerts=alerts,
        merge=merge,
    )


def check_bundle(
    folder: Path,
    image_ids: Sequence[str],
    *,
    p: Probabilities,
    raw: Store,
    nir: Store,
    threads: int,
    report: Report,
) -> None:
    """Refuse a bundle that does not answer as the pipeline did, on chips from their raw bytes.

    Parameters
    ----------
    folder
        Of the bundle.
    image_ids
        The chips.
    p
        What the pipeline answers, of shape (n, labels).
    raw, nir
        The stores of their pictures and of their near-infrared; that is packed without loss, so its planes are what the
        TIFs give.
    threads
        Processors that the learners may use.
    report
        Called with (chips done, of how many).

    Raises
    ------
    InputError
        When a probability differs by more than TOLERANCE.
    """
    bundle = Bundle.load(folder, threads=threads)
    for done, (image_id, expected) in enumerate(zip(image_ids, p, strict=True), start=1):
        planes = [nir.rgb(image_id)] if bundle.needs_nir else None
        answer = bundle.probabilities([bundle.read(raw.bytes(image_id), image_id)], planes)[0]
        gap = float(np.abs(answer - expected).max())
        if gap > TOLERANCE:
            raise InputError(
                f"{folder}: {image_id}: the bundle's probabilities differ by {gap:.6f} from the pipeline's, expected "
                f"at most {TOLERANCE}. Something changed in between; run: dvc repro -f"
            )
        report(done, len(image_ids))
