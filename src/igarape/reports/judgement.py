"""The judgement: the hold-out is scored, and the evidence becomes the verdict that the report shows."""

from collections.abc import Callable
from typing import Any

from igarape.chips.corrections import read_applied
from igarape.chips.pictures import Pixels
from igarape.config.datasets import Dataset
from igarape.config.documents import Origin
from igarape.config.params import Params
from igarape.ensemble.stacker import Stacker
from igarape.labels import Booleans
from igarape.reports.alarms import alarms
from igarape.reports.analysis import analyse
from igarape.reports.evidence import Evidence
from igarape.reports.ladder import Ladder, build_ladder, ladder_lines
from igarape.reports.noise import Noise, find_noise
from igarape.reports.operating import answers_line, operating_rows
from igarape.reports.reliability import reliable
from igarape.reports.verdict import Verdict, metrics_document, per_label_table
from igarape.reports.worst import worst
from igarape.scores.metrics import mean_average_precision
from igarape.tables import FAULT, read_table
from igarape.workspace import Workspace

Picture = Callable[[str], Pixels]


def build_verdict(
    workspace: Workspace, evidence: Evidence, params: Params, dataset: Dataset, origin: Origin, *, picture: Picture
) -> Verdict:
    """Score the hold-out, and put everything together that the report shows.

    Parameters
    ----------
    workspace
        Where the stack lies, and where it stands which chips are at fault or have corrected labels.
    evidence
        What has been predicted, and by what.
    params, dataset
        The seed, and how often to resample; the note that stands in the report.
    origin
        Commit, data and runs that led here.
    picture
        Returns the pixels of a chip; it is asked for those that are shown only.
    """
    y, p, inside, stack, rule = evidence.y, evidence.p, evidence.inside, evidence.stack, evidence.rule
    vocabulary, predicted = rule.vocabulary, rule.apply(p[~inside])
    ladder = _ladder(evidence, params)
    ladder_words = ladder_lines(ladder, stacker=stack.chosen, kept=tuple(stack.kept), labels=len(vocabulary.labels))
    analysis = analyse(evidence, Stacker.load(workspace.folder("stack") / "stacker"), params)
    reliability = reliable(y, evidence.stacked[stack.chosen], p, inside=inside, kinds=stack.calibration)
    figures = {"calibration": reliability.figures} | analysis.to_json()
    answered = evidence.general | {f"the stack, {stack.chosen}": p}
    left_out, reported = _faults(workspace)
    return Verdict(
        dataset=params.dataset,
        note=dataset.note,
        metrics=_metrics(evidence, predicted, ladder, params) | figures,
        per_label=per_label_table(y[~inside], p[~inside], predicted=predicted, labels=vocabulary.labels),
        stacker=stack.chosen,
        rule=rule.name,
        threshold=rule.threshold,
        beta=rule.beta,
        ladder=ladder,
        words=[answers_line(y[~inside], predicted), *ladder_words],
        alarms=alarms(y, answered, inside=inside, targets=vocabulary.targets("all")),
        reliability=reliability,
        weights=stack.weights,
        kept=stack.kept,
        partial=evidence.partial,
        fitted=int(inside.sum()),
        folds=int(evidence.folds.max()) + 1,
        split=params.split.by,
        operating=operating_rows(
            y, p, evidence.folds, alerts=evidence.decision.alerts, vocabulary=vocabulary, seed=params.seed
        ),
        analysis=analysis,
        worst=worst(evidence.held, y[~inside], answers=predicted, vocabulary=vocabulary, picture=picture),
        noise=_noise(workspace, evidence, picture),
        left_out=left_out,
        reported=reported,
        origin=origin,
    )


def _noise(workspace: Workspace, evidence: Evidence, picture: Picture) -> Noise:
    """Find the labels that the models doubt, of all chips."""
    return find_noise(
        evidence.image_ids,
        evidence.folds,
        y=evidence.y,
        p=evidence.p,
        vocabulary=evidence.rule.vocabulary,
        corrections=read_applied(workspace.applied),
        picture=picture,
    )


def _faults(workspace: Workspace) -> tuple[int, int]:
    """Count the faults that ingest found: of chips that it left out, and of chips that are used as they are."""
    left_out = read_table(workspace.chips("raw") / "faults.parquet", FAULT, key=FAULT)["left_out"].astype(bool)
    return int(left_out.sum()), int((~left_out).sum())


def _metrics(evidence: Evidence, predicted: Booleans, ladder: Ladder, params: Params) -> dict[str, Any]:
    """Build reports/metrics.json; predicted are the answers on the hold-out."""
    rows = ~evidence.inside
    return metrics_document(
        evidence.y[rows],
        evidence.p[rows],
        predicted=predicted,
        oof={
            "f2": evidence.decision.rules[evidence.rule.name]["f2"],
            "map": mean_average_precision(evidence.y[~rows], evidence.p[~rows]),
        },
        learners={name: {"f2": one.f2, "map": one.map} for name, one in evidence.manifests.items()},
        stackers=evidence.stack.stackers,
        rules=evidence.decision.rules,
        rare=evidence.stack.rare,
        ladder=ladder.to_json(),
        resamples=params.evaluate.resamples,
        seed=params.seed,
    )


def _ladder(evidence: Evidence, params: Params) -> Ladder:
    """Compare the learners, the stacks, and the rule that is used, with the best learner, out of fold."""
    inside = evidence.inside
    return build_ladder(
        evidence.y[inside],
        learners={name: p[inside] for name, p in evidence.general.items()},
        stackers={name: evidence.stacked[name][inside] for name in evidence.stack.stackers},
        decided={f"{evidence.stack.chosen}, {evidence.rule.name}": evidence.answers},
        targets=evidence.rule.vocabulary.targets("all"),
        resamples=params.evaluate.resamples,
        seed=params.seed,
    )
