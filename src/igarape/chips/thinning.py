"""Thinning: labels made as rare as they are elsewhere, by setting chips aside, which stay labelled and unseen."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from igarape.chips.split import make_folds
from igarape.config.datasets import Labels
from igarape.config.params import Split
from igarape.errors import InputError, counted
from igarape.labels import Booleans
from igarape.tables import HOLDOUT, Folds

ASIDE = -2  # in place of a fold


def thinned_folds(
    y: Booleans, groups: Sequence[str], *, split: Split, labels: Labels, seed: int, held: Booleans
) -> Folds:
    """Deal chips as split.make_folds does, and set chips aside as labels.thin asks: a fold, -1 or ASIDE each, (chips,).

    The hold-out is the one that there is without thinning, whole; the chips that stay are dealt into folds anew.

    Parameters
    ----------
    y
        Which labels hold, of shape (chips, labels).
    groups
        One name a chip; a group's chips stay together, but for those that are set aside.
    split
        The settings.
    labels
        The data set's: the columns of y, and which are thinned.
    seed
        Of the deal, and of the choice of what is set aside.
    held
        The chips that the data set itself holds out, (chips,).

    Raises
    ------
    InputError
        As make_folds and set_aside do.
    """
    deal = partial(make_folds, folds=split.folds, holdout=split.holdout, seed=seed, by=split.by)
    fold = deal(y, groups, held=held)
    if not labels.thin:
        return fold
    inside = np.flatnonzero(fold != HOLDOUT)
    aside = inside[set_aside(y[inside], labels=labels.vocabulary().labels, thin=labels.thin, seed=seed)]
    left = np.setdiff1d(np.arange(len(y)), aside)
    fold[aside] = ASIDE
    kept = [groups[row] for row in left]
    try:
        fold[left] = deal(y[left], kept, held=fold[left] == HOLDOUT)
    except InputError as error:
        raise InputError(
            f"{error}. labels.thin set {len(aside)} of {len(inside)} chips aside: larger counts leave more"
        ) from error
    return fold


def set_aside(y: Booleans, *, labels: Sequence[str], thin: Mapping[str, int], seed: int) -> Booleans:
    """Choose the chips that are set aside until each thinned label is held by as many as asked: booleans (chips,).

    Chips without a thinned label all stay. A chip that holds several thinned labels goes for one of them only while
    each of the others has chips to spare, where there is another way; otherwise a label may end below its count.

    Parameters
    ----------
    y
        Which labels hold, of shape (chips, labels).
    labels
        The columns of y.
    thin
        How many chips shall hold a label, for some labels.
    seed
        Of the order in which chips are looked at.

    Raises
    ------
    InputError
        For a count above what there is.
    """
    for label, count in thin.items():
        there = int(y[:, labels.index(label)].sum())
        if count > there:
            raise InputError(
                f"labels.thin: {label}: {count}: only {counted(there, 'chip')} outside the hold-out have it. "
                f"Set it to at most {there}, or leave the label out"
            )
    columns = [labels.index(label) for label in sorted(thin, key=lambda label: (thin[label], label))]
    wanted = np.array([thin[labels[column]] for column in columns], dtype=np.int64)
    holds, kept = y[:, columns], y[:, columns].sum(axis=0)
    order = np.random.default_rng(seed).permutation(len(y))
    aside = np.zeros(len(y), dtype=np.bool_)
    for place in range(len(columns)):
        while kept[place] > wanted[place]:
            candidates = order[holds[order, place] & ~aside[order]]
            harmed = (holds[candidates] & (kept <= wanted)).sum(axis=1)
            row = candidates[harmed.argmin()]
            aside[row] = True
            kept -= holds[row]
    return aside
