"""register: make data/evaluate/bundle, with the scores of reports/metrics.json, the challenger -> data/register/."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pandas as pd

from igarape.files import read_json, write_json
from igarape.serving.bundle import MANIFEST
from igarape.serving.registry import CHALLENGER, model_name, register
from igarape.tracking.step import step_run

BUNDLE = Path("data/evaluate/bundle")
METRICS = Path("reports/metrics.json")
VERSION = Path("data/register/version.json")


def run() -> None:
    """Register the bundle with its hold-out score and its lineage; promote and rollback alone move the champion."""
    manifest = read_json(BUNDLE / MANIFEST)
    scores = read_json(METRICS)["holdout"]
    name = model_name(manifest["dataset"])
    with step_run("register", params={"dataset": manifest["dataset"]}) as opened:
        version = register(
            BUNDLE,
            name=name,
            score=scores["f2"],
            tags=_tags(manifest, scores),
            description=_description(manifest, scores),
            run_id=opened.id,
        )
        opened.metrics({"holdout_f2": scores["f2"]})
        opened.tags({"igarape.version": version})
        content = {"name": name, "version": int(version), "alias": CHALLENGER, "run_id": opened.id}
        write_json(content, VERSION)
    click.echo(f"{name}: version {version} is the {CHALLENGER}. To make it the champion: igarape promote")


def _tags(manifest: Mapping[str, Any], scores: Mapping[str, float]) -> dict[str, str]:
    """Return the version's tags: data set, hold-out scores, and each entry of the lineage by its dotted name."""
    lineage: dict[Any, Any] = pd.json_normalize(manifest["lineage"]).to_dict("records")[0]
    figures = {f"holdout_{figure}": value for figure, value in scores.items()}
    every = {"dataset": manifest["dataset"], **figures, **lineage}
    # MLflow takes no @ in the name of a tag.
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in every.items()}
    return {name.replace("@", "/"): text for name, text in texts.items()}


def _description(manifest: Mapping[str, Any], scores: Mapping[str, float]) -> str:
    """Say in one sentence what the version is."""
    learners = ", ".join(learner["name"] for learner in manifest["learners"])
    return f"Hold-out F2 {scores['f2']:.4f} on {scores['n']} chips of {manifest['dataset']}; learners: {learners}."
