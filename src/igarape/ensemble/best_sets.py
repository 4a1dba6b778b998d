"""The set of labels that maximises expected F-beta, chip by chip: probabilities (n, labels) -> booleans."""

from collections.abc import Iterator

import numpy as np

from igarape.labels import Booleans, Vocabulary
from igarape.scores.metrics import Floats, Reals
from igarape.scores.rules import label_columns

# Rows at once: some 3 MB for 17 labels, which stay in the processor's cache.
CHUNK = 1024


def best_sets(p: Reals, vocabulary: Vocabulary, *, beta: float) -> Booleans:
    """Return, for each chip, the set of labels that maximises expected F-beta.

    Free labels are independent, so the best set of k of them is the top k, and their number is Poisson-binomial
    (Waegeman et al., JMLR 2014; Ye et al., ICML 2012). The group's probabilities are normalised and summed over. Given
    a label that stands alone, the free ones are absent; given another, they hold with q = min(1, p / (1 - p_alone)).
    """
    chunks = (p[start : start + CHUNK].astype(np.float64) for start in range(0, len(p), CHUNK))
    parts = [_best_sets(chunk, vocabulary, beta**2) for chunk in chunks]
    return np.concatenate(parts) if parts else np.zeros(p.shape, dtype=np.bool_)


def _best_sets(p: Floats, vocabulary: Vocabulary, weight: float) -> Booleans:
    """Compute best_sets for one chunk of rows; weight is the square of beta."""
    group, free, alone = label_columns(vocabulary.targets("all"))
    weather, single = _normalised(p[:, group]), np.isin(group, alone)
    lonely, companion = np.where(single, weather, 0), np.where(single, 0, weather)
    together = np.maximum(0, 1 - lonely.sum(axis=1))
    q = np.minimum(1, p[:, free] / np.where(together > 0, together, 1)[:, None])
    order = np.argsort(-q, axis=1, kind="stable")
    falling = np.ascontiguousarray(np.take_along_axis(q, order, axis=1).T)
    gain = _gain(falling, together, companion, weight)
    answer = np.zeros(p.shape, dtype=np.bool_)
    answered = np.arange(len(free)) < gain.argmax(axis=0)[:, None]
    np.put_along_axis(answer, free[order], answered, axis=1)
    if len(group):
        # The expected F-beta of a label alone is its probability: right, or nothing in common.
        stands_alone = lonely.max(axis=1) > gain.max(axis=0)
        answer[stands_alone] = False
        top = np.where(stands_alone, lonely.argmax(axis=1), companion.argmax(axis=1))
        answer[np.arange(len(p)), group[top]] = True
    return answer


def _gain(q: Floats, together: Floats, companion: Floats, weight: float) -> Floats:
    """Compute the expected F-beta of the top k free labels beside the best label of the group: (m + 1, n), k = 0..m.

    q (m, n): the free labels' probabilities, falling, given that nothing stands alone; together (n,): how probable that
    is; companion (n, group): the probability of each label of the group that the free ones may stand beside.
    One label of the group is always true and one always answered: g = 1 (without a group g = 0). With h hits among the
    k answered and r true ones among the others, which are independent, F = (1 + w) hits / (w (g + h + r) + g + k).
    """
    m, n = q.shape
    g = 1 if companion.shape[1] else 0
    gain = np.zeros((m + 1, n))
    for k, (held, missed) in enumerate(_counts(q)):
        hits, rest = np.arange(k + 1)[:, None], np.arange(m - k + 1)[None, :]
        share = (1 + weight) / np.maximum(weight * (g + hits + rest) + g + k, 1)
        gain[k] = together * np.einsum("hn,hn->n", held, (hits * share) @ missed)
        if g:
            gain[k] += companion.max(axis=1) * np.einsum("hn,hn->n", held, share @ missed)
    if not g:
        gain[0] = -1  # answering nothing is out of the question
    return gain


def _counts(q: Floats) -> Iterator[tuple[Floats, Floats]]:
    """Yield, for k = 0..m, how probably 0..k of the first k labels hold (k + 1, n), and 0..m - k of the others."""
    others = [np.ones((1, q.shape[1]))]
    for one in q[::-1]:
        others.append(_and(others[-1], one))
    first = others[0]
    yield first, others[-1]
    for k, one in enumerate(q, start=1):
        first = _and(first, one)
        yield first, others[len(q) - k]


def _and(counts: Floats, one: Floats) -> Floats:
    """Count one more label of probability one (n,): (labels + 1, n) becomes (labels + 2, n)."""
    more = np.empty((len(counts) + 1, counts.shape[1]))
    np.multiply(counts, 1 - one, out=more[:-1])
    more[-1] = 0
    more[1:] += counts * one
    return more


def _normalised(p: Floats) -> Floats:
    """Scale each row to sum 1; a row of zeros says nothing, so all its labels become equally probable."""
    total = p.sum(axis=1, keepdims=True)
    scaled: Floats = np.divide(p, total, out=np.full(p.shape, 1 / max(1, p.shape[1])), where=total > 0)
    return scaled
