"""The expected F-beta of a given set of labels, chip by chip, if the probabilities are calibrated."""

import numpy as np

from igarape.labels import Booleans, Vocabulary
from igarape.scores.metrics import Floats, Reals
from igarape.scores.rules import label_columns


def expected_fbeta(p: Reals, answered: Booleans, vocabulary: Vocabulary, *, beta: float) -> Floats:
    """Return the expected F-beta, (n,), of the labels that are answered for each chip.

    It is what ensemble.best_sets maximises, over the same distribution of truths: free labels are independent, given a
    label of the exclusive group that others may stand beside; given one that stands alone they are absent. Hits and
    misses among the free labels are Poisson-binomial (Ye et al., ICML 2012).

    Parameters
    ----------
    p
        Probabilities (n, labels).
    answered
        The labels that are answered, of the same shape.
    vocabulary
        Which labels exclude each other.
    beta
        Recall weighs so many times as much as precision.
    """
    group, free, alone = label_columns(vocabulary.targets("all"))
    total = p[:, group].sum(axis=1, keepdims=True)
    weather = np.divide(p[:, group], total, out=np.full((len(p), len(group)), 1 / max(1, len(group))), where=total > 0)
    single = np.isin(group, alone)
    together = np.maximum(0, 1 - weather[:, single].sum(axis=1))
    q = np.minimum(1, p[:, free] / np.where(together > 0, together, 1)[:, None])
    weight, count = beta**2, answered.sum(axis=1)
    right = weather * answered[:, group]
    # A label that stands alone is the whole truth: one label, right if it is among those that are answered.
    lonely = right[:, single].sum(axis=1) * (1 + weight) / (weight + count)
    held, missed = _counts(q * answered[:, free]), _counts(q * ~answered[:, free])
    hits, rest = np.arange(len(held))[:, None, None], np.arange(len(missed))[None, :, None]
    true = hits + rest + (len(group) > 0)  # the group's own label is one more, and one hit more as often as it is right
    share = (1 + weight) / np.maximum(weight * true + count, 1)
    found = hits * together + right[:, ~single].sum(axis=1)
    expected: Floats = lonely + np.einsum("hn,rn,hrn->n", held, missed, share * found)
    return expected


def _counts(q: Floats) -> Floats:
    """Return how probably 0..m of the labels of probability q (n, m) hold: (m + 1, n)."""
    counts = np.zeros((q.shape[1] + 1, len(q)))
    counts[0] = 1
    for one in q.T:
        counts[1:] = counts[1:] * (1 - one) + counts[:-1] * one
        counts[0] *= 1 - one
    return counts
