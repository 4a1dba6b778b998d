"""Viewing: what an answer by fewer views costs in F2 and mAP on the hold-out, and the milliseconds that it saves."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from igarape.config.documents import CALIBRATED, Scores
from igarape.config.params import Params
from igarape.ensemble.decision import Rule
from igarape.labels import Booleans
from igarape.learners.views import ALL, ByViews
from igarape.reports.evidence import Evidence
from igarape.reports.ladder import Difference
from igarape.reports.verdict import Verdict
from igarape.scores.comparison import paired_bootstrap
from igarape.scores.metrics import f2_per_sample, mean_average_precision
from igarape.scores.ranking import paired_map, rank
from igarape.tables import Probabilities


@dataclass(frozen=True)
class Viewing:
    """What the page shows of views, each by their number: how many chips were asked about, F2 and mAP, milliseconds.

    f2, map: what fewer views have more than all of them. served: how many the bundle answers by.
    """

    served: int
    chips: int
    figures: Mapping[int, Mapping[str, float]]
    f2: Mapping[int, Difference]
    map: Mapping[int, Difference]
    milliseconds: Mapping[int, float]

    def to_json(self) -> dict[str, dict[str, Scores]]:
        """Return what reports/metrics.json keeps; not the milliseconds, which differ each time."""
        return {
            str(count): {"scores": dict(figures)}
            | ({"f2": self.f2[count]._asdict(), "map": self.map[count]._asdict()} if count in self.f2 else {})
            for count, figures in self.figures.items()
        }


def compare_views(y: Booleans, asked: ByViews | None, rule: Rule, params: Params) -> Viewing | None:
    """Compare the answers by fewer views with those by all of them, on the same chips; None where there are no others.

    Parameters
    ----------
    y
        The truth of the hold-out, (n, labels).
    asked
        What the bundle answers.
    rule
        From probabilities to labels.
    params
        The seed, how often to resample, and how many views are served.
    """
    if asked is None:
        return None
    y, chance = y[asked.rows], {"resamples": params.evaluate.resamples, "seed": params.seed}
    f2 = {count: f2_per_sample(y, rule.apply(p)) for count, p in asked.p.items()}
    ranked = rank(y, asked.p, **chance)
    fewer = [count for count in asked.p if count != ALL]
    return Viewing(
        served=params.serve.views,
        chips=len(y),
        figures={
            count: {"f2": float(f2[count].mean()), "map": mean_average_precision(y, p)} for count, p in asked.p.items()
        },
        f2={count: Difference(*paired_bootstrap(f2[count], f2[ALL], **chance)) for count in fewer},
        map={count: Difference(*paired_map(ranked[count], ranked[ALL])) for count in fewer},
        milliseconds=asked.milliseconds,
    )


def with_views(verdict: Verdict, viewing: Viewing | None) -> Verdict:
    """Return a verdict with what it says of views: in metrics.json nothing, where learners have one only."""
    return replace(
        verdict, viewing=viewing, metrics={**verdict.metrics, "by_views": viewing.to_json() if viewing else {}}
    )


def in_words(viewing: Viewing | None) -> list[str]:
    """Say what fewer views cost, as a terminal shows it; nothing where learners have one only."""
    if viewing is None:
        return []
    ms = viewing.milliseconds
    return [
        f"views: {count} in place of {ALL}: F2 {viewing.f2[count]}, mAP {viewing.map[count]}; {ms[count]:.1f} ms a "
        f"chip in place of {ms[ALL]:.1f}" + (", served" if count == viewing.served else "")
        for count in viewing.f2
    ]


def as_served(p: Probabilities, asked: ByViews | None, views: int) -> Probabilities:
    """Return the hold-out's answers (n, labels) by as many views as are served: what is reported is what is served.

    Parameters
    ----------
    p
        What the pipeline answers, by all views.
    asked
        What the bundle answers; None where its learners have one view only.
    views
        How many are served.
    """
    return p if asked is None or views == ALL else asked.p[views]


def served_evidence(evidence: Evidence, asked: ByViews | None, views: int) -> Evidence:
    """Return evidence whose hold-out is answered as as_served does; its arguments are the same."""
    p, rows = evidence.p.copy(), ~evidence.inside
    p[rows] = as_served(p[rows], asked, views)
    return replace(evidence, stacked={**evidence.stacked, CALIBRATED: p})
