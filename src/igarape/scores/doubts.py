"""Doubts about labels: confident learning, label by label (Northcutt, Jiang, Chuang: JAIR 70, 2021)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from igarape.labels import Booleans
from igarape.scores.metrics import Reals

EVEN = 0.5
ROUNDING = 1e-6  # of a threshold: probabilities that are all alike are not below their own mean

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Doubts:
    """Where models contradict labels, each label a question of its own with the classes 0 and 1.

    doubt: the probability that a label is not as given, which is 1 less the self-confidence, (n, labels). In two
    classes the normalised margin ranks as it does. doubted: where models are confident of the contrary, (n, labels).
    wrong: how many labels are estimated to be wrong in the rows that were counted, (2, labels): of those given as 0, of
    those given as 1.
    """

    doubt: Doubles
    doubted: Booleans
    wrong: Doubles


def find_doubts(y: Booleans, p: Reals, *, counted: Booleans) -> Doubts:
    """Compare labels y with probabilities p, both (n, labels), that were predicted by models that did not see the row.

    A class's threshold is the mean of its probability over the counted rows that are given as it. A row is counted as
    the class whose threshold its probability reaches, the more probable one where it reaches both, and none where it
    reaches neither. Those counts by the class that is given are the confident joint. Its rows, scaled to the number of
    labels given, estimate how many are wrong. A doubted label is counted as the other class, which is the more probable
    one too: rare labels have thresholds far below one half. Models that know nothing of a rare label doubt all who have
    it.

    counted: which rows thresholds and estimates are of, (n,). Rows beyond, such as the hold-out's, are only compared.
    """
    up = np.asarray(p, dtype=np.float64)
    chances = np.stack([1 - up, up])  # of the classes 0 and 1
    given = np.stack([~y, y]) & counted[:, None]
    reached = chances >= _thresholds(chances, given) - ROUNDING
    is_one = reached[1] & (~reached[0] | (up > EVEN))
    held = np.stack([reached[0] & ~is_one, is_one])
    joint = (given[:, None] & held[None]).sum(axis=2)  # (given, held, labels)
    confident = joint.sum(axis=1)
    strays = np.stack([joint[0, 1], joint[1, 0]])
    shares = np.divide(strays, confident, out=np.zeros(strays.shape), where=confident > 0)
    doubt = np.where(y, chances[0], chances[1])
    return Doubts(
        doubt=doubt,
        doubted=np.where(y, held[0], held[1]) & (doubt > EVEN),
        wrong=shares * given.sum(axis=1),
    )


def _thresholds(chances: Doubles, given: Booleans) -> Doubles:
    """Return the mean chance of each class over the rows given as it, (2, 1, labels); a class without any has none."""
    counts = given.sum(axis=1, keepdims=True)
    sums = (chances * given).sum(axis=1, keepdims=True)
    return np.asarray(np.divide(sums, counts, out=np.full(sums.shape, np.inf), where=counts > 0))
