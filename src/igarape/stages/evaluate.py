"""evaluate: the verdict on the hold-out, and the ensemble as one bundle. All predictions -> data/evaluate, reports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from igarape.chips.pictures import encode_jpeg
from igarape.chips.store import Store
from igarape.config.datasets import Dataset, read_dataset
from igarape.config.documents import Decision, LearnerManifest, Metrics, Origin, RunFacts, StackSummary
from igarape.config.params import Params, read_params, workers
from igarape.ensemble.decision import Rule
from igarape.errors import InputError
from igarape.files import fresh_folder, write_text
from igarape.labels import Booleans, Vocabulary
from igarape.learners.predictor import KINDS
from igarape.progress import progress
from igarape.reports import verdict as report
from igarape.scores.metrics import f2_per_sample
from igarape.scores.rules import ISOLATED, above
from igarape.serving.bundle import Bundle, Learner, build_bundle
from igarape.tables import (
    FAULT,
    HOLDOUT,
    Probabilities,
    learner_probabilities,
    probability_columns,
    read_catalog,
    read_folds,
    read_predictions,
    read_table,
)
from igarape.tracking.step import Run, lineage, step_run
from igarape.workspace import Workspace

# Bundle and pipeline run the same models on the same pictures; only the grouping into batches differs.
TOLERANCE = 1e-4
WORST = 12
THUMBNAIL = 85  # JPEG quality


@dataclass(frozen=True)
class Evidence:
    """All that was predicted, in the order of the folds table: truth y and stacked p (n, labels), folds (n,).

    manifests: what train wrote of each learner. learners: each one's probabilities (n, its labels).
    stack, decision: what those steps wrote. rule: the chosen one, fitted on all folds.
    """

    image_ids: Sequence[str]
    folds: npt.NDArray[np.int64]
    y: Booleans
    p: Probabilities
    manifests: Mapping[str, LearnerManifest]
    learners: Mapping[str, Probabilities]
    stack: StackSummary
    decision: Decision
    rule: Rule

    @property
    def inside(self) -> Booleans:
        """Return which rows lie in the folds."""
        return np.asarray(self.folds != HOLDOUT, dtype=np.bool_)


def run(workspace: Workspace) -> None:
    """Build the bundle, check that it answers as the pipeline did, score the hold-out for the first time, report."""
    params = read_params(workspace.params)
    dataset = read_dataset(params.dataset, workspace.datasets)
    evidence = _gather(workspace, params, dataset.labels.vocabulary())
    fresh_folder(workspace.folder("evaluate"))
    recorded = {"seed": params.seed, "dataset": params.dataset, "evaluate": params.evaluate.model_dump()}
    with step_run("evaluate", workspace=workspace, params=recorded) as opened:
        origin = lineage(workspace.root)
        runs = _runs(workspace, params, opened.id)
        sees_nir = any(manifest.chips == "nir" for manifest in evidence.manifests.values())
        build_bundle(
            workspace.bundle,
            dataset=params.dataset,
            size=dataset.size,
            dehaze=params.dehaze.model_dump(),
            nir=params.nir.model_dump(include={"white"}) if sees_nir else None,
            learners=[_part(workspace, manifest) for manifest in evidence.manifests.values()],
            stacker=workspace.folder("stack") / "stacker",
            rule=evidence.rule,
        )
        Origin(git_commit=origin.commit, uncommitted_changes=origin.dirty, dvc=dict(origin.data), runs=runs).write(
            workspace.folder("evaluate") / "lineage.json"
        )
        RunFacts(run_id=opened.id).write(workspace.run("evaluate"))
        _check_bundle(workspace, evidence, count=params.evaluate.check)
        verdict = _judge(
            workspace, evidence, params, dataset, report.Lineage(origin.commit, origin.dirty, runs, origin.data)
        )
        Metrics(**verdict.metrics).write(workspace.metrics)
        write_text(verdict.per_label.to_csv(index=False), workspace.reports / "per_label.csv")
        write_text(report.render_report(verdict), workspace.reports / "report.html")
        _log(workspace, opened, verdict)


def _judge(
    workspace: Workspace, evidence: Evidence, params: Params, dataset: Dataset, origin: report.Lineage
) -> report.Verdict:
    """Score the hold-out, and put everything together that the report shows."""
    vocabulary, holdout = evidence.rule.vocabulary, ~evidence.inside
    y, p = evidence.y[holdout], evidence.p[holdout]
    predicted = evidence.rule.apply(p)
    left_out = read_table(workspace.chips("raw") / "faults.parquet", FAULT, key=FAULT)["left_out"].astype(bool)
    return report.Verdict(
        dataset=params.dataset,
        note=dataset.note,
        metrics=_metrics(evidence, y, p, predicted, params),
        per_label=report.per_label_table(y, p, predicted=predicted, labels=vocabulary.labels),
        stacker=evidence.stack.chosen,
        rule=evidence.rule.name,
        threshold=evidence.rule.threshold,
        differences=_differences(evidence, vocabulary, params),
        partial={
            name: len(manifest.labels) for name, manifest in evidence.manifests.items() if manifest.scope != "all"
        },
        fitted=int(evidence.inside.sum()),
        folds=int(evidence.folds.max()) + 1,
        split=params.split.by,
        worst=_worst(workspace, evidence, predicted, vocabulary),
        left_out=int(left_out.sum()),
        reported=int((~left_out).sum()),
        lineage=origin,
    )


def _gather(workspace: Workspace, params: Params, vocabulary: Vocabulary) -> Evidence:
    """Read what the steps before predicted and decided."""
    folds = read_folds(workspace.folds)
    image_ids = list(folds["image_id"])
    catalog = read_catalog(workspace.catalog(), vocabulary.labels).set_index("image_id")
    stack = StackSummary.read(workspace.folder("stack") / "stack.json")
    stacked = read_predictions(workspace.folder("stack") / "predictions.parquet", folds)
    stacked = stacked[stacked["learner"] == stack.chosen].set_index("image_id").loc[image_ids]
    decision = Decision.read(workspace.folder("decide") / "rule.json")
    tables = {name: read_predictions(workspace.predictions(name), folds) for name in params.experiments}
    return Evidence(
        image_ids=image_ids,
        folds=folds["fold"].to_numpy(),
        y=catalog.loc[image_ids, list(vocabulary.labels)].to_numpy().astype(np.bool_),
        p=stacked[probability_columns(stacked)].to_numpy(),
        manifests={name: LearnerManifest.read(workspace.learner(name)) for name in params.experiments},
        learners=learner_probabilities(tables, image_ids),
        stack=stack,
        decision=decision,
        rule=Rule.from_json(decision.rule.model_dump(), vocabulary),
    )


def _runs(workspace: Workspace, params: Params, own: str) -> dict[str, str]:
    """Return the MLflow run of each step that led here."""
    steps = [(step, name) for name in params.experiments for step in ("search", "train")]
    runs = {f"{step}@{name}": RunFacts.read(workspace.run(step, name)).run_id for step, name in steps}
    runs |= {step: RunFacts.read(workspace.run(step)).run_id for step in ("stack", "decide")}
    return runs | {"evaluate": own}


def _part(workspace: Workspace, manifest: LearnerManifest) -> Learner:
    """Describe a learner for the bundle."""
    found = [path for path in workspace.folder("train", manifest.name).glob("fold-*") if path.suffix in KINDS]
    files = sorted(found, key=lambda path: int(path.stem[5:]))
    parts = manifest.model_dump(include={"name", "chips", "size", "labels", "tta"})
    return Learner(**parts, files=tuple(str(file) for file in files))


def _check_bundle(workspace: Workspace, evidence: Evidence, *, count: int) -> None:
    """Refuse a bundle that does not answer as the pipeline did, on up to count hold-out chips from their raw bytes."""
    bundle = Bundle.load(workspace.bundle, threads=workers())
    labels = evidence.rule.vocabulary.labels
    raw, infrared = (
        Store(workspace.chips(kind), read_catalog(workspace.catalog(kind), labels)) for kind in ("raw", "nir")
    )
    rows = np.flatnonzero(~evidence.inside)[:count]
    with progress("evaluate: checking the bundle", "chip") as advance:
        for done, row in enumerate(rows, start=1):
            image_id = evidence.image_ids[row]
            nir = [infrared.rgb(image_id)] if bundle.needs_nir else None  # packed without loss: what the TIF gives
            answer = bundle.probabilities([bundle.read(raw.bytes(image_id), image_id)], nir)[0]
            gap = float(np.abs(answer - evidence.p[row]).max())
            if gap > TOLERANCE:
                raise InputError(
                    f"{workspace.bundle}: {image_id}: the bundle's probabilities differ by {gap:.6f} from "
                    f"the pipeline's, expected at most {TOLERANCE}. Something changed in between; run: dvc repro -f"
                )
            advance(done, len(rows))


def _metrics(evidence: Evidence, y: Booleans, p: Probabilities, predicted: Booleans, params: Params) -> dict[str, Any]:
    """Build reports/metrics.json."""
    chosen = evidence.stack.stackers[evidence.stack.chosen]
    return report.metrics_document(
        y,
        p,
        predicted=predicted,
        oof={"f2": evidence.decision.rules[evidence.rule.name]["f2"], "map": chosen["map"]},
        learners={name: {"f2": one.f2, "map": one.map} for name, one in evidence.manifests.items()},
        stackers=evidence.stack.stackers,
        rules=evidence.decision.rules,
        rare=evidence.stack.rare,
        resamples=params.evaluate.resamples,
        seed=params.seed,
    )


def _differences(evidence: Evidence, vocabulary: Vocabulary, params: Params) -> dict[str, report.Difference]:
    """Compare the learners of all labels by paired bootstrap over the chips in the folds, out of fold."""
    inside, each = evidence.inside, {}
    y = evidence.y[inside]
    for name, p in evidence.learners.items():
        if evidence.manifests[name].scope == "all":
            each[name] = f2_per_sample(y, above(p[inside], vocabulary, threshold=ISOLATED))
    return report.against_best(each, resamples=params.evaluate.resamples, seed=params.seed) if each else {}


def _worst(workspace: Workspace, evidence: Evidence, predicted: Booleans, vocabulary: Vocabulary) -> list[report.Chip]:
    """Return the hold-out chips with the lowest F2."""
    store = Store(workspace.chips("raw"), read_catalog(workspace.catalog(), vocabulary.labels))
    rows = np.flatnonzero(~evidence.inside)
    scores = f2_per_sample(evidence.y[rows], predicted)
    return [
        report.Chip(
            image_id=evidence.image_ids[rows[k]],
            image=encode_jpeg(store.rgb(evidence.image_ids[rows[k]]), THUMBNAIL),
            f2=float(scores[k]),
            true=vocabulary.decode(evidence.y[rows[k]]).split(),
            predicted=vocabulary.decode(predicted[k]).split(),
        )
        for k in np.argsort(scores, kind="stable")[:WORST]
    ]


def _log(workspace: Workspace, opened: Run, verdict: report.Verdict) -> None:
    """Log the verdict's figures and files."""
    for rows in ("holdout", "oof"):
        opened.metrics({f"{rows}_{name}": value for name, value in verdict.metrics[rows].items()})
    opened.metrics({"left_out": verdict.left_out, "faults_reported": verdict.reported})
    for name in ("metrics.json", "per_label.csv", "report.html"):
        opened.artifact(workspace.reports / name)
