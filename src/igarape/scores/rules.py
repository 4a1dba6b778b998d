"""The rule that has nothing to fit: a threshold for the free labels, the most probable label of the exclusive group."""

import numpy as np
import numpy.typing as npt

from igarape.labels import Booleans, Vocabulary
from igarape.scores.metrics import BETA_SQUARED, Reals

# The best threshold for one isolated label with a calibrated probability.
ISOLATED = 1 / (1 + BETA_SQUARED)


def above(p: Reals, vocabulary: Vocabulary, *, threshold: float) -> Booleans:
    """Answer the group's most probable label and each free label with p >= threshold; the top label if none is."""
    group, free, alone = columns(vocabulary)
    answer = np.zeros(p.shape, dtype=np.bool_)
    answer[:, free] = p[:, free] >= threshold
    rows = np.arange(len(p))
    if len(group):
        top = group[p[:, group].argmax(axis=1)]
        answer[np.isin(top, alone)] = False
    else:
        top = np.where(answer.any(axis=1), answer.argmax(axis=1), p.argmax(axis=1))
    answer[rows, top] = True
    return answer


def columns(vocabulary: Vocabulary) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the columns of the exclusive group, of the free labels, and of the labels that stand alone."""
    labels = vocabulary.labels
    group = [labels.index(label) for label in vocabulary.exclusive]
    free = [j for j, label in enumerate(labels) if label not in vocabulary.exclusive]
    alone = [labels.index(label) for label in vocabulary.alone]
    return np.array(group, dtype=np.intp), np.array(free, dtype=np.intp), np.array(alone, dtype=np.intp)
