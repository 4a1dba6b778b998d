"""evaluate: the verdict on the hold-out, and the ensemble as one bundle. All predictions -> data/evaluate, reports."""

import click
import numpy as np

from igarape.chips.store import Store
from igarape.config.datasets import read_dataset
from igarape.config.documents import Origin, RunFacts
from igarape.config.params import read_params, workers
from igarape.config.verdict import Metrics
from igarape.files import fresh_folder, write_text
from igarape.learners.networks.merging import merge
from igarape.progress import progress
from igarape.reports import verdict as report
from igarape.reports.answers import answers_of
from igarape.reports.evidence import Evidence, gather, judge
from igarape.reports.scoreboard import log_scoreboard
from igarape.scores.answers import TABLE
from igarape.serving.assembly import check_bundle, learner_part
from igarape.serving.bundle import build_bundle
from igarape.tables import read_catalog, write_table
from igarape.tracking.lineage import lineage, step_runs
from igarape.tracking.step import Run, step_run
from igarape.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Build the bundle, check that it answers as the pipeline did, score the hold-out for the first time, report."""
    params = read_params(workspace.params)
    dataset = read_dataset(params.dataset, workspace.datasets)
    evidence = gather(workspace, params, dataset.labels.vocabulary())
    recorded = {"seed": params.seed, "dataset": params.dataset, "evaluate": params.evaluate.model_dump()}
    with step_run("evaluate", workspace=workspace, params=recorded) as opened:
        fresh_folder(workspace.folder("evaluate"))  # not before MLflow has answered
        found = lineage(workspace.root)
        runs = step_runs(workspace, params.experiments) | {"evaluate": opened.id}
        build_bundle(
            workspace.bundle,
            dataset=params.dataset,
            size=dataset.size,
            reading=dataset.reading,
            dehaze=params.dehaze.model_dump(),
            nir=params.nir.model_dump(include={"white"}),
            learners=[
                learner_part(workspace.folder("train", name), manifest) for name, manifest in evidence.manifests.items()
            ],
            stacker=workspace.folder("stack") / "stacker",
            rule=evidence.rule,
            alerts=evidence.decision.alerts,
            merge=merge,
        )
        origin = Origin(git_commit=found.commit, uncommitted_changes=found.dirty, dvc=dict(found.data), runs=runs)
        origin.write(workspace.folder("evaluate") / "lineage.json")
        RunFacts(run_id=opened.id).write(workspace.run("evaluate"))
        _check(workspace, evidence, count=params.evaluate.check)
        write_table(answers_of(evidence, workspace, params.dataset).table(), workspace.folder("evaluate") / TABLE)
        verdict = judge(workspace, evidence, params, dataset, origin)
        Metrics(**verdict.metrics).write(workspace.metrics)
        write_text(verdict.per_label.to_csv(index=False), workspace.reports / "per_label.csv")
        write_text(verdict.noise.table.to_csv(index=False), workspace.doubts)
        write_text(report.render_report(verdict), workspace.reports / "report.html")
        _log(workspace, opened, verdict, evidence)
    click.echo(report.summary(verdict.metrics))
    click.echo(f"evaluate: label by label: {workspace.reports / 'report.html'}; labels to look at: {workspace.doubts}")


def _check(workspace: Workspace, evidence: Evidence, *, count: int) -> None:
    """Check that the bundle answers as the pipeline did, on up to count hold-out chips."""
    labels = evidence.rule.vocabulary.labels
    stores = {
        kind: Store(workspace.chips(kind), read_catalog(workspace.catalog(kind), labels)) for kind in ("raw", "nir")
    }
    rows = np.flatnonzero(~evidence.inside)[:count]
    with progress("evaluate: checking the bundle", "chip") as advance:
        chips = [evidence.image_ids[row] for row in rows]
        check_bundle(workspace.bundle, chips, p=evidence.p[rows], **stores, threads=workers(), report=advance)


def _log(workspace: Workspace, opened: Run, verdict: report.Verdict, evidence: Evidence) -> None:
    """Log the verdict's figures and files, and each learner and each stack as a nested run beside the others."""
    known = {f"{rows}_{name}": value for rows in ("holdout", "oof") for name, value in verdict.metrics[rows].items()}
    labels = {"doubted_labels": len(verdict.noise.table), "corrected_labels": verdict.noise.corrected}
    opened.metrics(known | labels | {"left_out": verdict.left_out, "reported_faults": verdict.reported})
    reports = [workspace.reports / name for name in ("metrics.json", "per_label.csv", "doubts.csv", "report.html")]
    for path in (*reports, workspace.folder("evaluate") / TABLE):
        opened.artifact(path)
    log_scoreboard(evidence, opened)
