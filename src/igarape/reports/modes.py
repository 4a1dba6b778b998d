"""Inference modes: what fewer views or bits cost in F2 and mAP on the hold-out, and the milliseconds they save."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from igarape.config.documents import CALIBRATED, Scores
from igarape.ensemble.decision import Rule
from igarape.labels import Booleans
from igarape.learners.views import PIPELINE, ByMode, Mode
from igarape.reports.results import Results
from igarape.scores.comparison import Difference, paired_bootstrap
from igarape.scores.draws import Draws
from igarape.scores.metrics import f2_per_sample, mean_average_precision
from igarape.scores.ranking import paired_map, rank
from igarape.tables import Probabilities


@dataclass(frozen=True)
class ModeComparison:
    """A bundle's inference modes against the pipeline's (8 views, float32), for the report.

    served: the mode in which the bundle answers. chips: how many were predicted. figures: F2 and mAP of each mode. f2,
    map: a mode's less the pipeline's. milliseconds: a chip. quantised: the learners that compute in 8-bit integers.
    """

    served: Mode
    chips: int
    figures: Mapping[Mode, Mapping[str, float]]
    f2: Mapping[Mode, Difference]
    map: Mapping[Mode, Difference]
    milliseconds: Mapping[Mode, float]
    quantised: Sequence[str] = ()

    def to_json(self) -> dict[str, dict[str, Scores]]:
        """Return what reports/metrics.json keeps; not the milliseconds, which differ each time."""
        return {
            str(mode): {"scores": dict(figures)}
            | ({"f2": self.f2[mode]._asdict(), "map": self.map[mode]._asdict()} if mode in self.f2 else {})
            for mode, figures in self.figures.items()
        }


def compare_modes(y: Booleans, asked: ByMode | None, rule: Rule, draws: Draws) -> ModeComparison | None:
    """Compare a bundle's answers in each mode with the pipeline's, on the same chips; None where there are no others.

    Parameters
    ----------
    y
        The truth of the hold-out, (n, labels).
    asked
        What the bundle answers.
    rule
        From probabilities to labels.
    draws
        Of the hold-out's chips, for the intervals.
    """
    if asked is None:
        return None
    y, draws = y[asked.rows], draws.rows(asked.rows)
    f2 = {mode: f2_per_sample(y, rule.apply(p)) for mode, p in asked.p.items()}
    ranked = rank(y, asked.p, draws)
    others = [mode for mode in asked.p if mode != PIPELINE]
    return ModeComparison(
        served=asked.served,
        chips=len(y),
        figures={
            mode: {"f2": float(f2[mode].mean()), "map": mean_average_precision(y, p)} for mode, p in asked.p.items()
        },
        f2={mode: paired_bootstrap(f2[mode], f2[PIPELINE], draws) for mode in others},
        map={mode: paired_map(ranked[mode], ranked[PIPELINE]) for mode in others},
        milliseconds=asked.milliseconds,
        quantised=asked.quantised,
    )


def mode_lines(modes: ModeComparison | None) -> list[str]:
    """Return what each mode costs as lines for the terminal; none where a bundle has one mode only."""
    if modes is None:
        return []
    ms = modes.milliseconds
    return [
        f"views: {mode} in place of {PIPELINE}: F2 {modes.f2[mode]}, mAP {modes.map[mode]}; {ms[mode]:.1f} ms a "
        f"chip in place of {ms[PIPELINE]:.1f}" + (", served" if mode == modes.served else "")
        for mode in modes.f2
    ]


def as_served(p: Probabilities, asked: ByMode | None) -> Probabilities:
    """Return the hold-out's answers (n, labels) in the mode that is served: what is reported is what is served.

    p: what the pipeline answers. asked: what the bundle answers; None where it has no other mode.
    """
    return p if asked is None or asked.served == PIPELINE else asked.p[asked.served]


def served_results(results: Results, asked: ByMode | None) -> Results:
    """Return results whose hold-out is answered as as_served does; its arguments are the same."""
    p, rows = results.p.copy(), ~results.inside
    p[rows] = as_served(p[rows], asked)
    return replace(results, stacked={**results.stacked, CALIBRATED: p})
