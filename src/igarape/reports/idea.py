"""Whether an idea is better: a learner against another, alone and in the blend, on the chips of the folds.

Every answer is out of fold, and the hold-out takes no part: it is there to be looked at once, by evaluate. Intervals
are those of paired bootstraps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from igarape.config.params import Params
from igarape.ensemble.boosting import Settings
from igarape.ensemble.stackers import fit_stackers
from igarape.errors import InputError
from igarape.labels import Booleans, Targets, Vocabulary
from igarape.predictions import learner_labels, learner_probabilities
from igarape.progress import DetailedReport
from igarape.reports.worth import LabelWorth, compare_labels
from igarape.scores.comparison import Difference, paired_bootstrap
from igarape.scores.draws import Draws
from igarape.scores.figures import f2_by_chip
from igarape.scores.metrics import Floats, Reals
from igarape.scores.ranking import Ranked, paired_map, rank
from igarape.tables import Probabilities

F2, MAP, RARE = "F2", "mAP", "mAP of rare labels"


@dataclass(frozen=True)
class Rows:
    """The chips of a table of folds, their truth (n, labels), all labels, and the group of each chip (n,)."""

    folds: pd.DataFrame
    y: Booleans
    vocabulary: Vocabulary
    groups: Sequence[str]

    @property
    def inside(self) -> Booleans:
        """Return which chips are in the folds, (n,): those of the hold-out are not."""
        return np.asarray(self.folds["fold"].to_numpy() >= 0, dtype=np.bool_)

    def draws(self, params: Params) -> Draws:
        """Return draws of the chips in the folds, by the stream's settings."""
        groups = np.asarray(self.groups)[self.inside]
        return Draws(groups, resamples=params.evaluate.resamples, seed=params.seed)


@dataclass(frozen=True)
class Judged:
    """Answers, judged: F2 of each chip (n,), average precision of each label (labels,), and that of resamples.

    f2: None of some labels only, where it tells how a learner's probabilities lie, and not which learner knows more.
    rare: the columns of the rare labels that occur, where others do too; draws: of these chips.
    """

    f2: Floats | None
    precision: Ranked
    rare: tuple[int, ...]
    draws: Draws

    @property
    def figures(self) -> dict[str, float]:
        """Return its F2, its mean average precision, and that of the rare labels; what there is of them."""
        found = {} if self.f2 is None else {F2: float(self.f2.mean())}
        found[MAP] = float(np.nanmean(self.precision.observed))
        return found | ({RARE: float(self.precision.observed[list(self.rare)].mean())} if self.rare else {})

    def beyond(self, other: "Judged") -> dict[str, Difference]:
        """Return what it has more than another one that was judged on the same chips and labels, in each figure."""
        found = {}
        if self.f2 is not None and other.f2 is not None:
            found[F2] = paired_bootstrap(self.f2, other.f2, self.draws)
        found[MAP] = paired_map(self.precision, other.precision)
        if self.rare:
            found[RARE] = paired_map(_only(self.precision, self.rare), _only(other.precision, self.rare))
        return found


@dataclass(frozen=True)
class Idea:
    """A learner (name) against another (against), on n chips.

    alone: both, by the labels that both predict. labels: of each that occurs, what it has more. base, blend: the
    learners of the blend, and that judged; None where there is none. beside, instead: what the blend gains with the
    learner beside them, and in the other's place; None where that is no other blend.
    """

    name: str
    against: str
    chips: int
    alone: tuple[Judged, Judged]
    labels: tuple[LabelWorth, ...]
    base: tuple[str, ...]
    blend: Judged | None
    beside: Mapping[str, Difference] | None
    instead: Mapping[str, Difference] | None


def judge(
    y: Booleans, answers: Mapping[str, Reals], *, targets: Targets, rare: Sequence[str], draws: Draws
) -> dict[str, Judged]:
    """Judge probabilities by what answers them, by name.

    Parameters
    ----------
    y
        Truth, of shape (n, labels).
    answers
        Probabilities, each of the same shape.
    targets
        The labels.
    rare
        Those that are rare in the data set.
    draws
        Of these chips, for the intervals.
    """
    ranked = rank(y, answers, draws)
    occur = [j for j in range(y.shape[1]) if y[:, j].any()]
    few = tuple(j for j in occur if targets.labels[j] in rare)
    few = few if len(few) < len(occur) else ()  # else it is the mean over all
    f2 = {name: None if targets.partial else f2_by_chip(y, p, targets=targets) for name, p in answers.items()}
    return {name: Judged(f2[name], ranked[name], few, draws) for name in answers}


def blended(tables: Mapping[str, pd.DataFrame], rows: Rows, params: Params, report: DetailedReport) -> Probabilities:
    """Cross-fit the blend of learners; return its answers to the chips of the folds, (chips, labels).

    Parameters
    ----------
    tables
        Each learner's predictions.
    rows
        The chips.
    params
        The stream's settings.
    report
        Called with (fits done, of how many, what was fitted).
    """
    fits = fit_stackers(
        tables,
        rows.y,
        folds=rows.folds,
        groups=rows.groups,
        vocabulary=rows.vocabulary,
        settings=Settings(**params.stack.model_dump(exclude={"use", "check"}), seed=params.seed),
        report=report,
        methods=("blend",),
    )
    return fits["blend"].p[rows.inside]


def weigh_idea(
    name: str,
    against: str,
    *,
    tables: Mapping[str, pd.DataFrame],
    rows: Rows,
    params: Params,
    report: DetailedReport,
) -> Idea:
    """Compare a learner with another one, alone, beside the learners that params.yaml lists, and in the other's place.

    Parameters
    ----------
    name, against
        The two.
    tables
        The predictions of both, and of all that are listed.
    rows
        The chips.
    params
        The stream's settings.
    report
        Called with (fits done, of how many, what was fitted), for each blend.

    Raises
    ------
    InputError
        When the two predict no label in common, or none that occurs.
    """
    draws = rows.draws(params)
    alone, labels = _alone(name, against, tables, rows, draws)
    base = {each: tables[each] for each in params.experiments if each != name}
    others = {each: table for each, table in base.items() if each != against}
    asked = {"base": base, "beside": base | {name: tables[name]}}
    asked |= {"instead": others | {name: tables[name]}} if against in base else {}
    answers = {
        how: blended(learners, rows, params, report)
        for how, learners in asked.items()
        if base and _covers(base, rows.vocabulary) and _covers(learners, rows.vocabulary)
    }
    targets, rare = rows.vocabulary.targets("all"), rows.vocabulary.rare
    found = judge(rows.y[rows.inside], answers, targets=targets, rare=rare, draws=draws) if answers else {}
    gains = {how: each.beyond(found["base"]) for how, each in found.items()}
    chips = int(rows.inside.sum())
    both = (alone[name], alone[against])
    blend = found.get("base")
    return Idea(name, against, chips, both, labels, tuple(base), blend, gains.get("beside"), gains.get("instead"))


def _alone(
    name: str, against: str, tables: Mapping[str, pd.DataFrame], rows: Rows, draws: Draws
) -> tuple[dict[str, Judged], tuple[LabelWorth, ...]]:
    """Judge two learners on the labels that both predict, and compare each label."""
    pair = {each: tables[each] for each in (against, name)}
    known = learner_labels(pair)
    common = [label for label in rows.vocabulary.labels if all(label in labels for labels in known.values())]
    if not common:
        raise InputError(f"{name} and {against} predict no label in common. Name another learner after --against")
    targets = rows.vocabulary.targets(common)
    every = learner_probabilities(pair, list(rows.folds["image_id"]))
    p = {each: every[each][rows.inside][:, [known[each].index(label) for label in common]] for each in pair}
    y = rows.y[rows.inside][:, [rows.vocabulary.labels.index(label) for label in common]]
    if not y.any():
        raise InputError(f"{', '.join(common)}: which {name} and {against} both predict, hold on no chip of the folds")
    found = judge(y, p, targets=targets, rare=rows.vocabulary.rare, draws=draws)
    return found, compare_labels(y, targets.labels, found[against].precision, found[name].precision)


def _covers(tables: Mapping[str, pd.DataFrame], vocabulary: Vocabulary) -> bool:
    """Say whether each label has a learner that predicts it."""
    return set(vocabulary.labels) <= {label for labels in learner_labels(tables).values() for label in labels}


def _only(ranked: Ranked, columns: Sequence[int]) -> Ranked:
    """Return the precision of some labels."""
    return Ranked(ranked.observed[list(columns)], ranked.drawn[:, list(columns)], ranked.groups)
