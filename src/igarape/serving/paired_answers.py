"""The answers of champion and challenger to the same chips, those of the challenger's hold-out, and what both cost.

A version is registered with a table of its stream's answers. For each chip there are three cases: the champion was
scored on it too, so its answer is in its table; the champion was trained on it, so the chip is left out; or the
champion never saw it, so its bundle predicts it now, from the picture that this project has packed.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import mlflow
import numpy as np
import numpy.typing as npt
import pandas as pd
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from igarape.errors import InputError
from igarape.labels import Booleans
from igarape.progress import Report
from igarape.scores.answers import TABLE, Answers, read_answers
from igarape.serving.advice import REGISTER
from igarape.serving.bundle import BATCH, Bundle, pictures_and_nir
from igarape.serving.gate import Side
from igarape.serving.holdout import PackedChips, megabytes, milliseconds, open_holdout
from igarape.serving.manifest import MANIFEST
from igarape.serving.registration import answers_run
from igarape.tables import HOLDOUT
from igarape.workspace import Workspace


@dataclass(frozen=True)
class PairedAnswers:
    """Both versions' answers to the same chips, and their costs.

    held: these chips, their labels, groups and truth, as the challenger's table has them. rare: the rare ones of the
    labels. notes: caveats for people.
    """

    held: Answers
    rare: tuple[str, ...]
    champion: Side
    challenger: Side
    notes: tuple[str, ...]


def answer_same_chips(
    client: MlflowClient,
    name: str,
    *,
    champion: str,
    challenger: str,
    workspace: Workspace,
    into: Path,
    report: Report,
) -> PairedAnswers:
    """Collect both versions' answers to the challenger's hold-out.

    Parameters
    ----------
    client, name
        Of the registry, and of the model.
    champion, challenger
        The versions' numbers.
    workspace
        The project, which has the pictures.
    into
        A folder to download to.
    report
        Called with (chips done, of how many) while the champion predicts chips that it was not scored on.

    Raises
    ------
    InputError
        When the challenger has no answers, the pictures are not there, the labels differ, or the champion learned from
        all of the hold-out.
    """
    asked = _stored(client, name, challenger, into / "challenger")
    if asked is None:
        raise InputError(
            f"{name}: version {challenger} has no answers to the hold-out on record, so that nothing can be compared. "
            f"To register it with them: {REGISTER}"
        )
    held = asked.holdout
    bundles = {version: _bundle(name, version, into / f"bundle-{version}") for version in (champion, challenger)}
    _check_labels(name, held, bundles[champion][0], (champion, challenger))
    known = _stored(client, name, champion, into / "champion")
    learned, where = _seen(held, known)
    if learned.all():
        raise InputError(
            f"{name}: version {champion} learned from all {len(learned)} hold-out chips of version {challenger}, so "
            "that no chip is fair to both. Deal the chips as they were (seed, split), then: dvc repro"
        )
    pictures = open_holdout(workspace, held, challenger)
    where, held = where[~learned], held.rows(~learned)
    theirs = _answers(bundles[champion][0], held, known, where, pictures, report=report)
    times = milliseconds([bundle for bundle, _ in bundles.values()], pictures, held.image_ids)
    costs = {version: (spent, bundles[version][1]) for version, spent in zip(bundles, times, strict=True)}
    return PairedAnswers(
        held=held,
        rare=bundles[challenger][0].vocabulary.rare,
        champion=Side(theirs.p, theirs.answers, *costs[champion]),
        challenger=Side(held.p, held.answers, *costs[challenger]),
        notes=_notes(champion, challenger, known=known is not None, where=where, left_out=int(learned.sum())),
    )


def _stored(client: MlflowClient, name: str, version: str, into: Path) -> Answers | None:
    """Return the answers that a version was registered with; None for one that is older than that, or lost them."""
    run = answers_run(client, client.get_model_version(name, version).tags)
    if run is None:
        return None
    into.mkdir(parents=True)
    return read_answers(Path(client.download_artifacts(run, TABLE, str(into))))


def _bundle(name: str, version: str, into: Path) -> tuple[Bundle, float]:
    """Fetch and open a version's bundle; return it and its size in MB. What serves it is not run."""
    into.mkdir(parents=True)
    try:
        folder = Path(mlflow.artifacts.download_artifacts(f"models:/{name}/{version}", dst_path=str(into)))
    except (MlflowException, OSError) as error:
        raise InputError(f"{name}: the files of version {version} cannot be read: {error}") from error
    found = sorted(folder.rglob(MANIFEST))
    if not found:
        raise InputError(f"{name}: version {version} is no model of igarape's: it holds no {MANIFEST}")
    place = found[0].parent
    try:
        return Bundle.load(place), megabytes(place)
    except InputError as error:
        raise InputError(f"{name}: version {version} cannot be asked: {error}") from error


def _check_labels(name: str, held: Answers, bundle: Bundle, versions: tuple[str, str]) -> None:
    """Refuse to compare versions that answer other labels."""
    only = sorted(set(held.labels) ^ set(bundle.vocabulary.labels))
    if only:
        raise InputError(
            f"{name}: versions {versions[0]} and {versions[1]} do not answer the same labels: only one of them has "
            f"{', '.join(only)}. Means over labels and chips cannot be compared then"
        )


def _seen(held: Answers, known: Answers | None) -> tuple[Booleans, npt.NDArray[np.intp]]:
    """Say for each chip whether the other version learned from it, and its row there; -1 where it is to be asked.

    What was learned from is told by its pixels: a data set whose chips are called otherwise now is the same one.
    """
    nothing = np.full(len(held.image_ids), -1)
    if known is None:
        return nothing >= 0, nothing
    at = pd.Index(known.image_ids).get_indexer(pd.Index(held.image_ids))
    same = (at >= 0) & (known.pixels[at] == held.pixels)
    learned = np.isin(held.pixels, known.pixels[known.folds != HOLDOUT])
    return learned, np.where(same & ~learned, at, -1)


def _answers(
    bundle: Bundle,
    held: Answers,
    known: Answers | None,
    where: npt.NDArray[np.intp],
    pictures: PackedChips,
    *,
    report: Report,
) -> Answers:
    """Return a version's answers to chips: those that it was registered with, and the others by asking its bundle."""
    labels = bundle.vocabulary.labels
    found = replace(held.arranged(labels), p=np.zeros_like(held.p), answers=np.zeros_like(held.answers))
    if known is not None:
        own, there = known.arranged(labels), where >= 0
        found.p[there], found.answers[there] = own.p[where[there]], own.answers[where[there]]
    rows = np.flatnonzero(where < 0)
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        seen = [pictures.load(bundle, held.image_ids[row]) for row in batch]
        found.p[batch] = bundle.probabilities(*pictures_and_nir(seen))
        found.answers[batch] = bundle.rule.apply(found.p[batch])
        report(min(start + BATCH, len(rows)), len(rows))
    return found.arranged(held.labels)


def _notes(
    champion: str, challenger: str, *, known: bool, where: npt.NDArray[np.intp], left_out: int
) -> tuple[str, ...]:
    """Say how the chips came to be compared."""
    again = int((where < 0).sum())
    said = [f"{len(where):,} hold-out chips of version {challenger}"]
    if again:
        said.append(f"version {champion} was not scored on {again:,} of them: its bundle was asked now")
    if left_out:
        said.append(f"{left_out:,} more are left out: version {champion} learned from them")
    if not known:
        said.append(f"version {champion} has no answers on record: whether it learned from any is not known")
    return tuple(said)
