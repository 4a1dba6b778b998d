"""The two figures by which everything that predicts is compared, always on rows it was not fitted on."""

from collections.abc import Sequence

from igarape.labels import Booleans, Vocabulary
from igarape.scores.metrics import Reals, mean_average_precision, sample_f2
from igarape.scores.rules import ISOLATED, above


def figures(y: Booleans, p: Reals, *, labels: Sequence[str], vocabulary: Vocabulary) -> dict[str, float]:
    """Return f2 (sample F2) and map (macro average precision) of probabilities p against y, both (n, labels).

    F2 is that of the fixed rule: 0.2 for free labels, the top of the exclusive group. For a learner of some labels only
    (the rare ones) it is that of the threshold 0.2, over the chips that hold at least one of them.
    """
    if tuple(labels) == vocabulary.labels:
        f2 = sample_f2(y, above(p, vocabulary, threshold=ISOLATED))
    else:
        positive = y.any(axis=1)
        f2 = sample_f2(y[positive], p[positive] >= ISOLATED)
    return {"f2": f2, "map": mean_average_precision(y, p)}
