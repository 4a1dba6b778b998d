"""Mistakes of the answers: what each label's cost, and which labels are taken for which."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from igarape.labels import Booleans, Vocabulary
from igarape.scores.comparison import Difference, paired_bootstrap
from igarape.scores.draws import Draws
from igarape.scores.metrics import f2_per_sample

# Rows of the table of labels that are taken for others.
SWAPS = 12
# Labels of a group whose table still fits a small screen.
WIDEST = 8


@dataclass(frozen=True)
class Cost:
    """F2 to win if a label were answered as it is; its chips missed, and answered wrongly."""

    label: str
    gain: Difference
    missed: int
    wrong: int


@dataclass(frozen=True)
class Swap:
    """On how many chips a label is missed and another one wrongly added.

    share: of the chips on which the first is missed. elsewhere: the share of all other chips to which the second is
    wrongly added, which is what chance would give.
    """

    missed: str
    added: str
    chips: int
    share: float
    elsewhere: float


@dataclass(frozen=True)
class Group:
    """The exclusive group: counts (true, answered) of chips of which exactly one of its labels is true.

    left_out: the other chips.
    """

    labels: tuple[str, ...]
    counts: npt.NDArray[np.int64]
    left_out: int


def error_budget(y: Booleans, answers: Booleans, *, labels: tuple[str, ...], draws: Draws) -> list[Cost]:
    """Replace one label's answers by the truth, for each label in turn: the dearest first.

    Parameters
    ----------
    y, answers
        Truth and answers, each of shape (n, labels).
    labels
        Their names.
    draws
        Of these chips, for the intervals.
    """
    now, rows = f2_per_sample(y, answers), []
    for j, label in enumerate(labels):
        perfect = answers.copy()
        perfect[:, j] = y[:, j]
        gain = paired_bootstrap(f2_per_sample(y, perfect), now, draws)
        missed, wrong = int((y[:, j] & ~answers[:, j]).sum()), int((~y[:, j] & answers[:, j]).sum())
        rows.append(Cost(label, gain, missed, wrong))
    return sorted(rows, key=lambda row: -row.gain.mean)


def swaps(y: Booleans, answers: Booleans, vocabulary: Vocabulary) -> list[Swap]:
    """Return the pairs of a missed and a wrongly added label that most chips have, SWAPS at most.

    Pairs inside the exclusive group are left to its own table, where it has one.
    """
    missed, added, labels = y & ~answers, ~y & answers, vocabulary.labels
    both = missed.T.astype(np.int64) @ added.astype(np.int64)
    shown = both.copy()
    grouped = len(vocabulary.exclusive) if _has_table(vocabulary) else 0
    shown[:grouped, :grouped] = 0
    rows = []
    for place in np.argsort(-shown, axis=None, kind="stable")[:SWAPS].tolist():
        i, j = divmod(place, len(labels))
        if shown[i, j]:
            others = int((~missed[:, i]).sum())
            elsewhere = (int(added[:, j].sum()) - int(both[i, j])) / others if others else 0.0
            share = int(both[i, j]) / int(missed[:, i].sum())
            rows.append(Swap(labels[i], labels[j], int(both[i, j]), share, elsewhere))
    return rows


def group_table(y: Booleans, answers: Booleans, vocabulary: Vocabulary) -> Group | None:
    """Count what is true against what is answered in the exclusive group; None without one, or with a large one."""
    if not _has_table(vocabulary):
        return None
    size = len(vocabulary.exclusive)
    rows = y[:, :size].sum(axis=1) == 1
    true, answered = y[rows, :size].argmax(axis=1), answers[rows, :size].argmax(axis=1)
    counts = np.bincount(true * size + answered, minlength=size * size).reshape(size, size)
    return Group(vocabulary.exclusive, counts, int((~rows).sum()))


def _has_table(vocabulary: Vocabulary) -> bool:
    return 0 < len(vocabulary.exclusive) <= WIDEST
