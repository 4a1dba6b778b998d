"""From fold models to a bundle that answers as the pipeline did."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from igarape.chips.pictures import Pixels
from igarape.chips.store import Store
from igarape.config.datasets import Dataset
from igarape.config.documents import LearnerManifest, OperatingPoint
from igarape.config.params import Params
from igarape.config.schema import validate
from igarape.ensemble.decision import Rule
from igarape.ensemble.stacker import Stacker
from igarape.files import atomic_path, fresh_folder, write_json
from igarape.learners.audit import fold_models
from igarape.learners.novelty import HELD, KNOWN, Novelty, sampled
from igarape.progress import Report
from igarape.serving.manifest import MANIFEST, SCHEMA, Learner, Manifest, Reference, list_files

NETWORK, NOVELTY = ".onnx", "novelty.npz"

Merge = Callable[[Sequence[Path], Path], None]


def learner_part(folder: Path, manifest: LearnerManifest) -> Learner:
    """Describe a learner for the bundle; its fold models lie in folder, under their numbers."""
    files = fold_models(folder)
    parts = manifest.model_dump(include={"name", "chips", "size", "labels", "tta"})
    return Learner(**parts, files=tuple(str(file) for file in files))


@dataclass(frozen=True)
class BundleSpec:
    """The settings that the bundles of one stream share: the ensemble's, the student's, and a teacher's.

    dataset, size: the data set's name, and the side of its chips in pixels. reading, dehaze, nir: how pictures become
    chips, and other views of a chip, as Manifest has them. rule, alerts: from probabilities, of the rule's vocabulary,
    to labels, and the operating points of the labels that raise an alert. views: by how many of learners.views.COUNTS
    the learners with tta answer. merge: writes fold models of a network as one, as learners.networks.merging.merge.
    novelty: what is usual of pictures; None where nobody asks for warnings. reference: what the training chips are
    like; None where nobody maps scenes.
    """

    dataset: str
    size: int
    reading: Mapping[str, Any]
    dehaze: Mapping[str, float]
    nir: Mapping[str, int] | None
    rule: Rule
    alerts: Mapping[str, OperatingPoint]
    views: int
    merge: Merge
    novelty: Novelty | None = None
    reference: Reference | None = None

    @classmethod
    def of(
        cls,
        params: Params,
        dataset: Dataset,
        rule: Rule,
        merge: Merge,
        *,
        alerts: Mapping[str, OperatingPoint],
        views: int,
    ) -> "BundleSpec":
        """Make the settings from params.yaml and a data set's YAML, and what else no bundle is without.

        Parameters
        ----------
        params, dataset
            The settings, and the data set.
        rule, merge, alerts, views
            As BundleSpec has them.
        """
        return cls(
            dataset=params.dataset,
            size=dataset.size,
            reading=dataset.reading,
            dehaze=params.dehaze.model_dump(),
            nir=params.nir.model_dump(include={"white"}),
            rule=rule,
            alerts=alerts,
            views=views,
            merge=merge,
        )


def build_bundle(folder: Path, shared: BundleSpec, *, learners: Sequence[Learner], stacker: Path) -> None:
    """Copy the parts into folder, replacing what was there; the folder appears whole or not at all.

    Learners that no answer of the stack depends on are left out.

    Parameters
    ----------
    folder
        The bundle's.
    shared
        What it has in common with others.
    learners
        Their files are paths of their fold models here, as learner_part names them; in the bundle they are relative to
        it.
    stacker
        The folder that Stacker.save wrote.
    """
    left_out = Stacker.load(stacker).idle()
    used = [learner for learner in learners if learner.name not in left_out]
    sees_nir = any(learner.chips == "nir" for learner in used)
    with atomic_path(folder) as unfinished:
        fresh_folder(unfinished)
        content = {
            "schema_version": SCHEMA,
            "dataset": shared.dataset,
            "size": shared.size,
            "reading": dict(shared.reading),
            "vocabulary": vars(shared.rule.vocabulary),
            "dehaze": dict(shared.dehaze),
            "nir": dict(shared.nir) if shared.nir and sees_nir else None,
            "reference": shared.reference and shared.reference.model_dump(),
            "learners": [_copy(learner, unfinished, shared.merge) for learner in used],
            "views": shared.views,
            "quantised": (),
            "left_out": left_out,
            "novelty": NOVELTY if shared.novelty else None,
            "rule": shared.rule.to_json(),
            "alerts": {label: point.model_dump() for label, point in shared.alerts.items()},
        }
        shutil.copytree(stacker, unfinished / "stacker")
        if shared.novelty:
            shared.novelty.save(unfinished / NOVELTY)
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
    """Fit the novelty detector to chips of the folds, with its scale from the hold-out.

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
