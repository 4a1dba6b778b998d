"""evaluate: the verdict on the hold-out, and the ensemble as one bundle. All predictions -> data/evaluate, reports."""

from dataclasses import replace

import click

from igarape.config.datasets import read_dataset
from igarape.config.documents import Origin, RunFacts
from igarape.config.params import Params, read_params, workers
from igarape.files import fresh_folder
from igarape.learners.networks.merging import merge
from igarape.learners.views import ByViews
from igarape.progress import progress
from igarape.reports import verdict as report
from igarape.reports.evidence import Evidence, gather
from igarape.reports.imitation import Standing, compare_student, in_words, read_pupil, with_student, write_answers
from igarape.reports.judgement import judge
from igarape.reports.scoreboard import log_verdict
from igarape.reports.viewing import compare_views, served_evidence, with_views
from igarape.reports.viewing import in_words as viewing_in_words
from igarape.serving.assembly import Shared, build_bundle, learn_novelty, learner_part
from igarape.serving.bundle import Bundle
from igarape.serving.holdout import Packed
from igarape.serving.reference import learn_reference
from igarape.serving.student import build_student, measure
from igarape.serving.views import ask_by_views, check_bundle
from igarape.tables import Probabilities
from igarape.tracking.lineage import lineage, step_runs
from igarape.tracking.step import step_run
from igarape.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Build the bundle, check that it answers as the pipeline did, score the hold-out for the first time, report."""
    params = read_params(workspace.params)
    dataset = read_dataset(params.dataset, workspace.datasets)
    evidence = gather(workspace, params, dataset.labels.vocabulary())
    recorded = {"seed": params.seed, "dataset": params.dataset, "evaluate": params.evaluate.model_dump()}
    recorded["views"] = params.serve.views
    with step_run("evaluate", workspace=workspace, params=recorded) as opened:
        fresh_folder(workspace.folder("evaluate"))  # not before MLflow has answered
        found = lineage(workspace.root)
        runs = step_runs(workspace, params.experiments) | {"evaluate": opened.id}
        learners = [learner_part(workspace.folder("train", name), one) for name, one in evidence.manifests.items()]
        packed = Packed.of(workspace, dataset.labels.vocabulary().labels)
        with progress("evaluate: what is usual of pictures", "chip") as advance:
            novelty = learn_novelty(evidence.known, evidence.held, raw=packed.raw, report=advance)
        out, alerts, views = ~evidence.inside, evidence.decision.alerts, params.serve.views
        reference = learn_reference(workspace, dataset, evidence.image_ids, p=evidence.p, held=out, raw=packed.raw)
        shared = Shared.of(params, dataset, evidence.rule, merge, alerts=alerts, views=views)
        shared = replace(shared, novelty=novelty, reference=reference)
        build_bundle(workspace.bundle, shared, learners=learners, stacker=workspace.folder("stack") / "stacker")
        origin = Origin(git_commit=found.commit, uncommitted_changes=found.dirty, dvc=dict(found.data), runs=runs)
        origin.write(workspace.folder("evaluate") / "lineage.json")
        RunFacts(run_id=opened.id).write(workspace.run("evaluate"))
        ensemble = Bundle.load(workspace.bundle, threads=workers())
        asked = _asked(ensemble, evidence, evidence.p[out], params, packed)
        viewing = compare_views(evidence.y[out], asked, evidence.rule, params)
        evidence = served_evidence(evidence, asked, views)
        student = _student(workspace, evidence, params, shared, packed=packed, ensemble=ensemble)
        write_answers(workspace, evidence, params.dataset, student)
        verdict = judge(workspace, evidence, params, dataset, origin, picture=packed.raw.rgb)
        verdict = with_views(with_student(verdict, student), viewing)
        report.write_report(verdict, workspace)
        log_verdict(workspace, opened, verdict, evidence)
    click.echo("\n".join([report.summary(verdict.metrics), *viewing_in_words(viewing), *in_words(student)]))
    click.echo(f"evaluate: label by label: {workspace.reports / 'report.html'}; labels to look at: {workspace.doubts}")


def _student(
    workspace: Workspace, evidence: Evidence, params: Params, shared: Shared, *, packed: Packed, ensemble: Bundle
) -> Standing | None:
    """Build and check the student's bundle, and compare it with the ensemble's; nothing where there is no student."""
    pupil = read_pupil(workspace, evidence)
    if pupil is None:
        return None
    build_student(workspace, shared, pupil.lesson)
    student = Bundle.load(workspace.student, threads=workers())
    pupil = pupil._replace(asked=_asked(student, evidence, pupil.p, params, packed))
    costs = measure([ensemble, student], evidence.held, packed=packed)
    return compare_student(pupil, evidence, params, *costs)


def _asked(bundle: Bundle, evidence: Evidence, p: Probabilities, params: Params, packed: Packed) -> ByViews | None:
    """Check that a bundle answers p, as the pipeline did, on some hold-out chips; then ask it by fewer views."""
    count = params.evaluate.check
    with progress("evaluate: checking the bundle", "chip") as advance:
        check_bundle(bundle, evidence.held[:count], p=p[:count], packed=packed, report=advance)
    with progress("evaluate: asking by fewer views", "chip") as advance:
        return ask_by_views(bundle, evidence.held, packed=packed, report=advance)
