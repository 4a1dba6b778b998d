"""evaluate: the verdict on the hold-out, and the ensemble as one bundle. All predictions -> data/evaluate, reports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from igarape.chips.pictures import encode_jpeg
from igarape.chips.store import Store
from igarape.config.datasets import Dataset, read_dataset
from igarape.config.params import Params, read_params, workers
from igarape.ensemble.decision import Rule
from igarape.errors import InputError
from igarape.files import fresh_folder, read_json, write_json, write_text
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
    truth,
)
from igarape.tracking.step import Run, lineage, step_run

FOLDER = Path("data/evaluate")
REPORTS = Path("reports")
RAW, INFRARED = Path("data/ingest"), Path("data/nir")
# Bundle and pipeline run the same models on the same pictures; only the grouping into batches differs.
TOLERANCE = 1e-4
WORST = 12
THUMBNAIL = 85  # JPEG quality


@dataclass(frozen=True)
class Evidence:
    """All that was predicted, in the order of the folds table: truth y and stacked p (n, labels), folds (n,).

    cards: what train wrote of each learner. learners: each one's probabilities (n, its labels).
    stack, decision: what those steps wrote. rule: the chosen one, fitted on all folds.
    """

    image_ids: Sequence[str]
    folds: npt.NDArray[np.int64]
    y: Booleans
    p: Probabilities
    cards: Mapping[str, Mapping[str, Any]]
    learners: Mapping[str, Probabilities]
    stack: Mapping[str, Any]
    decision: Mapping[str, Any]
    rule: Rule

    @property
    def inside(self) -> Booleans:
        """Return which rows lie in the folds."""
        return np.asarray(self.folds != HOLDOUT, dtype=np.bool_)


def run() -> None:
    """Build the bundle, check that it answers as the pipeline did, score the hold-out for the first time, report."""
    params = read_params()
    dataset = read_dataset(params.dataset)
    evidence = _gather(params, dataset.labels.vocabulary())
    fresh_folder(FOLDER)
    recorded = {"seed": params.seed, "dataset": params.dataset, "evaluate": params.evaluate.model_dump()}
    with step_run("evaluate", params=recorded) as opened:
        origin = lineage()
        runs = _runs(evidence, opened.id)
        sees_nir = any(card["chips"] == "nir" for card in evidence.cards.values())
        build_bundle(
            FOLDER / "bundle",
            dataset=params.dataset,
            size=dataset.size,
            dehaze=params.dehaze.model_dump(),
            nir=params.nir.model_dump(include={"white"}) if sees_nir else None,
            learners=[_part(card) for card in evidence.cards.values()],
            stacker=Path("data/stack/stacker"),
            rule=evidence.rule,
            lineage={
                "git_commit": origin.commit,
                "uncommitted_changes": origin.dirty,
                "dvc": origin.data,
                "runs": runs,
            },
        )
        _check_bundle(evidence, count=params.evaluate.check)
        verdict = _judge(evidence, params, dataset, report.Lineage(origin.commit, origin.dirty, runs, origin.data))
        write_json(verdict.metrics, REPORTS / "metrics.json")
        write_text(verdict.per_label.to_csv(index=False), REPORTS / "per_label.csv")
        write_text(report.render_report(verdict), REPORTS / "report.html")
        _log(opened, verdict)


def _judge(evidence: Evidence, params: Params, dataset: Dataset, origin: report.Lineage) -> report.Verdict:
    """Score the hold-out, and put everything together that the report shows."""
    vocabulary, holdout = evidence.rule.vocabulary, ~evidence.inside
    y, p = evidence.y[holdout], evidence.p[holdout]
    predicted = evidence.rule.apply(p)
    left_out = read_table(RAW / "faults.parquet", FAULT, key=FAULT)["left_out"].astype(bool)
    return report.Verdict(
        dataset=params.dataset,
        note=dataset.note,
        metrics=_metrics(evidence, y, p, predicted, params),
        per_label=report.per_label_table(y, p, predicted=predicted, labels=vocabulary.labels),
        stacker=evidence.stack["chosen"],
        rule=evidence.rule.name,
        threshold=evidence.rule.threshold,
        differences=_differences(evidence, vocabulary, params),
        partial={name: len(card["labels"]) for name, card in evidence.cards.items() if card["which"] != "all"},
        fitted=int(evidence.inside.sum()),
        folds=int(evidence.folds.max()) + 1,
        split=params.split.by,
        worst=_worst(evidence, predicted, vocabulary),
        left_out=int(left_out.sum()),
        reported=int((~left_out).sum()),
        lineage=origin,
    )


def _gather(params: Params, vocabulary: Vocabulary) -> Evidence:
    """Read what the steps before predicted and decided."""
    folds = read_folds(Path("data/split/folds.parquet"))
    image_ids = list(folds["image_id"])
    catalog = read_catalog(Path("data/ingest/catalog.parquet"), vocabulary.labels).set_index("image_id")
    stack = read_json(Path("data/stack/stack.json"))
    stacked = read_predictions(Path("data/stack/predictions.parquet"), folds)
    stacked = stacked[stacked["learner"] == stack["chosen"]].set_index("image_id").loc[image_ids]
    decision = read_json(Path("data/decide/rule.json"))
    tables = {
        name: read_predictions(Path(f"data/train/{name}/predictions.parquet"), folds) for name in params.experiments
    }
    return Evidence(
        image_ids=image_ids,
        folds=folds["fold"].to_numpy(),
        y=truth(catalog.loc[image_ids], vocabulary.labels),
        p=stacked[probability_columns(stacked)].to_numpy(),
        cards={name: read_json(Path(f"data/train/{name}/learner.json")) for name in params.experiments},
        learners=learner_probabilities(tables, image_ids),
        stack=stack,
        decision=decision,
        rule=Rule.from_json(decision["rule"], vocabulary),
    )


def _runs(evidence: Evidence, own: str) -> dict[str, str]:
    """Return the MLflow run of each step that led here."""
    runs: dict[str, str] = {}
    for name, card in evidence.cards.items():
        runs |= {f"search@{name}": card["search_run_id"], f"train@{name}": card["run_id"]}
    return runs | {"stack": evidence.stack["run_id"], "decide": evidence.decision["run_id"], "evaluate": own}


def _part(card: Mapping[str, Any]) -> Learner:
    """Describe a learner for the bundle."""
    found = [path for path in Path("data/train", card["name"]).glob("fold-*") if path.suffix in KINDS]
    files = sorted(found, key=lambda path: int(path.stem[5:]))
    return Learner(
        name=card["name"],
        chips=card["chips"],
        size=card["size"],
        labels=tuple(card["labels"]),
        tta=card["tta"],
        files=tuple(str(file) for file in files),
    )


def _check_bundle(evidence: Evidence, *, count: int) -> None:
    """Refuse a bundle that does not answer as the pipeline did, on up to count hold-out chips from their raw bytes."""
    bundle = Bundle.load(FOLDER / "bundle", threads=workers())
    labels = evidence.rule.vocabulary.labels
    raw, infrared = (Store(path, read_catalog(path / "catalog.parquet", labels)) for path in (RAW, INFRARED))
    rows = np.flatnonzero(~evidence.inside)[:count]
    with progress("evaluate: checking the bundle", "chip") as advance:
        for done, row in enumerate(rows, start=1):
            image_id = evidence.image_ids[row]
            nir = [infrared.rgb(image_id)] if bundle.needs_nir else None  # packed without loss: what the TIF gives
            answer = bundle.probabilities([bundle.read(raw.bytes(image_id), image_id)], nir)[0]
            gap = float(np.abs(answer - evidence.p[row]).max())
            if gap > TOLERANCE:
                raise InputError(
                    f"{FOLDER / 'bundle'}: {image_id}: the bundle's probabilities differ by {gap:.6f} from "
                    f"the pipeline's, expected at most {TOLERANCE}. Something changed in between; run: dvc repro -f"
                )
            advance(done, len(rows))


def _metrics(evidence: Evidence, y: Booleans, p: Probabilities, predicted: Booleans, params: Params) -> dict[str, Any]:
    """Build reports/metrics.json."""
    chosen = evidence.stack["stackers"][evidence.stack["chosen"]]
    return report.metrics_document(
        y,
        p,
        predicted=predicted,
        oof={"f2": evidence.decision["rules"][evidence.rule.name]["f2"], "map": chosen["map"]},
        learners={name: {"f2": card["f2"], "map": card["map"]} for name, card in evidence.cards.items()},
        stackers=evidence.stack["stackers"],
        rules=evidence.decision["rules"],
        rare=evidence.stack["rare"],
        resamples=params.evaluate.resamples,
        seed=params.seed,
    )


def _differences(evidence: Evidence, vocabulary: Vocabulary, params: Params) -> dict[str, report.Difference]:
    """Compare the learners of all labels by paired bootstrap over the chips in the folds, out of fold."""
    inside, each = evidence.inside, {}
    y = evidence.y[inside]
    for name, p in evidence.learners.items():
        if evidence.cards[name]["which"] == "all":
            each[name] = f2_per_sample(y, above(p[inside], vocabulary, threshold=ISOLATED))
    return report.against_best(each, resamples=params.evaluate.resamples, seed=params.seed) if each else {}


def _worst(evidence: Evidence, predicted: Booleans, vocabulary: Vocabulary) -> list[report.Chip]:
    """Return the hold-out chips with the lowest F2."""
    store = Store(RAW, read_catalog(RAW / "catalog.parquet", vocabulary.labels))
    rows = np.flatnonzero(~evidence.inside)
    scores = f2_per_sample(evidence.y[rows], predicted)
    return [
        report.Chip(
            image_id=evidence.image_ids[rows[k]],
            image=encode_jpeg(store.rgb(evidence.image_ids[rows[k]]), THUMBNAIL),
            f2=float(scores[k]),
            true=vocabulary.names(evidence.y[rows[k]]),
            predicted=vocabulary.names(predicted[k]),
        )
        for k in np.argsort(scores, kind="stable")[:WORST]
    ]


def _log(opened: Run, verdict: report.Verdict) -> None:
    """Log the verdict's figures and files."""
    for rows in ("holdout", "oof"):
        opened.metrics({f"{rows}_{name}": value for name, value in verdict.metrics[rows].items()})
    opened.metrics({"left_out": verdict.left_out, "faults_reported": verdict.reported})
    for name in ("metrics.json", "per_label.csv", "report.html"):
        opened.artifact(REPORTS / name)
