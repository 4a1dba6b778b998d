"""Folds and hold-out: balanced in every label, and whole groups together."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from igarape.chips.exchange import Counts, even_out, groups_with
from igarape.errors import InputError, counted, expect
from igarape.labels import Booleans
from igarape.tables import HOLDOUT, Folds

DEALS = 20  # at most; one is enough for most data sets


def make_folds(
    y: Booleans,
    groups: Sequence[str],
    *,
    folds: int,
    holdout: float,
    seed: int,
    held: Booleans | None = None,
    by: str = "chip",
) -> Folds:
    """Give each chip a fold 0..folds-1, or -1 for the hold-out; a group's chips stay together.

    The same chips in another order get the same folds. Dealt from the rarest label up (Sechidis, Tsoumakas, Vlahavas,
    On the stratification of multi-label data, ECML 2011), on groups in place of single chips, then evened out by
    exchanges. A part that a label has not reached yet comes first, so that a label of at least folds groups reaches
    each fold, and one of more the hold-out too; only where several such labels crowd into the same few groups may that
    be impossible.

    Parameters
    ----------
    y
        Booleans of shape (chips, labels).
    groups
        One name a chip.
    folds
        How many.
    holdout
        The share of chips held out, or 0.
    seed
        Of the order in which groups of equal counts are dealt.
    held
        The chips that the data set itself holds out, (chips,); where there are any, they are the hold-out, all of it.
    by
        What split.by says, for advice.

    Raises
    ------
    InputError
        When a value is out of range, there are fewer groups than folds and a hold-out need, or one is larger than a
        fold.
    """
    count, each = len(y), f"one for each of the {len(y)} rows of y"
    expect(
        "split",
        (len(groups) == count, "groups", each, len(groups)),
        (held is None or len(held) == count, "held", each, None if held is None else len(held)),
        (folds >= 2, "folds", "at least 2", folds),
        (0 <= holdout < 1, "holdout", "at least 0 and less than 1", holdout),
        (by in {"chip", "scene"}, "by", "chip or scene", repr(by)),
    )
    if held is not None and held.any():
        fold = np.full(len(y), HOLDOUT, dtype=np.int64)
        inside = [group for group, out in zip(groups, held, strict=True) if not out]
        fold[~held] = _dealt(y[~held], inside, folds=folds, holdout=0.0, seed=seed, by=by)
        return fold
    return _dealt(y, groups, folds=folds, holdout=holdout, seed=seed, by=by)


def _dealt(y: Booleans, groups: Sequence[str], *, folds: int, holdout: float, seed: int, by: str) -> Folds:
    """Deal whole groups to the folds and the hold-out, and even the parts out."""
    names, members = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True)
    shares = np.array([(1 - holdout) / folds] * folds + [holdout] * (holdout > 0))
    # The last column counts every chip: it is the label that all groups have, so it comes last and evens out the sizes.
    counts = np.zeros((len(names), y.shape[1] + 1))
    np.add.at(counts, members, np.column_stack([y, np.ones(len(y), dtype=np.bool_)]))
    _check(names, counts[:, -1], shares, folds, by)
    rng = np.random.default_rng(seed)
    required = _required(counts > 0, folds, len(shares))
    part = even_out(_complete_deal(counts, shares, required, rng), counts, shares, rng)
    return np.where(part == folds, HOLDOUT, part)[members]


def _check(names: npt.NDArray[np.str_], sizes: Counts, shares: Counts, folds: int, by: str) -> None:
    """Refuse too few groups, and a group that no fold has room for; advise what the settings leave to do."""
    chips, extra = int(sizes.sum()), len(shares) - folds
    by_chip = ["set split.by to chip"] if by == "scene" and len(names) < chips else []
    if len(names) < len(shares):
        fewer = [f"set split.folds to {len(names) - extra}"] if len(names) - extra >= 2 else []
        need = f"{folds} folds and a hold-out" if extra else f"{folds} folds"
        raise InputError(
            f"split: {need} need at least {len(shares)} groups of chips, found {len(names)} of "
            f"{counted(chips, 'chip')}. {_either([*fewer, *by_chip, 'bring more chips'])}"
        )
    room, largest = int(np.ceil(shares[0] * chips)), int(sizes.argmax())
    if sizes[largest] > room:
        fewer = ["set split.folds lower"] if folds > 2 else []
        looser = "split.ratio lower, so that fewer borders fit" if by == "scene" else "split.hamming lower"
        raise InputError(
            f"split: the group of {names[largest]} has {counted(int(sizes[largest]), 'chip')}, and a fold has "
            f"room for {room}. "
            f"Look at its pairs in data/split/pairs.parquet. {_either([*fewer, f'set {looser}', *by_chip])}"
        )


def _either(choices: Sequence[str]) -> str:
    """Say what can be done, as a sentence."""
    text = ", or ".join(choices)
    return text[0].upper() + text[1:]


def _required(has: Booleans, folds: int, parts: int) -> Booleans:
    """Say which labels a part should not lack, (parts, labels): all, but the hold-out gives way to the folds."""
    required = np.ones((parts, has.shape[1]), dtype=np.bool_)
    required[folds:] = has.sum(axis=0) != folds
    return required


def _complete_deal(counts: Counts, shares: Counts, required: Booleans, rng: np.random.Generator) -> Folds:
    """Deal until every label that can reach each part does; of DEALS incomplete deals, return the best."""
    best, fewest = np.empty(0, dtype=np.int64), required.size + 1
    reachable = (counts > 0).sum(axis=0) >= required.sum(axis=0)
    for _ in range(DEALS):
        part = _deal(counts, shares, required, rng)
        lacking = required & (groups_with(part, counts, len(shares)) == 0)
        missing = int(np.count_nonzero(lacking[:, reachable]))
        if missing < fewest:
            best, fewest = part, missing
        if missing == 0:
            break
    return best


def _deal(counts: Counts, shares: Counts, required: Booleans, rng: np.random.Generator) -> Folds:
    """Deal groups out to parts. counts: (groups, labels) chips; shares: (parts,) of all chips.

    Return a part for each group, of shape (groups,).
    """
    part = np.full(len(counts), -1, dtype=np.int64)
    wanted = np.outer(shares, counts.sum(axis=0))
    lacking = required.copy()
    order = rng.permutation(len(counts))
    has = counts > 0
    while (part < 0).any():
        waiting = has[part < 0].sum(axis=0)
        label = int(np.argmin(np.where(waiting > 0, waiting, np.inf)))
        candidates = order[(part[order] < 0) & has[order, label]]
        for group in candidates[np.argsort(-counts[candidates, label], kind="stable")]:
            part[group] = chosen = _neediest(wanted, lacking, has[group], label)
            wanted[chosen] -= counts[group]
            lacking[chosen] &= ~has[group]
    return part


def _neediest(wanted: Counts, lacking: Booleans, has: Booleans, label: int) -> int:
    """Return the part that lacks the label, else lacks most of the group's labels, else wants most chips of it."""
    keys = (wanted[:, -1], wanted[:, label], lacking[:, has].sum(axis=1), lacking[:, label])
    return int(np.lexsort(keys)[-1])
