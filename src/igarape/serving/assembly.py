"""From fold models to a bundle that answers as the pipeline did."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from igarape.chips.pictures import Pixels
from igarape.chips.store import Store
from igarape.config.datasets import Dataset
from igarape.config.documents import LearnerManifest, OperatingPoint
from igarape.config.params import Params
from igarape.config.schema import validate
from igarape.ensemble.decision import Rule
from igarape.ensemble.stacker import Stacker
from igarape.errors import InputError
from igarape.files import fresh_folder, whole, write_json
from igarape.learners.audit import fold_models
from igarape.learners.novelty import HELD, KNOWN, Novelty, sampled
from igarape.learners.views import ALL
from igarape.serving.bundle import Bundle
from igarape.serving.holdout import Packed
from igarape.serving.manifest import MANIFEST, SCHEMA, Learner, Manifest, Reference, list_files
from igarape.tables import Probabilities

# Bundle and pipeline run the same models on the same pictures; only the grouping into batches differs.
TOLERANCE = 1e-4
NETWORK, NOVELTY = ".onnx", "novelty.npz"

Report = Callable[[int, int], None]
Merge = Callable[[Sequence[Path], Path], None]


def learner_part(folder: Path, manifest: LearnerManifest) -> Learner:
    """Describe a learner for the bundle; its fold models lie in folder, under their numbers."""
    files = fold_models(folder)
    parts = manifest.model_dump(include={"name", "chips", "size", "labels", "tta"})
    return Learner(**parts, files=tuple(str(file) for file in files))


@dataclass(frozen=True)
class Shared:
    """What the bundles of one stream have in common: the ensemble's, the student's, and a teacher's.

    params, dataset: how chips are read and dehazed, and near-infrared is made. rule, alerts: from probabilities to
    labels, and what raises an alert. views: by how many a picture is answered. novelty: what is usual of pictures; None
    where nobody asks for warnings. merge: writes fold models of a network as one, as learners.networks.merging.merge.
    reference: what the chips are like; None where nobody maps scenes.
    """

    params: Params
    dataset: Dataset
    rule: Rule
    alerts: Mapping[str, OperatingPoint]
    views: int
    novelty: Novelty | None
    merge: Merge
    reference: Reference | None = None


def assemble(folder: Path, shared: Shared, *, learners: Sequence[Learner], stacker: Path) -> None:
    """Build a bundle of a data set's learners, as build_bundle does.

    Parameters
    ----------
    folder
        The bundle's.
    shared
        What it has in common with others.
    learners
        Their fold models, as learner_part names them.
    stacker
        The folder that Stacker.save wrote.
    """
    params, dataset = shared.params, shared.dataset
    build_bundle(
        folder,
        dataset=params.dataset,
        size=dataset.size,
        reading=dataset.reading,
        dehaze=params.dehaze.model_dump(),
        nir=params.nir.model_dump(include={"white"}),
        reference=shared.reference,
        learners=learners,
        stacker=stacker,
        rule=shared.rule,
        alerts=shared.alerts,
        views=shared.views,
        novelty=shared.novelty,
        merge=shared.merge,
    )


def build_bundle(
    folder: Path,
    *,
    dataset: str,
    size: int,
    reading: Mapping[str, Any],
    dehaze: Mapping[str, float],
    nir: Mapping[str, int] | None,
    reference: Reference | None = None,
    learners: Sequence[Learner],
    stacker: Path,
    rule: Rule,
    alerts: Mapping[str, OperatingPoint],
    views: int,
    novelty: Novelty | None,
    merge: Merge,
) -> None:
    """Copy the parts into folder, replacing what was there; the folder appears whole or not at all.

    Learners that no answer of the stack depends on are left out.

    Parameters
    ----------
    folder
        The bundle's.
    dataset
        Its name.
    size
        Side of a chip in pixels.
    reading, dehaze, nir
        How pictures become chips, and other views of a chip, as Manifest has them.
    reference
        What the training chips are like; None where nobody maps scenes with the bundle.
    learners
        Their files are paths of their fold models here; in the bundle they are relative to it.
    stacker
        The folder that Stacker.save wrote.
    rule
        Turns probabilities into labels, and knows the vocabulary.
    alerts
        The operating points of the labels that raise an alert.
    views
        By how many of learners.views.COUNTS the learners with tta answer.
    novelty
        What is usual of pictures; None where nobody asks the bundle for warnings.
    merge
        Writes fold models of a network as one: learners.networks.merging.merge.
    """
    left_out = Stacker.load(stacker).idle()
    used = [learner for learner in learners if learner.name not in left_out]
    sees_nir = any(learner.chips == "nir" for learner in used)
    with whole(folder) as unfinished:
        fresh_folder(unfinished)
        content = {
            "schema_version": SCHEMA,
            "dataset": dataset,
            "size": size,
            "reading": dict(reading),
            "vocabulary": vars(rule.vocabulary),
            "dehaze": dict(dehaze),
            "nir": dict(nir) if nir and sees_nir else None,
            "reference": reference and reference.model_dump(),
            "learners": [_copy(learner, unfinished, merge) for learner in used],
            "views": views,
            "left_out": left_out,
            "novelty": NOVELTY if novelty else None,
            "rule": rule.to_json(),
            "alerts": {label: point.model_dump() for label, point in alerts.items()},
        }
        shutil.copytree(stacker, unfinished / "stacker")
        if novelty:
            novelty.save(unfinished / NOVELTY)
        files = {name: file.model_dump() for name, file in list_files(unfinished).items()}
        manifest = validate(Manifest, content | {"files": files}, MANIFEST)
        write_json(manifest.model_dump(mode="json"), unfinished / MANIFEST)
        shutil.rmtree(folder, ignore_errors=True)


def _copy(learner: Learner, bundle: Path, merge: Merge) -> dict[str, Any]:
    """Copy a learner's fold models into the bundle, networks as one, and return its part of the manifest."""
    sources, place = [Path(file) for file in learner.files], f"learners/{learner.name}"
    (bundle / place).mkdir(parents=True)
    if all(source.suffix == NETWORK for source in sources):
        files = [f"{place}/folds{NETWORK}"]
        merge(sources, bundle / files[0])
    else:
        files = [f"{place}/fold-{fold}{source.suffix}" for fold, source in enumerate(sources)]
        for source, target in zip(sources, files, strict=True):
            shutil.copyfile(source, bundle / target)
    return {**learner.model_dump(), "files": files}


def learn_novelty(known: Sequence[str], held: Sequence[str], *, raw: Store, report: Report) -> Novelty:
    """Learn what is usual of pictures.

    Parameters
    ----------
    known, held
        The chips of the folds and of the hold-out; of many, some are looked at.
    raw
        The store of their pictures.
    report
        Called with (chips looked at, of how many).
    """
    known, held = sampled(known, KNOWN), sampled(held, HELD)
    total = len(known) + len(held)

    def looked_at(names: Sequence[str], before: int) -> Iterator[Pixels]:
        for done, name in enumerate(names, start=before + 1):
            yield raw.rgb(name)
            report(done, total)

    return Novelty.fit(looked_at(known, 0), looked_at(held, len(known)))


def check_bundle(
    folder: Path,
    image_ids: Sequence[str],
    *,
    p: Probabilities,
    packed: Packed,
    threads: int,
    report: Report,
) -> None:
    """Refuse a bundle that does not answer as the pipeline did, by all views, on chips from their raw bytes.

    Parameters
    ----------
    folder
        Of the bundle.
    image_ids
        The chips.
    p
        What the pipeline answers, of shape (n, labels).
    packed
        Their pictures.
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
        image, planes = packed.read(image_id, bundle)
        answer = bundle.by_views([image], None if planes is None else [planes], counts=[ALL])[ALL][0]
        gap = float(np.abs(answer - expected).max())
        if gap > TOLERANCE:
            raise InputError(
                f"{folder}: {image_id}: the bundle's probabilities differ by {gap:.6f} from the pipeline's, expected "
                f"at most {TOLERANCE}. Something changed in between; run: dvc repro -f"
            )
        report(done, len(image_ids))
