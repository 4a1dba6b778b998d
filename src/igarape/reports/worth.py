"""What a learner is worth: the blend of all against that without it. And a learner against the same on raw chips.

And what the learners of rare labels are worth to these: F2 hardly notices them.

Differences are of scores out of fold, with the 95 % intervals of paired bootstraps.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from igarape.config.documents import LearnerManifest
from igarape.labels import Booleans, Targets, Vocabulary
from igarape.scores.comparison import Difference, paired_bootstrap
from igarape.scores.draws import Draws
from igarape.scores.figures import f2_by_chip
from igarape.scores.metrics import Reals
from igarape.scores.ranking import Ranked, paired_map, paired_precision, rank


@dataclass(frozen=True)
class Worth:
    """A difference of two that answer the same chips, in F2 and in mean average precision."""

    f2: Difference
    map: Difference

    def to_json(self) -> dict[str, float]:
        """Return what reports/metrics.json keeps."""
        both = {"f2": self.f2, "map": self.map}
        means = {name: difference.mean for name, difference in both.items()}
        bounds = {
            f"{name}_{bound}": getattr(difference, bound)
            for name, difference in both.items()
            for bound in ("low", "high")
        }
        return means | bounds


@dataclass(frozen=True)
class LabelWorth:
    """Average precision of a label by one and by the other, and the difference; chips that have the label."""

    label: str
    chips: int
    before: float
    after: float
    difference: Difference


@dataclass(frozen=True)
class Views:
    """A learner on raw chips (before) and on others (after), overall and for each label that occurs.

    besides: other settings in which the two differ, as each was searched by itself; none where the comparison is fair.
    """

    before: str
    after: str
    chips: str
    besides: tuple[str, ...]
    worth: Worth
    labels: tuple[LabelWorth, ...]


@dataclass(frozen=True)
class RareWorth:
    """What learners of rare labels bring these, by average precision: all that occur, on average, and each of them."""

    before: float
    after: float
    difference: Difference
    labels: tuple[LabelWorth, ...]

    def to_json(self) -> dict[str, float]:
        """Return what reports/metrics.json keeps of the average."""
        return {"without": self.before, "with": self.after} | self.difference._asdict()


def worths(
    y: Booleans, blend: Reals, *, without: Mapping[str, Reals], targets: Targets, draws: Draws
) -> dict[str, Worth]:
    """Compare the blend of all learners with that without one, for each of these: the best first.

    Parameters
    ----------
    y, blend
        Truth, and the blend's probabilities, each of shape (n, labels).
    without
        Of the same shape, the blend without a learner, by its name.
    targets
        All labels.
    draws
        Of these chips, for the intervals.
    """
    if not without:
        return {}
    ranked = rank(y, {None: blend, **without}, draws)
    whole = f2_by_chip(y, blend, targets=targets)
    found = {}
    for name, p in without.items():
        f2 = paired_bootstrap(whole, f2_by_chip(y, p, targets=targets), draws)
        found[name] = Worth(f2, paired_map(ranked[None], ranked[name]))
    return dict(sorted(found.items(), key=lambda each: -each[1].f2.mean))


def same_but_chips(manifests: Mapping[str, LearnerManifest]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Pair each learner on raw chips with those that have its settings and see other chips.

    Of each pair, the two names, and the hyperparameters in which the two differ as well: a search may find others.
    """
    return [
        (one, other, _besides(manifests[one], manifests[other]))
        for one, other in permutations(manifests, 2)
        if manifests[one].chips == "raw" != manifests[other].chips
        and _fixed(manifests[one]) == _fixed(manifests[other])
    ]


def compare_views(
    y: Booleans,
    learners: Mapping[str, Reals],
    *,
    manifests: Mapping[str, LearnerManifest],
    vocabulary: Vocabulary,
    draws: Draws,
) -> list[Views]:
    """Compare each learner on raw chips with the same on other chips.

    Parameters
    ----------
    y
        Truth, of shape (n, labels).
    learners
        Probabilities (n, its labels) of each learner.
    manifests
        What each learner is.
    vocabulary
        All labels.
    draws
        Of these chips, for the intervals.
    """
    found = []
    for before, after, besides in same_but_chips(manifests):
        labels, targets = manifests[before].labels, vocabulary.targets(manifests[before].labels)
        own = y[:, [vocabulary.labels.index(label) for label in labels]]
        if not own.any():
            continue  # the rare labels of a small set may not occur: there is nothing to compare
        pair = {name: learners[name] for name in (before, after)}
        ranked = rank(own, pair, draws)
        scores = {name: f2_by_chip(own, p, targets=targets) for name, p in pair.items()}
        # As f2_by_chip has it: by the chips that hold some of the labels, where these are not all.
        scored = draws.rows(np.flatnonzero(own.any(axis=1))) if targets.partial else draws
        f2 = paired_bootstrap(scores[after], scores[before], scored)
        worth = Worth(f2, paired_map(ranked[after], ranked[before]))
        each = compare_labels(own, labels, ranked[before], ranked[after])
        found.append(Views(before, after, manifests[after].chips, besides, worth, each))
    return found


def rare_worth(y: Booleans, without: Reals, having: Reals, *, vocabulary: Vocabulary, draws: Draws) -> RareWorth | None:
    """Compare a stack of all learners with that without the learners of rare labels; None where no rare label occurs.

    Parameters
    ----------
    y, without, having
        Truth, and both stacks' probabilities, each of shape (n, labels).
    vocabulary
        Says which labels are rare.
    draws
        Of these chips, for the intervals.
    """
    columns = [j for j, label in enumerate(vocabulary.labels) if label in vocabulary.rare and y[:, j].any()]
    if not columns:
        return None
    own, labels = y[:, columns], tuple(vocabulary.labels[j] for j in columns)
    ranked = rank(own, {"before": without[:, columns], "after": having[:, columns]}, draws)
    before, after = ranked["before"], ranked["after"]
    means = float(before.observed.mean()), float(after.observed.mean())
    return RareWorth(*means, paired_map(after, before), compare_labels(own, labels, before, after))


def compare_labels(y: Booleans, labels: tuple[str, ...], before: Ranked, after: Ranked) -> tuple[LabelWorth, ...]:
    """Compare each of some labels that occurs, by average precision.

    Parameters
    ----------
    y
        Truth, of shape (n, labels).
    labels
        Their names.
    before, after
        The two that are compared.
    """
    rows = []
    for j, label in enumerate(labels):
        difference = paired_precision(after, before, j)
        if difference is not None:
            observed = float(before.observed[j]), float(after.observed[j])
            rows.append(LabelWorth(label, int(y[:, j].sum()), *observed, difference))
    return tuple(rows)


def _fixed(manifest: LearnerManifest) -> dict[str, object]:
    """Return the settings that are not searched, but for the chips."""
    return {name: value for name, value in manifest.settings.items() if name not in {"chips", "hyperparameters"}}


def _besides(one: LearnerManifest, other: LearnerManifest) -> tuple[str, ...]:
    """Name the hyperparameters that differ."""
    first, second = (manifest.settings.get("hyperparameters", {}) for manifest in (one, other))
    return tuple(sorted(name for name in first | second if first.get(name) != second.get(name)))
