"""The submission: the competition's file of all unlabelled chips, answered in batches that outlive a killed run."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from igarape.chips.store import Store
from igarape.code import code_hash
from igarape.errors import InputError, counted, some
from igarape.files import digest
from igarape.progress import Report
from igarape.serving.batches import Answerers, refuse, tag_batches
from igarape.serving.bundle import BATCH, Bundle
from igarape.serving.competition import COLUMNS, check_names, in_order, read_names, sorted_out
from igarape.serving.holdout import PackedChips
from igarape.serving.tagging import check_out
from igarape.tables import read_catalog
from igarape.workspace import Workspace


@dataclass(frozen=True)
class Chips(PackedChips):
    """What is tagged: packed chips, and their names in the order of the rows."""

    names: Sequence[str]

    def only(self, names: Sequence[str]) -> "Chips":
        """Return some of the chips."""
        return Chips(self.raw.only(names), self.nir and self.nir.only(names), names)

    def bytes(self) -> Iterator[bytes | str]:
        """Yield all that is known of each chip: its name, its picture, its near-infrared."""
        for name in self.names:
            yield name
            yield self.raw.bytes(name)
            if self.nir is not None:
                yield self.nir.bytes(name)


def open_chips(workspace: Workspace, dataset: str, labels: Sequence[str], *, sample: Path | None) -> Chips:
    """Find the pictures of the unlabelled chips of a data set.

    Parameters
    ----------
    workspace
        Where they are packed.
    dataset, labels
        The data set's name and its labels.
    sample
        The competition's sample file, in whose order they come; None: as competition.in_order has them.

    Raises
    ------
    InputError
        When there are none, or they are not those of the sample.
    """
    catalog = read_catalog(workspace.catalog(), labels)
    names = unlabelled(catalog, dataset)
    if sample is not None:
        wanted = read_names(sample)
        check_names(wanted, names, sample=sample)
        names = wanted
    return Chips(Store(workspace.chips("raw"), catalog), None, names)


def wanted(workspace: Workspace, dataset: str, labels: Sequence[str], sample: Path | None) -> list[str]:
    """Return the names that a submission has to have: a sample file's, else those of the unlabelled chips.

    Parameters
    ----------
    workspace, dataset, labels
        As open_chips has them.
    sample
        The competition's sample file, if there is one.
    """
    return unlabelled(read_catalog(workspace.catalog(), labels), dataset) if sample is None else read_names(sample)


def seen_by(bundle: Bundle, chips: Chips, workspace: Workspace, dataset: str, labels: Sequence[str]) -> Chips:
    """Return chips as a bundle sees them, with their near-infrared where it needs that.

    Parameters
    ----------
    bundle
        What answers.
    chips
        Of open_chips.
    workspace, dataset, labels
        As open_chips has them.

    Raises
    ------
    InputError
        For a model of another data set, labels that the competition's blanks would take apart, and a chip without
        near-infrared.
    """
    _check_labels(bundle, labels, dataset)
    if not bundle.needs_nir:
        return chips
    planes = read_catalog(workspace.catalog("nir"), labels)
    if lost := sorted_out(chips.names, planes["image_id"])[0]:
        raise InputError(
            f"the model sees near-infrared, and {len(lost)} of {len(chips.names)} unlabelled chips have no TIF: "
            f"{some(lost)}. Put them where source.nir in the data set's YAML looks, raise its source.version (1 where "
            "there is none), then: dvc repro"
        )
    return replace(chips, nir=Store(workspace.chips("nir"), planes))


def unlabelled(catalog: pd.DataFrame, dataset: str) -> list[str]:
    """Return the names of a catalog's chips without labels, by their numbers.

    Raises InputError where the data set has none.
    """
    names = in_order(catalog.loc[catalog["split"] == "test", "image_id"])
    if not names:
        raise InputError(
            f"data set {dataset}: has no unlabelled chips to tag. Name their folders or archives in "
            f"datasets/{dataset}.yaml, under source.unlabelled; then: dvc repro ingest"
        )
    return names


def _check_labels(bundle: Bundle, labels: Sequence[str], dataset: str) -> None:
    """Refuse a model of another data set, and labels that the competition's blanks would take apart."""
    if bundle.vocabulary.labels != tuple(labels):
        learned = bundle.manifest.dataset
        way_out = f"igarape use {learned}" if learned != dataset else "dvc repro, and igarape promote"
        raise InputError(
            f"the model answers with the labels of data set {learned}, as they were when it was trained, which are "
            f"others than those of {dataset}. Name a model of {dataset} by --model, or: {way_out}"
        )
    if torn := [label for label in labels if " " in label]:
        raise InputError(f"{some(torn)}: the competition separates tags by blanks, and such a label holds one")


def check_copy(out: Path, sample: Path | None, *, folder: Path) -> None:
    """Raise InputError where the CSV would take the place of a folder, a device or the sample file.

    And where it would lie in folder, which is made anew when all is answered.
    """
    check_out(out, [])
    if out.resolve().is_relative_to(folder.resolve()):
        raise InputError(
            f"--out {out}: {folder} is made anew, with submission.csv in it, and a copy there would be lost. Name a "
            "file elsewhere, or leave --out out"
        )
    if sample is not None and out.exists() and sample.exists() and out.samefile(sample):
        raise InputError(
            f"--out {out}: is the sample file, and would be lost. Name another file, such as submission.csv"
        )


def answers_key(chips: Chips, model: str) -> str:
    """Return a hash of all that the answers depend on: the model, by what tells it from others; the code; the chips."""
    return digest(itertools.chain((model, code_hash(__name__)), chips.bytes()))


def left_over(folder: Path, key: str) -> list[str]:
    """Say what killed runs have left: batches of this key, which are gone on with, and those of another, which are not.

    folder: what files.resumable is given; it keeps what is unfinished beside it, and drops that of another key.
    """
    unfinished = folder.parent / ".unfinished" / folder.name
    batches = len(list((unfinished / key / "notes").glob("[0-9]*.csv")))
    kept = f"{counted(batches, 'batch', 'batches')} of {BATCH} chips"
    said = [f"goes on with what a run before has left: {kept}"] if batches else []
    if any(path.name != key for path in unfinished.glob("*")):
        said.append("begins anew: what a run before has left is of another model, other chips or another order")
    return said


def write_submission(
    path: Path,
    chips: Chips,
    *,
    bundle: Bundle,
    parts: Path,
    report: Report,
    answerers: Answerers | None = None,
) -> None:
    """Answer for chips in batches, and join the answers to the competition's file.

    Parameters
    ----------
    path
        The file, which takes its name when it is whole.
    chips
        What is answered for.
    bundle
        What answers.
    parts
        The folder of finished batches, as tag_batches has it.
    report
        Called with (chips done, of how many).
    answerers
        None: this process.

    Raises
    ------
    InputError
        For a chip that cannot be read, or has another size than the bundle takes; and when the disk is full.
    """
    how: dict[str, Any] = {"bundle": bundle, "columns": COLUMNS, "parts": parts, "answerers": answerers}
    # The competition wants a row for each chip.
    tag_batches(chips.names, chips, path, complain=refuse, report=report, **how)
