"""register: make data/evaluate/bundle, with the scores of reports/metrics.json, the challenger -> data/register/."""

import json
from collections.abc import Mapping
from typing import Any

import click
import pandas as pd

from igarape.config.documents import HoldOut, Origin, RunFacts, Version
from igarape.config.verdict import Metrics
from igarape.files import read_json
from igarape.scores.answers import TABLE
from igarape.serving.manifest import MANIFEST
from igarape.serving.registration import register
from igarape.serving.registry import CHALLENGER, model_name
from igarape.tracking.step import step_run
from igarape.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Register the bundle with its hold-out score and its lineage; promote and rollback alone move the champion."""
    manifest = read_json(workspace.bundle / MANIFEST)
    scores = Metrics.read(workspace.metrics).holdout
    origin = Origin.read(workspace.folder("evaluate") / "lineage.json")
    name = model_name(manifest["dataset"])
    with step_run("register", workspace=workspace, params={"dataset": manifest["dataset"]}) as opened:
        found = register(
            workspace.bundle,
            workspace.folder("evaluate") / TABLE,
            name=name,
            tags=_tags(manifest["dataset"], origin, scores),
            description=_description(manifest, scores, origin),
            run_id=opened.id,
        )
        opened.metrics({"holdout_f2": scores.f2})
        opened.tags({"igarape.version": found.version})
        Version(name=name, version=int(found.version), alias=CHALLENGER).write(
            workspace.folder("register") / "version.json"
        )
        RunFacts(run_id=opened.id).write(workspace.run("register"))
    known = " (it was there already)" if found.known else ""
    click.echo(f"{name}: version {found.version}{known} is the {CHALLENGER}. To make it the champion: igarape promote")


def _tags(dataset: str, origin: Origin, scores: HoldOut) -> dict[str, str]:
    """Return the version's tags: data set, hold-out scores, and each entry of the lineage by its dotted name."""
    lineage: dict[Any, Any] = pd.json_normalize(origin.model_dump()).to_dict("records")[0]
    figures = {f"holdout_{figure}": value for figure, value in scores}
    every = {"dataset": dataset, **figures, **lineage}
    # MLflow takes no @ in the name of a tag.
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in every.items()}
    return {name.replace("@", "/"): text for name, text in texts.items()}


def _description(manifest: Mapping[str, Any], scores: HoldOut, origin: Origin) -> str:
    """Say in Markdown what the version is, and where it came from."""
    changed = ", with changes that were not committed" if origin.uncommitted_changes else ""
    f2 = f"{scores.f2:.4f} [{scores.f2_low:.4f}, {scores.f2_high:.4f}]"
    return "\n".join(
        [
            f"Hold-out F2 {f2}, macro AP {scores.map:.4f}, on {scores.n} chips of {manifest['dataset']}.",
            "",
            f"- learners: {', '.join(learner['name'] for learner in manifest['learners'])}",
            f"- left out, as no answer depends on them: {', '.join(manifest['left_out']) or 'none'}",
            f"- commit: `{origin.git_commit or 'none'}`{changed}",
            *(f"- run of {step}: `{run}`" for step, run in origin.runs.items()),
        ]
    )
