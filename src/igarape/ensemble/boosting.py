"""Trees that correct the blend: XGBoost, one label at a time, from the blend's margin (Chen and Guestrin, KDD 2016).

Their features are the logits of all learners for all labels, so that labels that go together help each other; a label's
own logits may only raise it. How deep they are and how many rounds they run is chosen inside the folds, each label by
itself; a label that gains nothing for certain keeps the blend. The blend's bias is drawn to 0, which costs log-loss
that one number would win back: trees start from the margin with that number added, and have to gain more.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import xgboost
from scipy.optimize import brentq

from igarape.ensemble.linear import log_loss, own_columns, sigmoid
from igarape.ensemble.nested import Blends, Known, Within, splits
from igarape.ensemble.stacker import Boosters
from igarape.scores.comparison import certain
from igarape.scores.metrics import Floats
from igarape.tables import Probabilities

BINS = 64
# Logits lie within 14 of 0, and a share of one row in a million too.
FAR = 100.0
# Each tree sees a part of the rows and of the columns, so that boosters of other seeds are others.
SHARE_OF_ROWS, SHARE_OF_COLUMNS = 0.8, 0.5
# Numbers of rounds that are tried, besides none.
CHECKS = 12


@dataclass(frozen=True)
class Settings:
    """XGBoost's settings: rounds, at most; depths to choose from; learning rate; least hessian of a leaf; l2 on leaves.

    seeds: how many boosters of different seeds are averaged. seed: the first. threads: labels that are fitted at once;
    no result depends on it.
    """

    rounds: int
    depths: Sequence[int]
    rate: float
    child_weight: float
    l2: float
    seeds: int
    seed: int
    threads: int = 1


class Trees(NamedTuple):
    """What corrects a label: a number added to the blend's margin, and the boosters of several seeds."""

    shift: float
    boosters: Boosters


class Choice(NamedTuple):
    """What a label's trees are: their depth, and the rounds of boosting."""

    depth: int
    rounds: int


@dataclass(frozen=True)
class Corrections:
    """Trees on any set of parts, each fitted once. groups: of each row that of the rows that are like it, (n,)."""

    known: Known
    blends: Blends
    settings: Settings
    groups: npt.NDArray[np.generic]
    _boosters: dict[tuple[Within, int, int, int], xgboost.Booster] = field(default_factory=dict)
    _own: threading.local = field(default_factory=threading.local)  # each thread's matrices
    _starts: dict[Within, Probabilities] = field(default_factory=dict)
    _margins: dict[tuple[Within, Within], Floats] = field(default_factory=dict)
    _means: dict[tuple[Within, int], Floats] = field(default_factory=dict)
    _shifts: dict[tuple[Within, int], float] = field(default_factory=dict)

    @cached_property
    def _features(self) -> Probabilities:
        return self.known.features

    def chosen(self, within: Within) -> tuple[dict[str, Trees], dict[str, str]]:
        """Fit, within some parts, the trees of each label that gains; say why the other labels have none."""
        for part, others in splits(within):  # what labels share is there before they are fitted side by side
            self._held(part, others)
            self._start(others)
        self._start(within)
        with ThreadPoolExecutor(min(self.settings.threads, len(self.known.labels))) as pool:
            found = pool.map(partial(self._corrected, within), range(len(self.known.labels)))
            each = dict(zip(self.known.labels, found, strict=True))
        # As large as all that is known: of other parts, trees are fitted already, or others are needed.
        self._starts.clear()
        self._margins.clear()
        trees = {label: one for label, one in each.items() if isinstance(one, Trees)}
        return trees, {label: one for label, one in each.items() if isinstance(one, str)}

    def _corrected(self, within: Within, j: int) -> Trees | str:
        """Fit a label's trees within some parts where they gain; say why it has none where they do not."""
        choice = self.known.one_sided(within, j) or self.choose(within, j)
        if isinstance(choice, str):
            return choice
        seeds = range(self.settings.seed, self.settings.seed + self.settings.seeds)
        each = [self.fit(within, choice.depth, seed, j) for seed in seeds]
        return Trees(self._shift(within, j), tuple(booster[: choice.rounds] for booster in each))

    def choose(self, within: Within, j: int) -> Choice | str:
        """Choose depth and rounds for a label by the log-loss of each part under the trees of the others.

        Returns why it keeps the blend where no choice is certain to gain.
        """
        losses = np.concatenate([self._losses(part, others, j) for part, others in splits(within)], axis=2)
        groups = np.concatenate([self.groups[self.known.rows(part)] for part, _ in splits(within)])
        means = self._means[within, j] = losses.mean(axis=2)
        depth, check = np.unravel_index(means.argmin(), means.shape)
        gain = losses[depth, 0] - losses[depth, check]
        if not check or not certain(gain, groups):
            return f"trees gain nothing for certain on {len(gain)} rows"
        return Choice(self.settings.depths[depth], self._checks[check])

    def curve(self, within: Within) -> dict[int, float]:
        """Return the mean log-loss by the rounds of boosting, from none on, that the choices within some parts saw.

        Each label's is that of its best depth, each part under the trees of the others; then the mean over the labels
        that have both kinds of rows. Empty where none has, and before `chosen`.
        """
        means = [each for (where, _), each in self._means.items() if where == within]
        best = [each[each.min(axis=1).argmin()] for each in means]
        return dict(zip(self._checks, np.mean(best, axis=0).tolist(), strict=True)) if best else {}

    def _losses(self, part: Within, others: Within, j: int) -> Floats:
        """Return the losses of a part's rows under the trees of other parts: (depths, checks, rows)."""
        rows, depths = self.known.rows(part), self.settings.depths
        margin = self._held(part, others)[:, j]
        corrections = np.zeros((len(depths), len(self._checks), len(rows)))
        if self.known.one_sided(others, j) is None:
            margin, features = margin + self._shift(others, j), self._features[rows]
            for d, depth in enumerate(depths):
                booster = self.fit(others, depth, self.settings.seed, j)
                steps = [
                    booster.inplace_predict(features, iteration_range=between, predict_type="margin")
                    for between in pairwise(self._checks)
                ]
                corrections[d, 1:] = np.cumsum(steps, axis=0)
        return log_loss(margin + corrections, self.known.y[rows, j].astype(np.float64))

    def _held(self, part: Within, others: Within) -> Floats:
        """Return the sums of a part's rows (n, labels) by the blend of other parts."""
        if (part, others) not in self._margins:
            found = np.zeros(self.known.y.shape)
            self.blends.margin_of(part, self.blends.chosen(others), into=found)
            self._margins[part, others] = found[self.known.rows(part)]
        return self._margins[part, others]

    def _shift(self, within: Within, j: int) -> float:
        """Return what, added to a label's margins, gives the least log-loss on the rows of some parts."""
        if (within, j) not in self._shifts:
            margin, y = self._start(within)[:, j].astype(np.float64), self.known.y[self.known.rows(within), j]
            # Its derivative rises: more answered than true.
            self._shifts[within, j] = float(brentq(lambda shift: (sigmoid(margin + shift) - y).sum(), -FAR, FAR))
        return self._shifts[within, j]

    @cached_property
    def _checks(self) -> list[int]:
        """Return the numbers of rounds to choose from; the first is 0."""
        return sorted({*np.linspace(0, self.settings.rounds, CHECKS + 1).round().astype(int).tolist()})

    def fit(self, within: Within, depth: int, seed: int, j: int) -> xgboost.Booster:
        """Fit a label's trees within some parts, with all rounds.

        Parameters
        ----------
        within
            The parts.
        depth
            Of the trees.
        seed
            Of the rows and columns that each tree sees.
        j
            The label's column.
        """
        key = within, depth, seed, j
        if key not in self._boosters:
            matrix, start = self._matrix(within), self._start(within)[:, j] + self._shift(within, j)
            matrix.set_info(label=self.known.y[self.known.rows(within), j].astype(np.float32), base_margin=start)
            own = own_columns(self.known.learners, self.known.labels[j])
            parameters = {
                "objective": "binary:logistic",
                "base_score": 0.5,  # logit 0: alone, the trees answer the correction and nothing else
                "tree_method": "hist",
                "max_bin": BINS,
                "max_depth": depth,
                "learning_rate": self.settings.rate,
                "min_child_weight": self.settings.child_weight,
                "reg_lambda": self.settings.l2,
                "subsample": SHARE_OF_ROWS,
                "colsample_bytree": SHARE_OF_COLUMNS,
                "monotone_constraints": tuple(int(column in own) for column in range(self._features.shape[1])),
                "seed": seed,
                "nthread": 1,  # the order of a sum over threads would change its last bits from machine to machine
            }
            self._boosters[key] = xgboost.train(parameters, matrix, num_boost_round=self.settings.rounds)
        return self._boosters[key]

    def _matrix(self, within: Within) -> xgboost.QuantileDMatrix:
        """Return the features of some parts, binned once for all labels of a thread: each label is written into it."""
        matrices: dict[Within, xgboost.QuantileDMatrix] = vars(self._own).setdefault("matrices", {})
        if within not in matrices:
            features = self._features[self.known.rows(within)]
            matrices[within] = xgboost.QuantileDMatrix(features, nthread=1, max_bin=BINS)
        return matrices[within]

    def _start(self, within: Within) -> Probabilities:
        """Return the margins that the trees of some parts start from, of their rows: (n, labels)."""
        if within not in self._starts:
            self._starts[within] = self.blends.margins(within).astype(np.float32)
        return self._starts[within]
