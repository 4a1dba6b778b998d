"""The verdict: reports/metrics.json, reports/per_label.csv and one self-contained page, reports/report.html."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from igarape.chips.review import DATASET
from igarape.config.documents import Origin
from igarape.config.verdict import Metrics
from igarape.errors import InputError
from igarape.files import write_text
from igarape.labels import Booleans
from igarape.reports.alarms import ALARM_RATE
from igarape.reports.analysis import Analysis
from igarape.reports.ladder import Ladder
from igarape.reports.modes import ModeComparison
from igarape.reports.noise import Noise
from igarape.reports.operating import OperatingRow, fbeta_name, scores_line, with_interval
from igarape.reports.pages import render_page
from igarape.reports.reliability import Reliability
from igarape.reports.review import render_review
from igarape.reports.student import StudentComparison
from igarape.scores.comparison import Difference
from igarape.scores.draws import Draws
from igarape.scores.metrics import (
    Reals,
    average_precision,
    f2_per_sample,
    label_scores,
    mean_average_precision,
)
from igarape.scores.rules import isolated_threshold
from igarape.workspace import Workspace

Figures = Mapping[str, float]


@dataclass(frozen=True)
class Chip:
    """A hold-out chip: its picture as JPEG bytes, the F2 of its answer, its true and its predicted tags."""

    image_id: str
    image: bytes
    f2: float
    true: Sequence[str]
    predicted: Sequence[str]


@dataclass(frozen=True)
class Verdict:
    """Everything the page shows, as plain values.

    note: what a reader must know about the data set first; may be empty. metrics, per_label: as built below. stacker,
    rule: the chosen ones; threshold: the rule's, or None; beta: of the F-beta that rules are made for. operating: rare
    labels at one precision, and alerts. ladder: learners, stacks and rule against the best learner; words: what it
    shows. reliability: how far answers may be taken at their word. alarms: what scores too well out of fold for its
    hold-out, and by how much F2. weights: of each label, the learners' in the blend; kept: the labels that trees do not
    correct, and why. analysis: what lies behind it all. partial: the learners that predict only some labels, and how
    many. fitted: chips in the folds; groups: in how many of what belongs together the hold-out's lie; split: by what,
    chip or scene. noise: labels that the models doubt. left_out: chips that ingest left out; reported: other faults, of
    chips that are used. modes: what the modes of an answer cost; None where there is one only. student: how it stands
    beside the ensemble; None without one.
    """

    dataset: str
    note: str
    metrics: Mapping[str, Any]
    per_label: pd.DataFrame
    stacker: str
    rule: str
    threshold: float | None
    beta: float
    ladder: Ladder
    words: Sequence[str]
    reliability: Reliability
    alarms: Mapping[str, float]
    weights: Mapping[str, Figures]
    kept: Mapping[str, str]
    partial: Mapping[str, int]
    fitted: int
    groups: int
    folds: int
    split: str
    operating: Sequence[OperatingRow]
    analysis: Analysis
    worst: Sequence[Chip]
    noise: Noise
    left_out: int
    reported: int
    origin: Origin
    modes: ModeComparison | None = None
    student: StudentComparison | None = None


def metrics_document(
    y: Booleans,
    p: Reals,
    *,
    predicted: Booleans,
    oof: Figures,
    learners: Mapping[str, Figures],
    stackers: Mapping[str, Figures],
    rules: Mapping[str, Figures],
    ladder: Mapping[str, Figures],
    draws: Draws,
) -> dict[str, Any]:
    """Build reports/metrics.json.

    Parameters
    ----------
    y, p, predicted
        Truth, probabilities and answers of the hold-out, each of shape (n, labels).
    oof
        The stack's figures out of fold.
    learners, stackers, rules
        The figures of each, out of fold; a rule's F-beta stays where it has one besides F2.
    ladder
        Of each rung, its F2 less the best learner's, and the interval of that.
    draws
        Of the hold-out's chips, which bound its F2.
    """
    each = f2_per_sample(y, predicted)
    low, high = draws.mean_interval(each)
    f2, mean_ap = float(each.mean()), mean_average_precision(y, p)
    return {
        "holdout": {"f2": f2, "map": mean_ap, "n": len(y), "f2_low": low, "f2_high": high},
        "oof": _only(oof, "f2", "map"),
        "learners": {name: _only(figures, "f2", "map") for name, figures in learners.items()},
        "stackers": {name: _only(figures, "f2", "map") for name, figures in stackers.items()},
        "rules": {
            name: _only(figures, "f2", *(["fbeta"] if "fbeta" in figures else [])) for name, figures in rules.items()
        },
        "ladder": {name: dict(figures) for name, figures in ladder.items()},
    }


def summary(metrics: Mapping[str, Any]) -> str:
    """Say reports/metrics.json in a few lines, as a terminal shows it."""
    holdout, oof = metrics["holdout"], metrics["oof"]
    interval = f"95 %: {holdout['f2_low']:.4f} to {holdout['f2_high']:.4f}"
    lines = [
        f"hold-out F2 {holdout['f2']:.4f} ({interval}), mAP {holdout['map']:.4f}, {holdout['n']} chips",
        f"out of fold F2 {oof['f2']:.4f}, mAP {oof['map']:.4f}",
    ]
    lines += [f"{kind}: {scores_line(metrics[kind], 'f2')}" for kind in ("learners", "stackers", "rules")]
    if all("fbeta" in figures for figures in metrics["rules"].values()):
        lines.append(f"rules, by the F-beta that they are made for: {scores_line(metrics['rules'], 'fbeta')}")
    if mean := metrics["rare_map"]:
        gains = [f"{label} {ap['ap_without']:.2f} -> {ap['ap_with']:.2f}" for label, ap in metrics["rare"].items()]
        lines.append(f"rare, average precision without -> with: {', '.join(gains)}")
        difference = Difference(mean["mean"], mean["low"], mean["high"])
        lines.append(f"their mean: {mean['without']:.4f} -> {mean['with']:.4f}, {difference}")
    return "\n".join(lines)


def per_label_table(y: Booleans, p: Reals, *, predicted: Booleans, labels: Sequence[str]) -> pd.DataFrame:
    """Build reports/per_label.csv: one row a label, in column order.

    count is the number of chips that have the label, share is count / n. A label without any has no average precision
    (NaN).

    Parameters
    ----------
    y, p, predicted
        Truth, probabilities and answers, each of shape (n, labels).
    labels
        The labels' names.
    """
    scores = label_scores(y, predicted)
    return pd.DataFrame(
        {
            "label": list(labels),
            "count": y.sum(axis=0),
            "precision": scores.precision,
            "recall": scores.recall,
            "f2": scores.f2,
            "average_precision": average_precision(y, p),
            "share": y.mean(axis=0),
        }
    )


def write_report(verdict: Verdict, workspace: Workspace) -> None:
    """Write a verdict as reports/: the figures, the labels' table, the labels to look at, and the pages."""
    Metrics(**verdict.metrics).write(workspace.metrics)
    write_text(verdict.per_label.to_csv(index=False), workspace.reports / "per_label.csv")
    doubts = verdict.noise.table.copy()
    doubts.insert(0, DATASET, verdict.dataset)  # the last column is the one to write into
    write_text(doubts.to_csv(index=False), workspace.doubts)
    write_text(render_review(verdict.noise.review, dataset=verdict.dataset), workspace.review)
    write_text(render_report(verdict), workspace.reports / "report.html")


def render_report(verdict: Verdict) -> str:
    """Render reports/report.html: one page, nothing to load from elsewhere."""
    learners = _learners(verdict)
    return render_page(
        "reports/verdict.html.jinja",
        verdict=verdict,
        metrics=verdict.metrics,
        learners=learners,
        best=next((row for row in learners if row["partial"] is None), None),
        furthest={
            "learners": _reach(verdict.ladder.learners.values()),
            "learner_maps": _reach(verdict.ladder.learner_maps.values()),
            "rungs": _reach(verdict.ladder.rungs.values()),
            "maps": _reach(verdict.ladder.maps.values()),
            "modes": _reach([*verdict.modes.f2.values(), *verdict.modes.map.values()] if verdict.modes else []),
            "student": _reach([verdict.student.f2, verdict.student.map] if verdict.student else []),
        },
        reach=_reach,
        bounded=with_interval,
        alarm_rate=ALARM_RATE,
        fbeta=fbeta_name(verdict.beta),
        isolated=isolated_threshold(verdict.beta),
        labels=verdict.per_label.astype(object).where(verdict.per_label.notna(), None).to_dict("records"),
        # The headline's scale starts at a tenth, with some room below all that is drawn on it.
        floor=max(0.0, int(verdict.metrics["holdout"]["f2_low"] * 10 - 0.5) / 10),
    )


def _reach(differences: Iterable[Difference]) -> float:
    """Return how far from 0 the intervals reach: the scale that they are drawn on."""
    return max((each.reach for each in differences), default=0.0)


def _learners(verdict: Verdict) -> list[dict[str, Any]]:
    """Lay out the learners' rows: best F2 first; those that predict only some labels last, as theirs is another F2."""
    rows = [
        {
            "name": name,
            **figures,
            "partial": verdict.partial.get(name),
            "difference": verdict.ladder.learners.get(name),
        }
        for name, figures in verdict.metrics["learners"].items()
    ]
    return sorted(rows, key=lambda row: (row["partial"] is not None, -row["f2"]))


def _only(figures: Figures, *names: str) -> dict[str, float]:
    """Keep the named figures, which must be there."""
    missing = [name for name in names if name not in figures]
    if missing:
        raise InputError(f"reports/metrics.json: expected the figure {missing[0]!r}, found {', '.join(figures)}")
    return {name: float(figures[name]) for name in names}
