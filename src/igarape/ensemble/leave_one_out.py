"""Leave one learner out: the blend fitted anew without it, cross-fitted on the same folds, shows what it is worth.

A learner's weight does not tell what it is worth, as another learner may know the same. Each fit has the penalty of the
blend of all learners, which was chosen inside the same folds (ensemble.nested).
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from igarape.ensemble.linear import Learners, stack_columns
from igarape.ensemble.nested import Blends, Known
from igarape.labels import Booleans, Vocabulary
from igarape.predictions import learner_labels, learner_probabilities
from igarape.progress import DetailedReport
from igarape.tables import Probabilities

# Before a learner's name: what data/stack/predictions.parquet calls the blend of the others.
WITHOUT = "without "
# In the place of such a name: the stack in use is fitted anew without all that predict rare labels only.
RARE = "the rare learners"


def removable(learners: Learners, labels: Sequence[str]) -> tuple[str, ...]:
    """Return the learners without which each of some labels still has one that predicts it."""
    return tuple(
        name
        for name in learners
        if set(labels) <= {label for other, predicted in learners.items() if other != name for label in predicted}
    )


def blends_without(
    tables: Mapping[str, pd.DataFrame],
    y: Booleans,
    *,
    folds: pd.DataFrame,
    vocabulary: Vocabulary,
    penalties: Mapping[int, float],
    report: DetailedReport,
) -> dict[str, Probabilities]:
    """Blend all learners but one, for each one in turn, such that no row is predicted by what was fitted on it.

    Parameters
    ----------
    tables
        Each learner's predictions, out of fold, and of the hold-out.
    y
        Truth, of shape (n, labels), in the order of the folds.
    folds
        The table of folds; nothing is fitted on the rows of the hold-out, which all folds answer.
    vocabulary
        All labels.
    penalties
        For each fold, and the hold-out, the penalty of the blend of all learners: ensemble.stackers.CrossFit.
    report
        Called with (learners done, of how many, which was left out).

    Returns
    -------
    dict
        Probabilities (n, labels) by the learner that was left out. One that alone predicts some label is not in it.
    """
    image_ids, numbers = list(folds["image_id"]), folds["fold"].to_numpy()
    wanted = removable(learner_labels(tables), vocabulary.labels)
    found = {}
    for done, name in enumerate(wanted, start=1):
        others = {other: table for other, table in tables.items() if other != name}
        learners = learner_labels(others)
        p = stack_columns(learner_probabilities(others, image_ids), learners)
        known = Known(p, y, numbers, learners, vocabulary.targets("all"))
        blends, answers = Blends(known), np.zeros(y.shape, dtype=np.float32)
        for fold, penalty in penalties.items():
            rows = numbers == fold
            with threadpool_limits(1):  # as all stacks are fitted: one order of sums on all machines
                blend = blends.fit(known.parts_without(rows), penalty)
            linear = blend.linear(learners, vocabulary.labels)
            answers[rows] = linear.answer(linear.margin(known.p[rows]))
        found[name] = answers
        report(done, len(wanted), f"without {name}")
    return found
