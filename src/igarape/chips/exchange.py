"""Groups of chips exchanged between folds and hold-out, so that each holds its share of every label."""

from collections import defaultdict
from itertools import combinations

import numpy as np
import numpy.typing as npt

from igarape.tables import Folds

Counts = npt.NDArray[np.float64]

CANDIDATES = 128  # kinds of groups that are looked at in a part for one exchange
DIGITS = 12  # beyond them two machines may differ, and would choose another of two equal exchanges


def groups_with(part: Folds, counts: Counts, parts: int) -> Folds:
    """Count in how many groups of each part a label stands: (parts, labels)."""
    return np.array([(counts[part == one] > 0).sum(axis=0) for one in range(parts)])


def even_out(part: Folds, counts: Counts, shares: Counts, rng: np.random.Generator) -> Folds:
    """Exchange groups between parts, two and two, for as long as that evens the labels out.

    What sinks with each exchange is the sum over parts and labels of (held / wanted - 1)^2, so rare labels weigh as
    much as common ones. No part loses the last group of a label. Groups of the same counts are one kind; one kind is
    the empty group, so that a group can also be given away.

    Parameters
    ----------
    part
        That each group is in, of shape (groups,).
    counts
        How many chips of each group hold each label, of shape (groups, labels).
    shares
        Of all chips, for each part, of shape (parts,).
    rng
        Draws the groups that are looked at, where there are many kinds.
    """
    kinds, kind = np.unique(counts, axis=0, return_inverse=True)
    parts = _Parts(part, np.vstack([kinds, np.zeros(counts.shape[1])]), kind, shares)
    pairs = list(combinations(range(len(shares)), 2))
    waiting = dict.fromkeys(pairs)
    while waiting:
        one, two = next(iter(waiting))
        del waiting[one, two]
        changed = False
        while (found := parts.best_exchange(one, two, rng)) is not None:
            parts.exchange(one, two, *found)
            changed = True
        if changed:
            waiting |= dict.fromkeys(pair for pair in pairs if len({one, two} & set(pair)) == 1)
    return parts.part


class _Parts:
    """Where the groups are, and how far each part is from what it should hold.

    kinds: (kinds, labels) chips, the last one empty. kind: (groups,). off: (parts, labels), in shares of all chips that
    have the label. held: (parts, labels), the groups of a part that have the label.
    """

    def __init__(self, part: Folds, kinds: Counts, kind: Folds, shares: Counts) -> None:
        self.part = part.copy()
        totals = kinds[kind].sum(axis=0)
        self._has = kinds > 0
        self._size = kinds / np.where(totals > 0, totals, 1)
        self._square = (self._size**2).sum(axis=1)
        self._weight = 1 / shares**2
        here = [part == one for one in range(len(shares))]
        self._off = np.array([self._size[kind[rows]].sum(axis=0) for rows in here]) - np.outer(shares, totals > 0)
        self._held = groups_with(part, kinds[kind], len(shares))
        self._groups: dict[tuple[int, int], list[int]] = defaultdict(list)
        for group, place in enumerate(zip(part.tolist(), kind.tolist(), strict=True)):
            self._groups[place].append(group)
        self._count = np.array([np.bincount(kind[rows], minlength=len(kinds)) for rows in here])
        self._count[:, -1] = 1

    def best_exchange(self, one: int, two: int, rng: np.random.Generator) -> tuple[int, int] | None:
        """Return the kind that part one should give to part two, and the kind it should take; None if it is best so."""
        given, taken = self._candidates(one, rng), self._candidates(two, rng)
        weight, size = self._weight, self._size
        # Of w1 |off1 + v|^2 + w2 |off2 - v|^2, with v = taken - given, what depends on v:
        pull = size @ (2 * (weight[one] * self._off[one] - weight[two] * self._off[two]))
        squares = self._square[given][:, None] + self._square[taken] - 2 * size[given] @ size[taken].T
        change = pull[taken] - pull[given][:, None] + (weight[one] + weight[two]) * squares
        has_given, has_taken = self._has[given], self._has[taken]
        change[(has_given & (self._held[one] == 1)) @ ~has_taken.T] = 0
        change[~has_given @ (has_taken & (self._held[two] == 1)).T] = 0
        change = change.round(DIGITS)
        row, column = np.unravel_index(change.argmin(), change.shape)
        return (int(given[row]), int(taken[column])) if change[row, column] < 0 else None

    def exchange(self, one: int, two: int, given: int, taken: int) -> None:
        """Move a group of kind given from part one to part two, and one of kind taken back."""
        for kind, source, target in ((given, one, two), (taken, two, one)):
            for where, sign in ((source, -1), (target, 1)):
                self._off[where] += sign * self._size[kind]
                self._held[where] += sign * self._has[kind]
            if self._groups[source, kind]:  # the empty kind has none
                group = self._groups[source, kind].pop()
                self._groups[target, kind].append(group)
                self.part[group] = target
                self._count[source, kind] -= 1
                self._count[target, kind] += 1

    def _candidates(self, part: int, rng: np.random.Generator) -> Folds:
        """Return the kinds of groups in a part, at most CANDIDATES of them, and the empty kind."""
        kinds = np.flatnonzero(self._count[part])
        if len(kinds) <= CANDIDATES:
            return kinds
        return np.append(rng.choice(kinds[:-1], CANDIDATES, replace=False), kinds[-1])
