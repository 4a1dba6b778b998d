"""The rule without parameters: a threshold for the free labels, and the most probable label of the exclusive group."""

import numpy as np
import numpy.typing as npt

from igarape.labels import Booleans, Targets
from igarape.scores.metrics import BETA, Floats, Reals


def isolated_threshold(beta: float) -> float:
    """Return the best threshold for one isolated label with a calibrated probability, under F-beta."""
    return 1 / (1 + beta**2)


# That under F2, by which all is compared: 0.2.
ISOLATED = isolated_threshold(BETA)


def fixed(p: Reals, targets: Targets) -> Booleans:
    """Answer probabilities p (n, labels) by the rule that every learner is compared by.

    That is above at the threshold ISOLATED. Of some labels only, it is the threshold alone: a chip may hold none.
    """
    return p >= ISOLATED if targets.partial else apply_thresholds(p, targets, threshold=ISOLATED)


def apply_thresholds(p: Reals, targets: Targets, *, threshold: float | Floats) -> Booleans:
    """Answer the group's most probable label and each free label with p >= threshold; the top label if none is.

    p is of shape (n, labels); threshold is one for all of them, or of shape (labels,). They are compared in p's
    precision.
    """
    group, free, alone = label_columns(targets)
    answer = np.zeros(p.shape, dtype=np.bool_)
    answer[:, free] = (p >= np.asarray(threshold, p.dtype))[:, free]
    rows = np.arange(len(p))
    if len(group):
        top = group[p[:, group].argmax(axis=1)]
        answer[np.isin(top, alone)] = False
    else:
        top = np.where(answer.any(axis=1), answer.argmax(axis=1), p.argmax(axis=1))
    answer[rows, top] = True
    return answer


def label_columns(targets: Targets) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the columns of the exclusive group, of the free labels, and of the labels that stand alone."""
    group, free = np.split(np.arange(len(targets.labels)), [targets.grouped])
    alone = [targets.labels.index(label) for label in targets.alone]
    return group, free, np.array(alone, dtype=np.intp)
