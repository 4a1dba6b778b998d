"""register: make data/evaluate/bundle, with the scores of reports/metrics.json, the challenger -> data/register/."""

import json

import click

from igarape.config.documents import Origin, RunFacts, Version
from igarape.config.verdict import Metrics
from igarape.scores.answers import TABLE
from igarape.serving.advice import option
from igarape.serving.manifest import read_manifest
from igarape.serving.registration import Registered, description_of, register, tags_of, views_of
from igarape.serving.registry import CHALLENGER, model_name
from igarape.tracking.lineage import RESULT, result
from igarape.tracking.step import step_run
from igarape.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Register the bundle with its hold-out score and its lineage; promote and rollback alone move the champion."""
    manifest = read_manifest(workspace.bundle)
    metrics = Metrics.read(workspace.metrics)
    scores = metrics.holdout
    origin = Origin.read(workspace.folder("evaluate") / "lineage.json")
    if made := result(workspace.root):
        origin = origin.model_copy(update={"dvc": origin.dvc | {RESULT: made}})
    name = model_name(manifest.dataset)
    with step_run("register", workspace=workspace, params={"dataset": manifest.dataset}) as opened:
        found = register(
            workspace.bundle,
            workspace.folder("evaluate") / TABLE,
            name=name,
            tags=tags_of(manifest.dataset, origin, scores) | views_of(manifest, metrics.by_views),
            description=description_of(manifest, scores, origin),
            run_id=opened.id,
        )
        opened.metrics({"holdout_f2": scores.f2})
        opened.tags({"igarape.version": found.version})
        Version(name=name, version=int(found.version), alias=CHALLENGER).write(
            workspace.folder("register") / "version.json"
        )
        RunFacts(run_id=opened.id).write(workspace.run("register"))
    _say(name, found)
    _register_student(workspace, metrics, origin, teacher=f"version {found.version}")


def _register_student(workspace: Workspace, metrics: Metrics, origin: Origin, *, teacher: str) -> None:
    """Register the student, where there is one, beside the ensemble that taught it, in a run of its own."""
    written = workspace.folder("register") / "student.json"
    if metrics.student is None:
        written.unlink(missing_ok=True)
        return
    manifest, own = read_manifest(workspace.student), metrics.student.student
    figures = {each: own[each] for each in ("f2", "map", "f2_low", "f2_high")}
    scores, name = metrics.holdout.model_copy(update=figures), model_name(manifest.dataset, student=True)
    more = {"f2": metrics.student.f2, "map": metrics.student.map}
    tags = {f"against_ensemble_{figure}": json.dumps(bounds) for figure, bounds in more.items()}
    tags |= views_of(manifest, metrics.student.by_views)
    tags |= {"teacher": teacher, "runs.distill": RunFacts.read(workspace.run("distill")).run_id}
    recorded = {"dataset": manifest.dataset, "teacher": teacher}
    with step_run("register", workspace=workspace, params=recorded, learner="student") as opened:
        found = register(
            workspace.student,
            workspace.student_answers,
            name=name,
            tags=tags_of(manifest.dataset, origin, scores) | tags,
            description=f"{description_of(manifest, scores, origin)}\n- distilled from {teacher} of the ensemble",
            run_id=opened.id,
        )
        opened.metrics({"holdout_f2": scores.f2})
        Version(name=name, version=int(found.version), alias=CHALLENGER).write(written)
    _say(name, found)


def _say(name: str, found: Registered) -> None:
    """Say which version there is, and what to type next."""
    known = " (it was there already)" if found.known else ""
    promote = f"igarape promote{option(name)}"
    click.echo(f"{name}: version {found.version}{known} is the {CHALLENGER}. To make it the champion: {promote}")
