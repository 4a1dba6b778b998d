"""Rules that labels keep: a group of which exactly one holds, and those of it that rule out all others."""

from collections.abc import Sequence
from math import ceil, log
from typing import NamedTuple

import numpy as np
from scipy.stats import binom

from igarape.labels import Booleans

BROKEN = 0.005  # of the chips may break a rule: real labels do so now and then. Of few chips one may, by a slip
CHANCE = log(1e-9)  # a rule that independent labels keep with more than that probability is none
STEPS = 20_000  # of the search for a group; where so many do not find one, there is none worth having


class Group(NamedTuple):
    """Labels of which exactly one holds on each chip; needed: on so many chips like these it is no chance any more."""

    labels: tuple[str, ...]
    needed: int


def exclusive_group(y: Booleans, labels: Sequence[str]) -> Group | None:
    """Return the labels of which exactly one holds on each chip, in their order; None where there is no such group.

    y: (chips, labels). Of several groups the one that is least likely by chance. Where each chip has one label, all of
    them exclude each other. A group that needs more chips than there are may be luck.
    """
    if (y.sum(axis=1) == 1).all() and np.count_nonzero(y.sum(axis=0)) >= 2:
        return Group(tuple(labels), 0)
    chances = {group: _chance(y[:, list(group)]) for group in _groups(y)}
    if not chances:
        return None
    best = min(chances, key=lambda group: chances[group])
    needed = ceil(len(y) * CHANCE / chances[best])  # each chip keeps the rule by itself
    return Group(tuple(labels[column] for column in sorted(best)), needed)


def lone_labels(y: Booleans, labels: Sequence[str], exclusive: Sequence[str]) -> tuple[str, ...]:
    """Return the labels of an exclusive group beside which no other label holds; empty where that says nothing.

    Chips that hold none of the group, or several, say nothing of it.
    """
    y = y[_one_holds(y, [column for column, label in enumerate(labels) if label in exclusive])]
    others = [column for column, label in enumerate(labels) if label not in exclusive]
    if not others:
        return ()
    with_others: Booleans = np.asarray(y[:, others].any(axis=1), dtype=np.bool_)
    lone = tuple(
        label
        for column, label in enumerate(labels)
        if label in exclusive
        and y[:, column].sum() * -log(1 - min(with_others.mean(), 0.999)) > 10
        and with_others[y[:, column]].mean() <= BROKEN
    )
    return lone if len(lone) < len(exclusive) else ()


def broken_rows(y: Booleans, labels: Sequence[str], exclusive: Sequence[str]) -> list[int]:
    """Return the rows of chips that hold none of the labels that exclude each other, or several."""
    kept = _one_holds(y, [column for column, label in enumerate(labels) if label in exclusive])
    return [int(row) for row in np.flatnonzero(~kept)] if exclusive else []


def _one_holds(y: Booleans, group: Sequence[int]) -> Booleans:
    """Say of which rows exactly one of these columns holds."""
    return np.asarray(y[:, list(group)].sum(axis=1) == 1, dtype=np.bool_)


def _groups(y: Booleans) -> list[tuple[int, ...]]:
    """Return the groups of columns of which exactly one holds in all rows but few."""
    allowed = max(1, int(BROKEN * len(y)))
    kinds, counts = np.unique(y, axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    kinds, counts = kinds[order], counts[order]
    columns = np.ascontiguousarray(kinds.T)
    apart = (columns * counts) @ kinds <= allowed
    found: list[tuple[int, ...]] = []
    waiting: list[tuple[tuple[int, ...], tuple[int, ...]]] = [((), ())]
    for _ in range(STEPS):
        if not waiting:
            break
        group, borne = waiting.pop()
        held, given = columns[list(group)].sum(axis=0), counts[list(borne)].sum()
        if counts[held > 1].sum() > allowed:
            continue  # with more labels there are no fewer
        bare = held == 0
        bare[list(borne)] = False
        if given + counts[bare].sum() <= allowed:
            found += [group] if len(group) >= 2 and counts[held != 1].sum() <= allowed else []
            continue
        # The most frequent chip that has none yet must get its one from among its labels, or be one of the few.
        first = int(bare.argmax())
        waiting += [(group, (*borne, first))] if given + counts[first] <= allowed else []
        waiting += [
            ((*group, int(label)), borne) for label in np.flatnonzero(kinds[first]) if apart[label, list(group)].all()
        ]
    return found


def _chance(y: Booleans) -> float:
    """Return the logarithm of the probability that independent labels as frequent as these break the rule as seldom."""
    share = np.clip(y.mean(axis=0), 1e-9, 1 - 1e-9)
    none = float(np.log1p(-share).sum())
    one = float((share / (1 - share)).sum())
    kept = min(np.exp(none + log(one)), 1 - 1e-12)
    broken = int((~_one_holds(y, range(y.shape[1]))).sum())
    at_most, just = (of(broken, len(y), 1 - kept) for of in (binom.logcdf, binom.logpmf))
    return float(max(at_most, just))  # the first one is minus infinity below 1e-308
