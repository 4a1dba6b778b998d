"""Nested cross-validation of stacks: no row is predicted by a fit, or a choice of hyperparameters, that has seen it.

`Within` is the set of parts (folds, or pieces of them) that a fit may use. Hyperparameters (the blend's penalty, the
rounds and depth of the trees) are chosen by cross-validation over those parts, and the margin that trees start from is
cross-fitted in the same way. Fits on fewer parts are cached and shared: that on all folds but two serves either fold.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from igarape.ensemble.blend import Blend, cube, fit_blend
from igarape.ensemble.linear import Learners, log_loss, logit
from igarape.errors import InputError
from igarape.labels import Booleans, Targets
from igarape.scores.metrics import Floats
from igarape.tables import HOLDOUT, Folds, Probabilities

Within = frozenset[int]

# Fitted in this order, each warm-started from the one before: under the strongest, the blend is nearest to its start.
PENALTIES = (10000.0, 1000.0, 100.0, 10.0, 1.0)


@dataclass(frozen=True)
class Known:
    """What stacks are fitted on: p (n, columns), by `stack_columns`; truth y (n, labels); the part of each row.

    The hold-out is part -1, and is known to nothing. learners: the labels that each predicts. targets: all labels.
    """

    p: Probabilities
    y: Booleans
    parts: Folds
    learners: Learners
    targets: Targets

    @property
    def labels(self) -> Sequence[str]:
        """Return all labels."""
        return self.targets.labels

    @property
    def features(self) -> Probabilities:
        """Return the logits of p as trees see them, in float32."""
        found = np.empty(self.p.shape, dtype=np.float32)
        for column, p in enumerate(self.p.T):  # one by one: what is computed on the way has 8 bytes a number
            found[:, column] = logit(p)
        return found

    @cached_property
    def all(self) -> Within:
        """Return all parts but the hold-out."""
        return frozenset(self.parts.tolist()) - {HOLDOUT}

    def rows(self, within: Within) -> npt.NDArray[np.intp]:
        """Return the rows of some parts."""
        return np.flatnonzero(np.isin(self.parts, list(within)))

    def parts_without(self, rows: Booleans) -> Within:
        """Return the parts, without the hold-out, that contain none of some rows, a mask (n,)."""
        return self.all - frozenset(self.parts[rows].tolist())

    def one_sided(self, within: Within, label: int) -> str | None:
        """Say why nothing can be learned about a label there; None when something can."""
        y = self.y[self.rows(within), label]
        return None if y.any() and not y.all() else f"{'every' if y.any() else 'none'} of {len(y)} rows has it"


def parts_of(folds: Folds, groups: npt.NDArray[np.generic]) -> Folds:
    """Return the folds; where there are fewer than four, cut into parts, as choices inside the folds need that many.

    Rows of one group (groups: of each row, (n,)) stay together, unless a fold has fewer groups than parts. Raises
    InputError when there are fewer than two folds.
    """
    count = len({*folds.tolist()} - {HOLDOUT})
    if count < 2:
        raise InputError(f"stack: expected at least 2 folds, found {count}. Raise split.folds in params.yaml")
    pieces = {2: 3, 3: 2}.get(count, 1)
    group = pd.Series(groups).groupby(folds).transform(lambda own: pd.factorize(own)[0])
    row = group.groupby(folds).cumcount()
    number = group.where(group.groupby(folds).transform("max") >= pieces - 1, row).to_numpy(dtype=np.int64)
    return np.where(folds == HOLDOUT, HOLDOUT, folds * pieces + number % pieces)


def splits(within: Within) -> Iterator[tuple[Within, Within]]:
    """Yield (the validation part, the training parts) for each part."""
    for part in sorted(within):
        yield frozenset({part}), within - {part}


@dataclass(frozen=True)
class Blends:
    """Blends fitted on any set of parts, each once. penalties: those to choose from; a single one is taken as it is."""

    known: Known
    penalties: Sequence[float] = PENALTIES
    _chosen: dict[Within, float] = field(default_factory=dict)
    _fits: dict[tuple[Within, float], Blend] = field(default_factory=dict)

    @cached_property
    def _cube(self) -> tuple[Floats, Booleans]:
        return cube(self.known.p, self.known.learners, self.known.labels)

    def fit(self, within: Within, penalty: float) -> Blend:
        """Fit a blend within some parts."""
        if (within, penalty) not in self._fits:
            logits, predicts = self._cube
            rows = self.known.rows(within)
            others = {other: fit for (same, other), fit in self._fits.items() if same == within}
            near = others[min(others, key=lambda other: abs(np.log(other / penalty)))] if others else None
            # Unlike an index, `take` leaves each learner's logits side by side in memory.
            self._fits[within, penalty] = fit_blend(
                logits.take(rows, axis=2), self.known.y[rows], predicts=predicts, penalty=penalty, start=near
            )
        return self._fits[within, penalty]

    def chosen(self, within: Within) -> Blend:
        """Fit a blend within some parts, with the penalty that cross-validation inside them chooses."""
        return self.fit(within, self.penalty(within))

    def penalty(self, within: Within) -> float:
        """Choose the penalty with the least log-loss in a cross-validation over some parts.

        That is what blends are fitted by. F2 and average precision are what counts in the end, but change in steps: one
        chip more or less decides between penalties, and neighbouring folds then get blends that do not go together.
        """
        if len(self.penalties) == 1:
            return self.penalties[0]
        if within not in self._chosen:
            self._chosen[within] = min(self.penalties, key=partial(self.loss, within))
        return self._chosen[within]

    def loss(self, within: Within, penalty: float) -> float:
        """Return the summed log-loss of a cross-validation over some parts."""
        y = self.known.y[self.known.rows(within)]
        return float(log_loss(self.margins(within, penalty), y.astype(np.float64)).sum())

    def margins(self, within: Within, penalty: float | None = None) -> Floats:
        """Return cross-fitted margins (n, labels) of the rows of some parts: each part's by the blend of the others."""
        penalty = self.penalty(within) if penalty is None else penalty
        found = np.zeros(self.known.y.shape)
        for part, others in splits(within):
            self.margin_of(part, self.fit(others, penalty), into=found)
        return found[self.known.rows(within)]

    def margin_of(self, part: Within, blend: Blend, *, into: Floats) -> None:
        """Write a blend's sums of a part's rows into an array (all rows, labels)."""
        rows = self.known.rows(part)
        into[rows] = blend.margin(self._cube[0].take(rows, axis=2))
