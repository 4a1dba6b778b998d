"""From a bundle to a version of the registered model: once, however often it is tried."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from igarape.code import code_hash
from igarape.config.documents import HoldOut, Origin, Scores
from igarape.files import digest
from igarape.learners.views import FLOAT, INTEGER
from igarape.scores.answers import TABLE, read_answers
from igarape.serving.closure import modules, requirements
from igarape.serving.manifest import Manifest, read_manifest
from igarape.serving.model import log_model
from igarape.serving.registry import CHALLENGER, FILES, client_of
from igarape.serving.registry_lock import registry_lock

# Tags of a version, besides FILES: what it is made of; which hold-out it was scored on; the run that has its answers.
BUNDLE, HOLDOUT, ANSWERS = "bundle_digest", "holdout_digest", "answers_run"
PAUSES = (1.0, 4.0)  # seconds before another try
# What begins the second part of a version's description; the first says where it came from.
VERDICT = "\n\n## Last verdict\n\n"


@dataclass(frozen=True)
class Registered:
    """A version, and whether it was there before."""

    version: str
    known: bool


def register(
    bundle: Path, answers: Path, *, name: str, tags: Mapping[str, str], description: str, run_id: str
) -> Registered:
    """Log the bundle to a run and register it as the challenger, unless there is a version of it.

    A version is known by what it is made of. So what a try before this one has left, a model that was logged or a
    version without its alias, is completed, and no bundle has two versions. What fails is tried again after PAUSES.

    Parameters
    ----------
    bundle
        Its folder.
    answers
        The answers table of the stream, which is logged beside the model, so that a later version can be compared with
        this one. What serves it does not load that.
    name
        Of the registered model.
    tags, description
        Show in MLflow's UI where the version came from; the description is Markdown. A version that is there gets them.
    run_id
        The run.

    Raises
    ------
    InputError
        When MLflow does not take it.
    """
    held = read_answers(answers).holdout.digest()
    every = {**tags, BUNDLE: model_digest(bundle), FILES: read_manifest(bundle).digest, HOLDOUT: held}
    with client_of(name) as client:
        for pause in (*PAUSES, None):
            try:
                return _once(client, bundle, answers, name=name, tags=every, description=description, run_id=run_id)
            except (MlflowException, OSError):
                if pause is None:
                    raise
                time.sleep(pause)
    raise AssertionError  # the last try returns or raises


def model_digest(bundle: Path) -> str:
    """Return a hash of what a version is made of: the bundle's files, the code that answers, and its requirements."""
    files = sorted(path for path in bundle.rglob("*") if path.is_file())
    parts = [part for path in files for part in (path.relative_to(bundle).as_posix(), path)]
    return digest([*parts, code_hash(*modules()), *requirements()])


def answers_run(client: MlflowClient, tags: Mapping[str, str]) -> str | None:
    """Return the run that has a version's answers, by the version's tags.

    None where they name none, and where it or its table is gone, as `mlflow gc` removes what was deleted.
    """
    if (run := tags.get(ANSWERS)) is None:
        return None
    try:
        return run if TABLE in {file.path for file in client.list_artifacts(run)} else None
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None


def described(before: str, *, origin: str | None = None, verdict: str | None = None) -> str:
    """Return a version's description, Markdown, with a new origin or a new last verdict in place of its own."""
    first, _, second = before.partition(VERDICT)
    first, second = first if origin is None else origin, second if verdict is None else verdict
    return f"{first}{VERDICT}{second}" if second else first


def _once(
    client: MlflowClient,
    bundle: Path,
    answers: Path,
    *,
    name: str,
    tags: Mapping[str, str],
    description: str,
    run_id: str,
) -> Registered:
    """Do all that is not done yet, the alias last."""
    made_of = tags[BUNDLE]
    version = _version(client, name, made_of)
    known = version is not None
    if version is None:
        uri = _logged(client, made_of, run_id) or _log(client, bundle, tags, run_id)
        with registry_lock(name, client, mlflow.get_registry_uri()):
            version = _version(client, name, made_of)  # another process may have come first
            known = version is not None
            if version is None:
                version = str(mlflow.register_model(uri, name, tags={BUNDLE: made_of}).version)
    _complete(client, answers, name=name, version=version, tags=tags, description=description, run_id=run_id)
    client.set_registered_model_alias(name, CHALLENGER, version)
    return Registered(version, known)


def _version(client: MlflowClient, name: str, made_of: str) -> str | None:
    """Return the version that is made of the same, the newest one where older code has made two."""
    found = client.search_model_versions(f"name = '{name}' and tags.{BUNDLE} = '{made_of}'")
    return str(max(int(each.version) for each in found)) if found else None


def _logged(client: MlflowClient, made_of: str, run_id: str) -> str | None:
    """Return the address of a model that was logged whole, beside the run, but did not become a version."""
    experiment = client.get_run(run_id).info.experiment_id
    found = client.search_logged_models([experiment], f"tags.{BUNDLE} = '{made_of}'", max_results=1)
    return str(found[0].model_uri) if found else None


def _log(client: MlflowClient, bundle: Path, tags: Mapping[str, str], run_id: str) -> str:
    """Log the model with its tags; it is marked when all its files are there."""
    logged = log_model(bundle, run_id=run_id, told=tags)
    client.set_logged_model_tags(logged.model_id, {BUNDLE: tags[BUNDLE]})
    return str(logged.model_uri)


def _complete(
    client: MlflowClient,
    answers: Path,
    *,
    name: str,
    version: str,
    tags: Mapping[str, str],
    description: str,
    run_id: str,
) -> None:
    """Give a version its answers, tags and description; those that it has and that are the same stay."""
    found = client.get_model_version(name, version)
    before = found.tags
    if answers_run(client, before) is None or before.get(HOLDOUT) != tags[HOLDOUT]:
        client.log_artifact(run_id, str(answers))
        tags = {ANSWERS: run_id, **tags}  # in this order: what is killed in between is seen to be unfinished
    for key, value in tags.items():
        if before.get(key) != value:
            client.set_model_version_tag(name, version, key, value)
    client.update_model_version(name, version, described(found.description or "", origin=description))


def tags_of(dataset: str, origin: Origin, scores: HoldOut) -> dict[str, str]:
    """Return the version's tags: data set, hold-out scores, and each entry of the lineage by its dotted name."""
    lineage: dict[Any, Any] = pd.json_normalize(origin.model_dump()).to_dict("records")[0]
    figures = {f"holdout_{figure}": value for figure, value in scores}
    every = {"dataset": dataset, **figures, **lineage}
    # MLflow takes no @ in the name of a tag.
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in every.items()}
    return {name.replace("@", "/"): text for name, text in texts.items()}


def views_of(manifest: Manifest, by_views: Mapping[str, Mapping[str, Scores]]) -> dict[str, str]:
    """Return the version's tags of its mode, and of what each mode has more than the pipeline, with 95 % intervals.

    by_views: as metrics.json has it.
    """
    costs = {
        f"views.{mode}.{figure}": json.dumps(told[figure])
        for mode, told in by_views.items()
        for figure in ("f2", "map")
        if figure in told
    }
    precision = INTEGER if manifest.quantised else FLOAT
    return {"views": str(manifest.views), "precision": precision, **costs}


def description_of(manifest: Manifest, scores: HoldOut, origin: Origin) -> str:
    """Say in Markdown what the version is, and where it came from; MLflow's pages know a run by #/runs/ID."""
    changed = ", with changes that were not committed" if origin.uncommitted_changes else ""
    f2 = f"{scores.f2:.4f} [{scores.f2_low:.4f}, {scores.f2_high:.4f}]"
    facts = {
        "learners": ", ".join(learner.name for learner in manifest.learners),
        "in 8-bit integers": ", ".join(manifest.quantised),
        "left out, as no answer depends on them": ", ".join(manifest.left_out),
        "commit": f"`{origin.git_commit or 'none'}`{changed}",
        "data, by DVC's hashes": ", ".join(f"{place} `{known}`" for place, known in origin.dvc.items()),
        "runs": ", ".join(f"[{step}](#/runs/{run})" for step, run in origin.runs.items()),
    }
    return "\n".join(
        [
            f"Hold-out F2 {f2}, mAP {scores.map:.4f}, on {scores.n} chips of {manifest.dataset}.",
            "",
            *(f"- {what}: {fact}" for what, fact in facts.items() if fact),
        ]
    )
