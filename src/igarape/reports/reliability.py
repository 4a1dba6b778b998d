"""Reliability: how far answers may be taken at their word, before and after calibration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from igarape.labels import Booleans
from igarape.scores.metrics import Reals, brier, calibration_error, reliability

Figures = Mapping[str, float]


class Bin(NamedTuple):
    """What was said of the answers of a bin: the mean of their probabilities; the share that is true; how many."""

    said: float
    true: float
    answers: int


@dataclass(frozen=True)
class Reliability:
    """figures: of the rows out of fold and of the hold-out, before and after: ece and brier, the labels' means.

    bins: of the same, after, over all labels together. kinds: each label's calibrator.
    """

    figures: Mapping[str, Figures]
    bins: Mapping[str, Sequence[Bin]]
    kinds: Mapping[str, str]


def reliable(y: Booleans, before: Reals, after: Reals, *, inside: Booleans, kinds: Mapping[str, str]) -> Reliability:
    """Compare probabilities with what is true.

    Parameters
    ----------
    y, before, after
        Truth, and probabilities before and after calibration, each of shape (n, labels).
    inside
        Which rows lie in the folds, of shape (n,); the others are the hold-out.
    kinds
        Each label's calibrator.
    """
    rows = {"oof": inside, "holdout": ~inside}
    figures = {
        f"{name}_{when}": {
            "ece": float(calibration_error(y[some], p[some]).mean()),
            "brier": float(brier(y[some], p[some]).mean()),
        }
        for name, some in rows.items()
        for when, p in {"before": before, "after": after}.items()
    }
    bins = {name: _bins(y[some].reshape(-1, 1), after[some].reshape(-1, 1)) for name, some in rows.items()}
    return Reliability(figures, bins, kinds)


def _bins(y: Booleans, p: Reals) -> list[Bin]:
    """Return the bins of one column that hold answers."""
    count, said, true = reliability(y, p)
    each = zip(said[:, 0].tolist(), true[:, 0].tolist(), count[:, 0].tolist(), strict=True)
    return [Bin(one, other, int(n)) for one, other, n in each if n]
