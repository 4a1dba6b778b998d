"""The decision rules: probabilities (n, labels) -> booleans (n, labels).

Each rule answers exactly one label of the vocabulary's exclusive group, nothing beside a label that stands alone, and
never nothing at all. What a rule has to fit, it fits for the best sample F-beta.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from igarape.config.documents import OperatingPoint
from igarape.ensemble.best_sets import best_sets
from igarape.ensemble.thresholds import best_threshold, label_thresholds
from igarape.errors import InputError, did_you_mean
from igarape.labels import Booleans, Vocabulary
from igarape.scores.metrics import Reals
from igarape.scores.rules import apply_thresholds, isolated_threshold
from igarape.tables import HOLDOUT, Folds

RULES = ("fixed", "threshold", "per_label", "expected")


@dataclass(frozen=True)
class Rule:
    """A decision rule, made for the F-beta of a beta.

    threshold: of the rules fixed and threshold, else None. thresholds: of the rule per_label, by free label, else none.
    """

    name: str
    vocabulary: Vocabulary
    beta: float
    threshold: float | None = None
    thresholds: Mapping[str, float] = field(default_factory=dict)

    def apply(self, p: Reals) -> Booleans:
        """Turn probabilities of shape (n, labels) into booleans of the same shape."""
        expected = len(self.vocabulary.labels)
        if p.ndim != 2 or p.shape[1] != expected:
            raise InputError(f"decide: expected probabilities of shape (chips, {expected}), found {p.shape}")
        if not ((p >= 0) & (p <= 1)).all():
            raise InputError("decide: expected probabilities in 0..1, found others; look at data/stack")
        targets = self.vocabulary.targets("all")
        if self.name == "expected":
            return best_sets(p, self.vocabulary, beta=self.beta)
        if self.threshold is not None:
            return apply_thresholds(p, targets, threshold=self.threshold)
        own = [self.thresholds.get(label, 1.0) for label in targets.labels]
        return apply_thresholds(p, targets, threshold=np.array(own))

    @property
    def cuts(self) -> dict[str, float]:
        """Return the probability from which each free label is answered; none where the rule has no such thresholds."""
        free = [label for label in self.vocabulary.labels if label not in self.vocabulary.exclusive]
        if self.threshold is not None:
            return dict.fromkeys(free, self.threshold)
        return {label: self.thresholds[label] for label in free if label in self.thresholds}

    def to_json(self) -> dict[str, Any]:
        """Return what a JSON file keeps of the rule; the vocabulary is kept beside it."""
        return {
            "name": self.name,
            "beta": self.beta,
            "threshold": self.threshold,
            "thresholds": dict(self.thresholds),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any], vocabulary: Vocabulary) -> "Rule":
        """Restore a rule from to_json's answer."""
        _check_name(content["name"])
        return cls(vocabulary=vocabulary, **content)


def fit_rule(name: str, y: Booleans, p: Reals, folds: Folds, *, vocabulary: Vocabulary, beta: float) -> Rule:
    """Make the rule of a name.

    Parameters
    ----------
    name
        One of RULES.
    y, p
        The rows that thresholds are fitted on, each of shape (n, labels).
    folds
        Theirs, of shape (n,): what per_label chooses, it chooses by answers for each fold that the others gave.
    vocabulary
        The labels, and which of them exclude each other.
    beta
        Recall weighs so many times as much as precision.
    """
    _check_name(name)
    if name == "fixed":
        return Rule(name, vocabulary, beta, threshold=isolated_threshold(beta))
    if name == "threshold":
        return Rule(name, vocabulary, beta, threshold=best_threshold(y, p, vocabulary=vocabulary, beta=beta))
    if name == "per_label":
        thresholds = label_thresholds(y, p, folds, vocabulary=vocabulary, beta=beta)
        return Rule(name, vocabulary, beta, thresholds=thresholds)
    return Rule(name, vocabulary, beta)


def cross_fit_rule(name: str, y: Booleans, p: Reals, folds: Folds, *, vocabulary: Vocabulary, beta: float) -> Booleans:
    """Answer by one rule: each row's was fitted on the other folds; the hold-out's on all folds.

    Parameters
    ----------
    name
        One of RULES.
    y, p
        Truth and probabilities, each of shape (n, labels).
    folds
        Of shape (n,); the hold-out is fold -1 and nothing is ever fitted on it.
    vocabulary
        The labels, and which of them exclude each other.
    beta
        Recall weighs so many times as much as precision.

    Raises
    ------
    InputError
        When there is no other fold to fit a rule on.
    """
    answer = np.zeros(y.shape, dtype=np.bool_)
    for fold in np.unique(folds):
        rows, others = folds == fold, (folds != fold) & (folds != HOLDOUT)
        if not others.any():
            raise InputError(f"decide: fold {fold}: no other fold to fit a rule on; expected at least 2 folds")
        rule = fit_rule(name, y[others], p[others], folds[others], vocabulary=vocabulary, beta=beta)
        answer[rows] = rule.apply(p[rows])
    return answer


def raised_alerts(p: Reals, points: Mapping[str, OperatingPoint], vocabulary: Vocabulary) -> Booleans:
    """Say which labels raise an alert (ensemble.alerts), of the shape of p (n, labels)."""
    answer = np.zeros(p.shape, dtype=np.bool_)
    for label, point in points.items():
        column = vocabulary.labels.index(label)
        answer[:, column] = p[:, column] >= point.threshold
    return answer


def _check_name(name: str) -> None:
    if name not in RULES:
        raise InputError(f"decide: rule {name!r} is not known{did_you_mean(name, RULES)}")
