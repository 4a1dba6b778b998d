"""The ladder: what each rung, from the best learner to the stack and its rule, adds in out-of-fold F2 and mAP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from igarape.labels import Booleans, Targets
from igarape.scores.comparison import Difference, paired_bootstrap
from igarape.scores.draws import Draws
from igarape.scores.figures import f2_by_chip
from igarape.scores.metrics import Floats, Reals, f2_per_sample
from igarape.scores.ranking import paired_map, rank


@dataclass(frozen=True)
class Ladder:
    """best: the learner of all labels with the highest F2. rungs: each stacker, then its rule, against it.

    trees: XGBoost against the blend that it corrects; None where one of the two was not fitted. Empty without a learner
    of all labels. learners: each learner of all labels but the best, against it. maps, learner_maps: the same in mean
    average precision; without rules, which rank nothing.
    """

    best: str | None
    rungs: Mapping[str, Difference]
    trees: Difference | None
    maps: Mapping[str, Difference] = field(default_factory=dict)
    learners: Mapping[str, Difference] = field(default_factory=dict)
    learner_maps: Mapping[str, Difference] = field(default_factory=dict)

    def to_json(self) -> dict[str, dict[str, float]]:
        """Return what reports/metrics.json keeps."""
        found = {name: difference._asdict() for name, difference in self.rungs.items()}
        for name, difference in self.maps.items():
            found[name] |= {"map": difference.mean, "map_low": difference.low, "map_high": difference.high}
        return found


def build_ladder(
    y: Booleans,
    *,
    learners: Mapping[str, Reals],
    stackers: Mapping[str, Reals],
    decided: Mapping[str, Booleans],
    targets: Targets,
    draws: Draws,
) -> Ladder:
    """Compare by paired bootstrap, on chips that nothing was fitted on.

    Parameters
    ----------
    y
        Truth, of shape (n, labels).
    learners
        Probabilities (n, labels) of each learner of all labels.
    stackers
        Probabilities (n, labels) of each stack.
    decided
        Answers (n, labels) by a rule, under the name of their rung.
    targets
        All labels.
    draws
        Of these chips, for the intervals.
    """

    def against(scores: Floats, reference: Floats) -> Difference:
        return paired_bootstrap(scores, reference, draws)

    alone = {name: f2_by_chip(y, p, targets=targets) for name, p in learners.items()}
    stacked = {name: f2_by_chip(y, p, targets=targets) for name, p in stackers.items()}
    trees = against(stacked["xgboost"], stacked["blend"]) if {"xgboost", "blend"} <= set(stacked) else None
    if not alone:
        return Ladder(None, {}, trees)
    best = max(alone, key=lambda name: float(alone[name].mean()))
    scores = stacked | {name: f2_per_sample(y, answers) for name, answers in decided.items()}
    rungs = {name: against(each, alone[best]) for name, each in scores.items()}
    beside = {name: against(each, alone[best]) for name, each in alone.items() if name != best}
    # Pairs, as a stacker may be called as a learner is.
    rankings = {("learner", name): p for name, p in learners.items()} | {("stack", n): p for n, p in stackers.items()}
    ranked = rank(y, rankings, draws)
    maps: dict[str, dict[str, Difference]] = {"learner": {}, "stack": {}}
    for (kind, name), each in ranked.items():
        if (kind, name) != ("learner", best):
            maps[kind][name] = paired_map(each, ranked["learner", best])
    return Ladder(best, rungs, trees, maps["stack"], beside, maps["learner"])


def ladder_lines(ladder: Ladder, *, stacker: str, kept: Sequence[str], labels: int) -> list[str]:
    """Return what the ladder shows as sentences, for somebody who reads nothing else.

    Parameters
    ----------
    ladder
        The ladder.
    stacker
        The one that is used.
    kept
        The labels that trees do not correct.
    labels
        How many there are.
    """
    said = []
    if ladder.best is not None:
        words = {
            "up": "The stack beats its best learner",
            "down": "The stack is worse than its best learner",
            "same": "The stack scores the same as its best learner",
            "open": "The stack cannot be told from its best learner",
        }
        difference = ladder.rungs[stacker]
        if stacker == "single" and difference.verdict == "same":
            said.append(f"The stack that is used, single, is its best learner alone: {ladder.best}.")
        else:
            said.append(f"{words[difference.verdict]}: {stacker} against {ladder.best}, F2 {difference} out of fold.")
    if ladder.trees is not None:
        words = {
            "up": "XGBoost beats the blend that it starts from",
            "down": "XGBoost is worse than the blend that it starts from",
            "same": "XGBoost scores the same as the blend that it starts from",
            "open": "XGBoost does not beat the blend that it starts from",
        }
        corrected = f"trees correct {labels - len(kept)} of {labels} labels"
        said.append(f"{words[ladder.trees.verdict]}: F2 {ladder.trees}; {corrected}.")
    return said
