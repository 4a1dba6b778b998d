"""Where a version comes from, by what the registry, the runs that led to it and its own files say.

What is not on record is None: of a version that an older igarape registered, or of runs that somebody has deleted.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mlflow
import yaml
from mlflow import MlflowClient

from igarape.errors import InputError, concealed
from igarape.serving.history import COMMIT, HEAD, ROLLED, read
from igarape.serving.manifest import check_files, read_manifest
from igarape.serving.registration import BUNDLE, model_digest
from igarape.serving.registry import (
    CHAMPION,
    FILES,
    aliases_of,
    another_manifest,
    client_of,
    one_of,
    unpack,
    version_of,
    versions_of,
)
from igarape.serving.version_tags import figures_of
from igarape.tracking.exporter import known_run

CROWNED = ("promoted", "forced", ROLLED, "became champion")  # the outcomes that make a version the champion
DVC, RUNS = "dvc.", "runs."  # what begins the tags of a version that name results by DVC's hashes, and runs
PYTHON, REQUIREMENTS = "python_env.yaml", "requirements.txt"  # which MLflow keeps beside a model

Tags = Mapping[str, str]


@dataclass(frozen=True)
class Learner:
    """A learner of the stack: its runs, its settings, its F2 out of fold.

    answers: whether it is in the bundle; None where that is not known, or where a student answers in its place.
    """

    name: str
    search_run: str | None
    train_run: str | None
    oof_f2: float | None
    settings: Tags
    answers: bool | None


@dataclass(frozen=True)
class Files:
    """What a version's files are.

    digest: of bundle.json, by which maps name a bundle. count: of the files that it lists. fault: why they are not what
    was registered; None where nothing is wrong. proved: whether what was registered is on record, so that fault says
    it; else only bundle.json was there to compare with. rule: that of the bundle. python, requirements: what they need.
    """

    digest: str | None
    count: int | None
    fault: str | None
    proved: bool
    learners: tuple[str, ...] | None
    rule: str | None
    python: str | None
    requirements: tuple[str, ...]


@dataclass(frozen=True)
class Provenance:
    """Where a version comes from; times are UTC.

    crowned: how it became the champion, newest first, by the columns of history. uncommitted: whether something beside
    the commit was changed. repro: the dvc repro that made it. data: DVC's hashes by paths. corrected: how many labels
    were. stack: which was chosen. teacher: of a student. runs: those that are no learner's, by their steps.
    """

    name: str
    version: str
    aliases: tuple[str, ...]
    mlflow: str
    registered: str
    registered_by: str | None
    crowned: tuple[Tags, ...]
    commit: str | None
    uncommitted: bool | None
    repro: str | None
    dataset: str | None
    seed: str | None
    data: Tags
    corrected: int | None
    learners: tuple[Learner, ...]
    stack: str | None
    teacher: str | None
    runs: Tags
    figures: Mapping[str, float]
    files: Files


def provenance(name: str, version: str | None, folder: Path) -> Provenance:
    """Ask the registry and MLflow where a version comes from, and look at its files.

    Parameters
    ----------
    name
        Of the registered model.
    version
        Its number; None: the champion's.
    folder
        Of the project.

    Raises
    ------
    InputError
        When there is no such version, or MLflow does not answer.
    """
    number = version or version_of(name, CHAMPION, folder)
    holders = aliases_of(name, folder)
    with client_of(name, folder) as client:
        if number not in (known := versions_of(client, name)):
            raise InputError(f"{name}: no version {number}{one_of(known, name, folder)}")
        found = client.get_model_version(name, number)
        tags, runs = found.tags, _part(found.tags, RUNS)
        files = _files(f"models:/{name}/{number}", tags, folder)
        registered, evaluated, stacked = (
            known_run(client, run) if run else None for run in (found.run_id, runs.get("evaluate"), runs.get("stack"))
        )
        rows = [dict(zip(HEAD, row, strict=True)) for row in read(name, holders.get(CHAMPION))]
        corrected = evaluated.data.metrics.get("corrected_labels") if evaluated else None
        return Provenance(
            name=name,
            version=number,
            aliases=tuple(sorted(alias for alias, holder in holders.items() if holder == number)),
            mlflow=concealed(mlflow.get_registry_uri()),
            registered=f"{datetime.fromtimestamp(found.creation_timestamp / 1000, UTC):%Y-%m-%d %H:%M}",
            registered_by=registered.data.tags.get("mlflow.user") if registered else None,
            crowned=tuple(row for row in rows if row["version"] == number and row["outcome"] in CROWNED),
            commit=tags.get(COMMIT) or None,
            uncommitted={"true": True, "false": False}.get(tags.get("uncommitted_changes", "")),
            repro=evaluated.data.tags.get("igarape.repro") if evaluated else None,
            dataset=tags.get("dataset"),
            seed=evaluated.data.params.get("seed") if evaluated else None,
            data=_part(tags, DVC),
            corrected=None if corrected is None else int(corrected),
            learners=tuple(_learner(client, each, runs, files) for each in _names(runs)),
            stack=stacked.data.tags.get("igarape.chosen") if stacked else None,
            teacher=tags.get("teacher"),
            runs={step: run for step, run in (*runs.items(), ("register", found.run_id)) if run and "/" not in step},
            figures={key.removeprefix("holdout_"): value for key, value in figures_of(tags).items()},
            files=files,
        )


def _part(tags: Tags, beginning: str) -> dict[str, str]:
    """Return the tags that begin so, without the beginning."""
    return {key.removeprefix(beginning): value for key, value in tags.items() if key.startswith(beginning)}


def _names(runs: Tags) -> list[str]:
    """Return the learners whose trainings led to a version, by the names of the runs: train/NAME."""
    return sorted(step.partition("/")[2] for step in runs if step.startswith("train/"))


def _learner(client: MlflowClient, name: str, runs: Tags, files: Files) -> Learner:
    """Tell of a learner by its run of train, whose parameters begin with its name."""
    trained = known_run(client, runs[f"train/{name}"])
    return Learner(
        name,
        search_run=runs.get(f"search/{name}"),
        train_run=runs[f"train/{name}"],
        oof_f2=trained.data.metrics.get("oof_f2") if trained else None,
        settings=_part(trained.data.params, f"{name}.") if trained else {},
        answers=None if files.learners is None or "distill" in runs else name in files.learners,
    )


def _files(uri: str, tags: Tags, folder: Path) -> Files:
    """Fetch a version's files, and hold them against bundle.json, and that against what was registered."""
    nothing: dict[str, Any] = dict.fromkeys(("digest", "count", "learners", "rule", "python"))
    with tempfile.TemporaryDirectory() as into:
        try:
            bundle = unpack(uri, Path(into), folder)
            needs = _needs(Path(into))
            manifest = read_manifest(bundle)
        except InputError as error:
            return Files(**nothing, fault=str(error).replace(into, uri), proved=False, requirements=())
        try:
            check_files(bundle, manifest.files)
            fault = None
        except InputError as error:
            fault = str(error).removeprefix(f"{bundle}: ")
        # Before FILES was on record, a version was known by its files together with the code that answers.
        proved = FILES in tags or tags.get(BUNDLE) == model_digest(bundle)
    fault = fault or another_manifest(tags, manifest)
    names, rule = tuple(each.name for each in manifest.learners), f"{manifest.rule.name}, beta {manifest.rule.beta:g}"
    return Files(manifest.digest, len(manifest.files), fault, proved, names, rule, *needs)


def _needs(model: Path) -> tuple[str | None, tuple[str, ...]]:
    """Return the version of Python and the packages that a model's folder names; what is missing is left out."""
    python, packages = model / PYTHON, model / REQUIREMENTS
    known = yaml.safe_load(python.read_text(encoding="utf-8")).get("python") if python.is_file() else None
    lines = packages.read_text(encoding="utf-8").splitlines() if packages.is_file() else []
    return known, tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))
