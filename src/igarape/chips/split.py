"""Folds and hold-out: balanced in every label, and whole groups together."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from igarape.errors import InputError
from igarape.labels import Booleans
from igarape.tables import HOLDOUT

Counts = npt.NDArray[np.float64]
Folds = npt.NDArray[np.int64]

DEALS = 20  # at most; one is enough for most data sets; each of Planet's 40,479 chips takes half a second


def make_folds(y: Booleans, groups: Sequence[str], *, folds: int, holdout: float, seed: int) -> Folds:
    """Give each chip a fold 0..folds-1, or -1 for the hold-out; a group's chips stay together.

    y: booleans of shape (chips, labels). groups: one name a chip. holdout: the share of chips held out. The same chips
    in another order get the same folds. Stratified from the rarest label up (Sechidis, Tsoumakas, Vlahavas, On the
    stratification of multi-label data, ECML 2011), on groups in place of single chips. A part that a label has not
    reached yet comes first, so that a label of at least folds + 1 groups reaches each fold and the hold-out; only where
    several such labels crowd into the same few groups may that be impossible.

    Raises InputError when there are fewer groups than folds and a hold-out need.
    """
    names, members = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True)
    if len(names) < folds + 1:
        raise InputError(
            f"split: {folds} folds and a hold-out need at least {folds + 1} groups of chips, found {len(names)}. "
            "Lower split.folds, or set split.by to chip"
        )
    # The last column counts every chip: it is the label that all groups have, so it comes last and evens out the sizes.
    counts = np.zeros((len(names), y.shape[1] + 1))
    np.add.at(counts, members, np.column_stack([y, np.ones(len(y), dtype=np.bool_)]))
    shares = np.array([(1 - holdout) / folds] * folds + [holdout])
    part = _complete_deal(counts, shares, np.random.default_rng(seed))
    return np.where(part == folds, HOLDOUT, part)[members]


def _complete_deal(counts: Counts, shares: Counts, rng: np.random.Generator) -> Folds:
    """Deal until every label that can reach each part does; of DEALS incomplete deals, return the best."""
    best, fewest = np.empty(0, dtype=np.int64), np.inf
    for _ in range(DEALS):
        part = _deal(counts, shares, rng)
        missing = _missing(part, counts > 0, len(shares))
        if missing < fewest:
            best, fewest = part, missing
        if missing == 0:
            break
    return best


def _missing(part: Folds, has: Booleans, parts: int) -> int:
    """Count pairs of a part and a label it lacks, of the labels that stand in as many groups as there are parts."""
    reachable = has[:, has.sum(axis=0) >= parts]
    return sum(int((~reachable[part == one].any(axis=0)).sum()) for one in range(parts))


def _deal(counts: Counts, shares: Counts, rng: np.random.Generator) -> Folds:
    """Deal groups out to parts. counts: (groups, labels) chips; shares: (parts,) of all chips.

    Return a part for each group, of shape (groups,).
    """
    part = np.full(len(counts), -1, dtype=np.int64)
    wanted = np.outer(shares, counts.sum(axis=0))
    held = np.zeros_like(wanted)
    order = rng.permutation(len(counts))
    has = counts > 0
    while (part < 0).any():
        waiting = has[part < 0].sum(axis=0)
        label = int(np.argmin(np.where(waiting > 0, waiting, np.inf)))
        candidates = order[(part[order] < 0) & has[order, label]]
        for group in candidates[np.argsort(-counts[candidates, label], kind="stable")]:
            part[group] = chosen = _neediest(wanted, held, has[group], label)
            wanted[chosen] -= counts[group]
            held[chosen] += has[group]
    return part


def _neediest(wanted: Counts, held: Counts, has: Booleans, label: int) -> int:
    """Return the part that lacks the label, else lacks most of the group's labels, else wants most chips of it."""
    lacking = held[:, has] == 0
    keys = (wanted[:, -1], wanted[:, label], lacking.sum(axis=1), held[:, label] == 0)
    return int(np.lexsort(keys)[-1])
