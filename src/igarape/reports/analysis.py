"""The analysis: what lies behind the score, out of fold, put together from what the steps before predicted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from igarape.config.params import Params
from igarape.ensemble.stacker import Stacker
from igarape.reports.contributions import Contributions, contributions
from igarape.reports.curves import Curve, curves
from igarape.reports.mistakes import Cost, Group, Swap, error_budget, group_table, swaps
from igarape.reports.results import Results
from igarape.reports.worth import RareWorth, Views, Worth, compare_views, rare_worth, worths

BLEND = "blend"


@dataclass(frozen=True)
class Analysis:
    """worths: what each learner is worth to the blend; irreplaceable: those that alone predict some label.

    rare: what the learners of rare labels bring these, None where there are none. views: learners on raw chips against
    the same on others. budget: what each label's mistakes cost. swaps, group: which labels are taken for which. curves:
    precision and recall of each label. contributions: what moves the stack.
    """

    worths: Mapping[str, Worth]
    irreplaceable: tuple[str, ...]
    rare: RareWorth | None
    views: tuple[Views, ...]
    budget: tuple[Cost, ...]
    swaps: tuple[Swap, ...]
    group: Group | None
    curves: tuple[Curve, ...]
    contributions: Contributions

    def to_json(self) -> dict[str, Any]:
        """Return what reports/metrics.json keeps."""
        labels = self.rare.labels if self.rare else ()
        return {
            "rare": {each.label: {"ap_without": each.before, "ap_with": each.after} for each in labels},
            "rare_map": self.rare.to_json() if self.rare else {},
            "worth": {name: worth.to_json() for name, worth in self.worths.items()},
            "views": {f"{each.after} - {each.before}": each.worth.to_json() for each in self.views},
            "budget": {cost.label: cost.gain._asdict() for cost in self.budget},
        }


def analyse(results: Results, stacker: Stacker, params: Params) -> Analysis:
    """Look behind the score: by the rows in the folds, and into the stack by the hold-out, which it serves unseen.

    Parameters
    ----------
    results
        What has been predicted, and by what.
    stacker
        The stack that serves.
    params
        The seed, and how often to resample.
    """
    inside, vocabulary = results.inside, results.rule.vocabulary
    y, answers = results.y[inside], results.answers
    draws = results.draws(inside, params)
    learners = {name: p[inside] for name, p in results.learners.items()}
    without, having = results.without_rare, results.stacked[results.stack.chosen][inside]
    return Analysis(
        worths=worths(
            y,
            results.stacked[BLEND][inside],
            without={name: p[inside] for name, p in results.without.items()},
            targets=vocabulary.targets("all"),
            draws=draws,
        ),
        irreplaceable=tuple(name for name in learners if name not in results.without),
        rare=None if without is None else rare_worth(y, without[inside], having, vocabulary=vocabulary, draws=draws),
        views=tuple(compare_views(y, learners, manifests=results.manifests, vocabulary=vocabulary, draws=draws)),
        budget=tuple(error_budget(y, answers, labels=vocabulary.labels, draws=draws)),
        swaps=tuple(swaps(y, answers, vocabulary)),
        group=group_table(y, answers, vocabulary),
        curves=tuple(
            curves(
                y,
                results.p[inside],
                answers=answers,
                alerts=results.decision.alerts,
                labels=vocabulary.labels,
            )
        ),
        contributions=contributions(stacker, {name: p[~inside] for name, p in results.learners.items()}),
    )
