"""The evaluation: the hold-out is scored, and the verdict is put together that the report shows."""

from collections.abc import Callable
from dataclasses import replace
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
from igarape.reports.ladder import Ladder, build_ladder, ladder_lines
from igarape.reports.modes import ModeComparison
from igarape.reports.noise import Noise, find_noise
from igarape.reports.operating import OperatingRow, answers_line, operating_rows
from igarape.reports.reliability import reliable
from igarape.reports.results import Results
from igarape.reports.student import StudentComparison
from igarape.reports.verdict import Verdict, metrics_document, per_label_table
from igarape.reports.worst import worst
from igarape.scores.metrics import mean_average_precision
from igarape.tables import FAULT, read_table
from igarape.workspace import Workspace

Picture = Callable[[str], Pixels]


def build_verdict(
    workspace: Workspace, results: Results, params: Params, dataset: Dataset, origin: Origin, *, picture: Picture
) -> Verdict:
    """Score the hold-out, and put everything together that the report shows.

    Parameters
    ----------
    workspace
        Where the stack lies, and where it stands which chips are at fault or have corrected labels.
    results
        What has been predicted, and by what.
    params, dataset
        The seed, and how often to resample; the note that stands in the report.
    origin
        Commit, data and runs that led here.
    picture
        Returns the pixels of a chip; it is asked for those that are shown only.
    """
    y, p, inside, stack, rule = results.y, results.p, results.inside, results.stack, results.rule
    vocabulary, predicted = rule.vocabulary, rule.apply(p[~inside])
    ladder = _ladder(results, params)
    ladder_words = ladder_lines(ladder, stacker=stack.chosen, kept=tuple(stack.kept), labels=len(vocabulary.labels))
    analysis = analyse(results, Stacker.load(workspace.folder("stack") / "stacker"), params)
    reliability = reliable(y, results.stacked[stack.chosen], p, inside=inside, kinds=stack.calibration)
    figures = {"calibration": reliability.figures} | analysis.to_json()
    answered = results.general | {f"the stack, {stack.chosen}": p}
    left_out, reported = _faults(workspace)
    return Verdict(
        dataset=params.dataset,
        note=dataset.note,
        metrics=_metrics(results, predicted, ladder, params) | figures,
        per_label=per_label_table(y[~inside], p[~inside], predicted=predicted, labels=vocabulary.labels),
        stacker=stack.chosen,
        rule=rule.name,
        threshold=rule.threshold,
        beta=rule.beta,
        ladder=ladder,
        words=[answers_line(y[~inside], predicted), *ladder_words],
        alarms=alarms(y, answered, groups=results.groups, inside=inside, targets=vocabulary.targets("all")),
        reliability=reliability,
        weights=stack.weights,
        kept=stack.kept,
        partial=results.partial,
        fitted=int(inside.sum()),
        groups=results.draws(~inside, params).groups,
        folds=int(results.folds.max()) + 1,
        split=params.split.by,
        operating=_operating(results, params),
        analysis=analysis,
        worst=worst(results.held, y[~inside], answers=predicted, vocabulary=vocabulary, picture=picture),
        noise=_noise(workspace, results, picture),
        left_out=left_out,
        reported=reported,
        origin=origin,
    )


def with_comparisons(verdict: Verdict, *, modes: ModeComparison | None, student: StudentComparison | None) -> Verdict:
    """Return a verdict that shows them; in metrics.json `by_views` is empty and `student` null where there is none."""
    told = {
        "by_views": modes.to_json() if modes else {},
        "student": student.to_json().model_dump() if student else None,
    }
    return replace(verdict, modes=modes, student=student, metrics={**verdict.metrics, **told})


def _operating(results: Results, params: Params) -> list[OperatingRow]:
    """Find the operating points of the rare labels and of the alerts."""
    return operating_rows(
        results.y,
        results.p,
        results.folds,
        groups=results.groups,
        alerts=results.decision.alerts,
        vocabulary=results.rule.vocabulary,
        seed=params.seed,
    )


def _noise(workspace: Workspace, results: Results, picture: Picture) -> Noise:
    """Find the labels that the models doubt, of all chips."""
    return find_noise(
        results.image_ids,
        results.folds,
        y=results.y,
        p=results.p,
        vocabulary=results.rule.vocabulary,
        corrections=read_applied(workspace.applied),
        picture=picture,
    )


def _faults(workspace: Workspace) -> tuple[int, int]:
    """Count the faults that ingest found: of chips that it left out, and of chips that are used as they are."""
    left_out = read_table(workspace.chips("raw") / "faults.parquet", FAULT, key=FAULT)["left_out"].astype(bool)
    return int(left_out.sum()), int((~left_out).sum())


def _metrics(results: Results, predicted: Booleans, ladder: Ladder, params: Params) -> dict[str, Any]:
    """Build reports/metrics.json; predicted are the answers on the hold-out."""
    rows = ~results.inside
    return metrics_document(
        results.y[rows],
        results.p[rows],
        predicted=predicted,
        oof={
            "f2": results.decision.rules[results.rule.name]["f2"],
            "map": mean_average_precision(results.y[~rows], results.p[~rows]),
        },
        learners={name: {"f2": one.f2, "map": one.map} for name, one in results.manifests.items()},
        stackers=results.stack.stackers,
        rules=results.decision.rules,
        ladder=ladder.to_json(),
        draws=results.draws(rows, params),
    )


def _ladder(results: Results, params: Params) -> Ladder:
    """Compare the learners, the stacks, and the rule that is used, with the best learner, out of fold."""
    inside = results.inside
    return build_ladder(
        results.y[inside],
        learners={name: p[inside] for name, p in results.general.items()},
        stackers={name: results.stacked[name][inside] for name in results.stack.stackers},
        decided={f"{results.stack.chosen}, {results.rule.name}": results.answers},
        targets=results.rule.vocabulary.targets("all"),
        draws=results.draws(inside, params),
    )
