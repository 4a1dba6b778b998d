"""The decision rules: probabilities (n, labels) -> booleans (n, labels).

Each rule answers exactly one label of the vocabulary's exclusive group, nothing beside a label that stands alone, and
never nothing at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from igarape.errors import InputError, did_you_mean
from igarape.labels import Booleans, Vocabulary
from igarape.scores.metrics import Floats, Reals, sample_f2
from igarape.scores.rules import ISOLATED, above, columns
from igarape.tables import HOLDOUT

RULES = ("fixed", "threshold", "expected_f2")

GRID = np.arange(2, 81) / 100
# Rows at once in expected_f2: some 3 MB for 17 labels, which stay in the processor's cache.
CHUNK = 1024


@dataclass(frozen=True)
class Rule:
    """A decision rule; threshold is None for the rule that has none (expected_f2)."""

    name: str
    threshold: float | None
    vocabulary: Vocabulary

    def apply(self, p: Reals) -> Booleans:
        """Turn probabilities of shape (n, labels) into booleans of the same shape."""
        expected = len(self.vocabulary.labels)
        if p.ndim != 2 or p.shape[1] != expected:
            raise InputError(f"decide: expected probabilities of shape (chips, {expected}), found {p.shape}")
        if not ((p >= 0) & (p <= 1)).all():
            raise InputError("decide: expected probabilities in 0..1, found others; look at data/stack")
        if self.threshold is None:
            return expected_f2(p, self.vocabulary)
        return above(p, self.vocabulary.targets("all"), threshold=self.threshold)

    def to_json(self) -> dict[str, Any]:
        """Return what a JSON file keeps of the rule; the vocabulary is kept beside it."""
        return {"name": self.name, "threshold": self.threshold}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], vocabulary: Vocabulary) -> "Rule":
        """Restore a rule from to_json's answer."""
        _check_name(content["name"])
        return cls(name=content["name"], threshold=content["threshold"], vocabulary=vocabulary)


def fit_rule(name: str, y: Booleans, p: Reals, *, vocabulary: Vocabulary) -> Rule:
    """Make the rule of a name.

    Parameters
    ----------
    name
        One of RULES.
    y, p
        The rows that a threshold is fitted on, each of shape (n, labels).
    vocabulary
        The labels, and which of them exclude each other.
    """
    _check_name(name)
    if name == "expected_f2":
        return Rule(name, None, vocabulary)
    return Rule(name, ISOLATED if name == "fixed" else _best_threshold(y, p, vocabulary), vocabulary)


def cross_fit_rules(
    y: Booleans, p: Reals, folds: npt.NDArray[np.integer], *, vocabulary: Vocabulary
) -> dict[str, Booleans]:
    """Answer by each rule: each row's rule was fitted on the other folds; the hold-out's on all folds.

    Parameters
    ----------
    y, p
        Truth and probabilities, each of shape (n, labels).
    folds
        Of shape (n,); the hold-out is fold -1 and nothing is ever fitted on it.
    vocabulary
        The labels, and which of them exclude each other.

    Raises
    ------
    InputError
        When there is no other fold to fit a rule on.
    """
    answers = {name: np.zeros(y.shape, dtype=np.bool_) for name in RULES}
    for fold in np.unique(folds):
        rows, others = folds == fold, (folds != fold) & (folds != HOLDOUT)
        if not others.any():
            raise InputError(f"decide: fold {fold}: no other fold to fit a rule on; expected at least 2 folds")
        for name, answer in answers.items():
            answer[rows] = fit_rule(name, y[others], p[others], vocabulary=vocabulary).apply(p[rows])
    return answers


def expected_f2(p: Reals, vocabulary: Vocabulary) -> Booleans:
    """Answer, for each chip, the set of labels with the greatest expected F2.

    Free labels are independent, so the best set of k of them is the top k, and their number is Poisson-binomial
    (Waegeman et al., JMLR 2014; Ye et al., ICML 2012). The group's probabilities are normalised and summed over. Given
    a label that stands alone, the free ones are absent; given another, they hold with q = min(1, p / (1 - p_alone)).
    """
    parts = [_expected_f2(p[start : start + CHUNK].astype(np.float64), vocabulary) for start in range(0, len(p), CHUNK)]
    return np.concatenate(parts) if parts else np.zeros(p.shape, dtype=np.bool_)


def _expected_f2(p: Floats, vocabulary: Vocabulary) -> Booleans:
    """Answer expected_f2 for one chunk of rows."""
    group, free, alone = columns(vocabulary.targets("all"))
    weather, single = _normalised(p[:, group]), np.isin(group, alone)
    lonely, companion = np.where(single, weather, 0), np.where(single, 0, weather)
    together = np.maximum(0, 1 - lonely.sum(axis=1))
    q = np.minimum(1, p[:, free] / np.where(together > 0, together, 1)[:, None])
    order = np.argsort(-q, axis=1, kind="stable")
    gain = _gain(np.take_along_axis(q, order, axis=1), together, companion)
    answer = np.zeros(p.shape, dtype=np.bool_)
    answer[:, free] = np.argsort(order, axis=1) < gain.argmax(axis=1)[:, None]
    if len(group):
        # The expected F2 of a label alone is its probability: right, or nothing in common.
        stands_alone = lonely.max(axis=1) > gain.max(axis=1)
        answer[stands_alone] = False
        top = np.where(stands_alone, lonely.argmax(axis=1), companion.argmax(axis=1))
        answer[np.arange(len(p)), group[top]] = True
    return answer


def _gain(q: Floats, together: Floats, companion: Floats) -> Floats:
    """Compute the expected F2 of the top k free labels, k = 0..m, beside the best label of the group: (n, m + 1).

    q (n, m): the free labels' probabilities, falling, given that nothing stands alone; together (n,): how probable that
    is; companion (n, group): the probability of each label of the group that the free ones may stand beside.
    One label of the group is always true and one always answered: g = 1 (without a group g = 0). With T true free
    labels, E = 5 E[hits / (4 (g + T) + g + k)]; a free label's hit is counted with the number of the others, T - 1.
    """
    n, m = q.shape
    g = 1 if companion.shape[1] else 0
    others = _others(q)
    true, answered = np.arange(m + 1)[:, None] + g, np.arange(m + 1)[None, :] + g
    hit = q[:, :, None] * (others[:, :m] @ (1 / (4 * (true + 1) + answered)))
    hits = np.zeros((n, m + 1))
    hits[:, 1:] = np.cumsum(hit, axis=1)[:, np.arange(m), np.arange(m) + 1]
    gain: Floats = 5 * hits
    if g:
        gain = companion.max(axis=1)[:, None] * (others[:, m] @ (5 / (4 * true + answered))) + together[:, None] * gain
    else:
        gain[:, 0] = -1  # answering nothing is out of the question
    return gain


def _others(q: Floats) -> Floats:
    """Count the others, (n, m + 1, m + 1): [:, i, t] is how probably t labels besides i hold; [:, m] omits none."""
    n, m = q.shape
    counts = np.zeros((n, m + 1, m + 1))
    counts[:, :, 0] = 1
    for j in range(m):
        holds = np.repeat(q[:, j, None, None], m + 1, axis=1)
        holds[:, j] = 0
        counts[:, :, 1:] = counts[:, :, 1:] * (1 - holds) + counts[:, :, :-1] * holds
        counts[:, :, 0] *= 1 - holds[:, :, 0]
    return counts


def _normalised(p: Floats) -> Floats:
    """Scale each row to sum 1; a row of zeros says nothing, so all its labels become equally probable."""
    total = p.sum(axis=1, keepdims=True)
    scaled: Floats = np.divide(p, total, out=np.full(p.shape, 1 / max(1, p.shape[1])), where=total > 0)
    return scaled


def _best_threshold(y: Booleans, p: Reals, vocabulary: Vocabulary) -> float:
    """Find the threshold of the grid with the best sample F2; of equals, the one nearest to the isolated label's."""
    nearest: list[float] = sorted(GRID.tolist(), key=lambda threshold: abs(threshold - ISOLATED))
    targets = vocabulary.targets("all")
    return max(nearest, key=lambda threshold: sample_f2(y, above(p, targets, threshold=threshold)))


def _check_name(name: str) -> None:
    if name not in RULES:
        raise InputError(f"decide: rule {name!r} is not known{did_you_mean(name, RULES)}")
