"""Learners and stacks side by side for MLflow: the same names of parameters, figures and curves for each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from igarape.config.documents import LearnerManifest
from igarape.labels import Booleans, Targets
from igarape.reports.results import Results
from igarape.reports.verdict import Verdict, summary
from igarape.scores.answers import TABLE
from igarape.scores.figures import figures
from igarape.scores.metrics import Reals, f2_per_sample
from igarape.scores.rules import apply_thresholds
from igarape.tracking.run import Run
from igarape.workspace import Workspace

# Of the curve, in percent.
THRESHOLDS = range(0, 101, 2)

Value = str | float | bool


@dataclass(frozen=True)
class Row:
    """A learner or a stack, for a run of its own.

    params: kind (learner, stack), the labels that it predicts (all, rare, named), backbone and chips, which of a stack
    are its name and all; of a learner its size and tta too. figures: oof_f2 and oof_map, holdout_f2 and holdout_map, by
    the fixed rule. curve: by the threshold, in percent, oof_f2_by_threshold and holdout_f2_by_threshold.
    """

    name: str
    params: Mapping[str, Value]
    figures: Mapping[str, float]
    curve: Mapping[int, Mapping[str, float]]


def log_verdict(workspace: Workspace, run: Run, verdict: Verdict, results: Results) -> None:
    """Log the verdict's figures and files, and each learner and each stack as a nested run beside the others.

    Parameters
    ----------
    workspace
        Where the files lie.
    run
        That of the step.
    verdict
        Whose figures are logged.
    results
        What the learners and the stacks predicted.
    """
    known = {f"{rows}_{name}": value for rows in ("holdout", "oof") for name, value in verdict.metrics[rows].items()}
    labels = {"doubted_labels": len(verdict.noise.table), "corrected_labels": verdict.noise.corrected}
    run.metrics(known | labels | {"left_out": verdict.left_out, "reported_faults": verdict.reported})
    for mode, scores in (verdict.modes.figures if verdict.modes else {}).items():
        run.metrics({f"views_{mode}_{name}": value for name, value in scores.items()})
    if verdict.student:
        run.metrics({f"student_{name}": value for name, value in verdict.student.figures["student"].items()})
        run.metrics({f"{name}_ms": value for name, value in verdict.student.milliseconds.items()})
    run.describe(_in_words(verdict))
    reports = [workspace.reports / name for name in ("metrics.json", "per_label.csv", "doubts.csv", "report.html")]
    for path in (*reports, workspace.folder("evaluate") / TABLE):
        run.artifact(path)
    log_scoreboard(results, run)


def _in_words(verdict: Verdict) -> str:
    """Say in Markdown what the page of evaluate's run begins with: what the report does."""
    said = [f"{summary(verdict.metrics).splitlines()[0]}.", " ".join(verdict.words)]
    said += [f"**Alarm**: F2 of {name} is {more:.4f} better out of fold." for name, more in verdict.alarms.items()]
    return "\n\n".join(filter(None, [*said, verdict.note, "More stands in `report.html`, among the artifacts."]))


def log_scoreboard(results: Results, run: Run) -> None:
    """Log each learner and each stack as a nested run of a run."""
    for row in scoreboard(results):
        with run.trial(row.name, row.params) as nested:
            nested.metrics(row.figures)
            nested.curve(row.curve)


def scoreboard(results: Results) -> list[Row]:
    """Lay out the learners, then the stacks, and the one that is used as it is used: calibrated.

    What predicts some labels only is scored on the chips that hold one, and has no hold-out figures where none does.
    """
    vocabulary = results.rule.vocabulary
    rows: list[tuple[str, dict[str, Value], Sequence[str], Reals]] = [
        (name, _described(one), one.labels, results.learners[name]) for name, one in results.manifests.items()
    ]
    # MLflow draws a parameter that a run lacks as unknown.
    stack: dict[str, Value] = {"kind": "stack", "labels": "all", "chips": "all"}
    rows += [(name, stack | {"backbone": name}, vocabulary.labels, p) for name, p in results.stacked.items()]
    return [_row(name, params, results, p, vocabulary.targets(names)) for name, params, names, p in rows]


def _described(manifest: LearnerManifest) -> dict[str, Value]:
    """Return what a learner is."""
    return {
        "kind": "learner",
        "labels": manifest.scope,
        "backbone": str(manifest.settings.get("backbone", "")),
        "chips": manifest.chips,
        "size": manifest.size,
        "tta": manifest.tta,
    }


def _row(name: str, params: Mapping[str, Value], results: Results, p: Reals, targets: Targets) -> Row:
    """Score probabilities (n, labels of targets) on each side on which any of the labels holds."""
    labels = results.rule.vocabulary.labels
    y = results.y[:, [labels.index(label) for label in targets.labels]]
    sides = {"oof": results.inside, "holdout": ~results.inside}
    known = {side: (y[rows], p[rows]) for side, rows in sides.items() if y[rows].any()}
    return Row(
        name,
        params,
        {
            f"{side}_{figure}": value
            for side, both in known.items()
            for figure, value in figures(*both, targets=targets).items()
        },
        {
            percent: {f"{side}_f2_by_threshold": _f2(*both, targets, percent / 100) for side, both in known.items()}
            for percent in THRESHOLDS
        },
    )


def _f2(y: Booleans, p: Reals, targets: Targets, threshold: float) -> float:
    """Return the F2 of a threshold; of some labels only, on the chips that hold at least one."""
    if not targets.partial:
        return float(f2_per_sample(y, apply_thresholds(p, targets, threshold=threshold)).mean())
    rows = y.any(axis=1)
    return float(f2_per_sample(y[rows], np.asarray(p[rows] >= threshold, dtype=np.bool_)).mean())
