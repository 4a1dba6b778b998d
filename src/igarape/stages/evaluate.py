"""evaluate: the verdict on the hold-out, and the ensemble as one bundle. All predictions -> data/evaluate, reports."""

from dataclasses import replace
from pathlib import Path

import click

from igarape.config.datasets import read_dataset
from igarape.config.documents import RunFacts
from igarape.config.params import Params, read_params, workers
from igarape.files import fresh_folder
from igarape.learners.networks.merging import merge
from igarape.learners.networks.quantisation import quantise
from igarape.learners.views import INTEGER
from igarape.progress import progress
from igarape.reports import modes, student
from igarape.reports import verdict as report
from igarape.reports.evaluation import build_verdict, with_comparisons
from igarape.reports.results import Results, read_results
from igarape.reports.scoreboard import log_verdict
from igarape.serving.assembly import BundleSpec, build_bundle, learn_novelty, learner_part
from igarape.serving.bundle import Bundle
from igarape.serving.bundle_check import BundleAnswers, check_bundle, predict_by_mode
from igarape.serving.holdout import PackedChips
from igarape.serving.precision import quantised
from igarape.serving.reference import learn_reference
from igarape.serving.student import build_student, measure
from igarape.tables import Probabilities
from igarape.tracking.lineage import lineage, step_runs
from igarape.tracking.step import step_run
from igarape.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Build the bundle, check that it answers as the pipeline did, score the hold-out for the first time, report."""
    params = read_params(workspace.params)
    dataset = read_dataset(params.dataset, workspace.datasets)
    results = read_results(workspace, params, dataset.labels.vocabulary())
    recorded = params.model_dump(include={"seed", "dataset", "evaluate", "serve"})
    with step_run("evaluate", workspace=workspace, params=recorded) as opened:
        origin = lineage(workspace.root).origin(step_runs(workspace, params.experiments) | {"evaluate": opened.id})
        origin.write(fresh_folder(workspace.folder("evaluate")) / "lineage.json")  # not before MLflow has answered
        learners = [learner_part(workspace.folder("train", name), one) for name, one in results.manifests.items()]
        packed = PackedChips.of(workspace, dataset.labels.vocabulary().labels)
        with progress("evaluate: what is usual of pictures", "chip") as advance:
            novelty = learn_novelty(results.known, results.held, raw=packed.raw, report=advance)
        out, alerts, views = ~results.inside, results.decision.alerts, params.serve.views
        reference = learn_reference(workspace, dataset, results.image_ids, p=results.p, held=out, raw=packed.raw)
        shared = BundleSpec.of(params, dataset, results.rule, merge, alerts=alerts, views=views)
        shared = replace(shared, novelty=novelty, reference=reference)
        build_bundle(workspace.bundle, shared, learners=learners, stacker=workspace.folder("stack") / "stacker")
        RunFacts(run_id=opened.id).write(workspace.run("evaluate"))
        ensemble, asked = _ask(workspace.bundle, results, results.p[out], params, packed)
        by_mode = modes.compare_modes(results.y[out], asked, results.rule, results.draws(out, params))
        results = modes.served_results(results, asked)
        compared = _student(workspace, results, params, shared, chips=packed, teacher=ensemble)
        student.write_answers(workspace, results, params.dataset, compared)
        verdict = build_verdict(workspace, results, params, dataset, origin, picture=packed.raw.rgb)
        verdict = with_comparisons(verdict, modes=by_mode, student=compared)
        report.write_report(verdict, workspace)
        log_verdict(workspace, opened, verdict, results)
    click.echo(
        "\n".join([report.summary(verdict.metrics), *modes.mode_lines(by_mode), *student.student_lines(compared)])
    )
    click.echo(f"evaluate: label by label: {workspace.reports / 'report.html'}; labels to look at: {workspace.review}")


def _student(
    workspace: Workspace, results: Results, params: Params, shared: BundleSpec, *, chips: PackedChips, teacher: Bundle
) -> student.StudentComparison | None:
    """Build and check the student's bundle, and compare it with the ensemble's; nothing where there is no student."""
    if (predictions := student.read_student_predictions(workspace, results)) is None:
        return None
    build_student(workspace, shared, predictions.manifest)
    bundle, asked = _ask(workspace.student, results, predictions.p, params, chips)
    costs = measure([teacher, bundle], results.held, packed=chips)
    return student.compare_student(predictions._replace(asked=asked), results, params, *costs)


def _ask(folder: Path, results: Results, p: Probabilities, params: Params, packed: PackedChips) -> BundleAnswers:
    """Check that a bundle answers p, as the pipeline did, on some hold-out chips; bring it to its precision; ask it."""
    bundle = served = Bundle.load(folder, threads=workers())
    with progress("evaluate: checking the bundle", "chip") as advance:
        count = params.evaluate.check
        check_bundle(bundle, results.held[:count], p=p[:count], packed=packed, report=advance)
    if params.serve.precision == INTEGER:
        with progress("evaluate: 8-bit integers", "network") as advance:
            served = quantised(bundle, results.known, quantise, packed=packed, threads=workers(), report=advance)
    with progress("evaluate: asking by fewer views", "chip") as advance:
        return served, predict_by_mode(served, bundle, results.held, p=p, packed=packed, report=advance)
