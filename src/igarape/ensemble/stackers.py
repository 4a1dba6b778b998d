"""All stackers side by side, each on rows that it was not fitted on, and what the rare-label learners bring.

mean       the mean of the learners that predict a label
single     the learner of all labels that is best on the rows fitted on
blend      a weighted sum of logits, with weights that labels share (ensemble.blend)
logistic   for each label a logistic regression on all logits
ridge      for each label a ridge regression on all probabilities
xgboost    the blend, corrected by trees (ensemble.boosting)
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from igarape.config.params import Method
from igarape.ensemble.boosting import Corrections, Settings
from igarape.ensemble.linear import Linear, mean_weights, single_weights, split_columns, stack_columns
from igarape.ensemble.nested import Blends, Known, Within, parts_of
from igarape.ensemble.regressions import fit_logistic, fit_ridge
from igarape.ensemble.stacker import Stacker, check_learners
from igarape.errors import InputError
from igarape.labels import Booleans, Vocabulary
from igarape.predictions import learner_labels, learner_probabilities
from igarape.progress import DetailedReport
from igarape.scores.figures import figures
from igarape.tables import HOLDOUT, Folds, Probabilities

METHODS: tuple[str, ...] = get_args(Method)


@dataclass(frozen=True)
class CrossFit:
    """A stack's predictions and where they come from.

    p (n, labels): each row predicted by a stack fitted on the other folds; the hold-out's rows by `stacker`.
    stacker: fitted on all folds.
    penalties: for each fold, that of the blend which was fitted on the others; none where the method has no blend.
    curve: the mean log-loss by the rounds of boosting, out of fold, that `stacker` was chosen by; empty without trees.
    """

    p: Probabilities
    stacker: Stacker
    penalties: dict[int, float] = field(default_factory=dict)
    curve: dict[int, float] = field(default_factory=dict)


class Stackers:
    """The stackers of some learners, each of which can be fitted on any of the parts."""

    def __init__(self, known: Known, settings: Settings, groups: npt.NDArray[np.generic]) -> None:
        """Prepare to fit what is known, whose rows lie in groups (n,); raise InputError for labels nobody predicts."""
        check_learners(known.learners, known.labels)
        self._known = known
        self._learners = {name: tuple(labels) for name, labels in known.learners.items()}
        self._blends = Blends(known)
        self._corrections = Corrections(known, self._blends, settings, groups)

    @property
    def methods(self) -> tuple[str, ...]:
        """Return those that can be fitted: without a learner of all labels there is no single one."""
        complete = any(len(labels) == len(self._known.labels) for labels in self._learners.values())
        return METHODS if complete else tuple(method for method in METHODS if method != "single")

    def fit(self, method: str, within: Within) -> Stacker:
        """Fit a stacker on the rows of some parts, and nothing else."""
        linear, labels = self._linear(method, within), tuple(self._known.labels)
        if method != "xgboost":
            return Stacker(method, labels, self._learners, linear)
        trees, kept = self._corrections.chosen(within)
        shifts = np.array([trees[label].shift if label in trees else 0.0 for label in labels])
        boosters = {label: each.boosters for label, each in trees.items()}
        return Stacker(method, labels, self._learners, replace(linear, bias=linear.bias + shifts), boosters, kept)

    def penalty(self, method: str, within: Within) -> float | None:
        """Return the penalty of the blend that a stacker of some parts starts from, if it has one."""
        return self._blends.penalty(within) if method in {"blend", "xgboost"} else None

    def curve(self, method: str, within: Within) -> dict[int, float]:
        """Return the mean log-loss by the rounds of boosting that a stacker of some parts was chosen by, if any."""
        return self._corrections.curve(within) if method == "xgboost" else {}

    def cross_fit(self, method: str, folds: Folds, report: Callable[[str], None]) -> CrossFit:
        """Cross-fit a stacker: predict each fold by one that was fitted on the other folds.

        Parameters
        ----------
        method
            One of methods.
        folds
            Of each row, of shape (n,).
        report
            Called after each fit, with a text that says what was fitted.
        """
        answers = np.zeros(self._known.y.shape, dtype=np.float32)
        penalties: dict[int, float] = {}
        for fold in [*sorted({*folds.tolist()} - {HOLDOUT}), HOLDOUT]:
            rows = folds == fold
            within = self._known.parts_without(rows)
            # With one thread a sum has one order on all machines, and no thread waits for another between short steps.
            with threadpool_limits(1):
                fitted, penalty = self.fit(method, within), self.penalty(method, within)
            answers[rows] = fitted.predict(split_columns(self._known.p[rows], self._learners))
            penalties |= {fold: penalty} if penalty is not None else {}
            report(f"{method} on {'all folds' if fold == HOLDOUT else f'the folds but {fold}'}")
        # The hold-out came last: the stack that answered it was fitted on every fold.
        curve = self.curve(method, self._known.all)
        return CrossFit(p=answers, stacker=fitted, penalties=penalties, curve=curve)

    def _linear(self, method: str, within: Within) -> Linear:
        """Fit the weighted sum of a method."""
        if method == "mean":
            return mean_weights(self._known.learners, self._known.labels)
        if method == "single":
            return self._single(within)
        if method == "logistic":
            return fit_logistic(self._known, within)
        if method == "ridge":
            return fit_ridge(self._known, within)
        return self._blends.chosen(within).linear(self._known.learners, self._known.labels)

    def _single(self, within: Within) -> Linear:
        """Choose the learner of all labels with the highest F2 on the rows of some parts."""
        rows = self._known.rows(within)
        complete = [name for name, labels in self._learners.items() if len(labels) == len(self._known.labels)]
        each = {name: single_weights(name, self._known.learners, self._known.labels) for name in complete}
        scores = {
            name: figures(self._known.y[rows], linear.margin(self._known.p[rows]), targets=self._known.targets)["f2"]
            for name, linear in each.items()
        }
        return each[max(scores, key=lambda name: scores[name])]


def fit_stackers(
    tables: Mapping[str, pd.DataFrame],
    y: Booleans,
    *,
    folds: pd.DataFrame,
    groups: Sequence[str],
    vocabulary: Vocabulary,
    settings: Settings,
    report: DetailedReport,
    methods: Sequence[str] = METHODS,
) -> dict[str, CrossFit]:
    """Stack the learners' predictions by each method, such that no row is predicted by what was fitted on it.

    Parameters
    ----------
    tables
        Each learner's predictions, out of fold, and of the hold-out.
    y
        Truth, of shape (n, labels), in the order of the folds.
    folds
        The table of folds; nothing is fitted on the rows of the hold-out.
    groups
        The group of each row: those of one are alike, and no choice inside the folds takes them for independent.
    vocabulary
        All labels.
    settings
        Of the trees.
    report
        Called with (fits done, of how many, what was fitted).
    methods
        Those that are wanted; one that these learners do not allow is left out.

    Raises
    ------
    InputError
        When there are fewer than two folds, or truth, predictions and labels do not fit.
    """
    # By name: which columns a tree sees is drawn by their places, and the order in which learners are listed means
    # nothing.
    learners = dict(sorted(learner_labels(tables).items()))
    numbers, together = folds["fold"].to_numpy(), np.asarray(groups)
    p = stack_columns(learner_probabilities(tables, list(folds["image_id"])), learners)
    if y.shape != (expected := (len(p), len(vocabulary.labels))) or y.dtype != np.bool_:
        raise InputError(f"stack: expected y of shape {expected}, bool; found {y.shape}, {y.dtype}")
    known = Known(p, y, parts_of(numbers, together), learners, vocabulary.targets("all"))
    stackers = Stackers(known, settings, together)
    wanted = [method for method in methods if method in stackers.methods]
    done, total = itertools.count(1), len(wanted) * len({*numbers.tolist(), HOLDOUT})

    def report_fit(what: str) -> None:
        report(next(done), total, what)

    return {method: stackers.cross_fit(method, numbers, report_fit) for method in wanted}


def choose(scores: Mapping[str, Mapping[str, float]], use: str) -> str:
    """Return the stacker that is used: the one asked for, or that with the highest sum of F2 and mAP.

    Raises InputError when the one asked for could not be fitted.
    """
    if use == "best":
        return max(scores, key=lambda method: scores[method]["f2"] + scores[method]["map"])
    if use not in scores:
        raise InputError(
            f"params.yaml: stack.use: {use} needs a learner of all labels; list one under experiments:, or use another "
            f"of {', '.join(scores)}"
        )
    return use
