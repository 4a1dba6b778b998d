"""All stackers side by side, each on rows that it was not fitted on, and what the rare-label learners bring."""

from collections.abc import Callable, Mapping
from itertools import count

import pandas as pd

from igarape.ensemble.stacker import CrossFit, Settings, cross_fit, mean_stacker
from igarape.labels import Booleans, Vocabulary
from igarape.scores.metrics import average_precision
from igarape.tables import Probabilities, learner_labels, learner_probabilities

Report = Callable[[int, int, str], None]


def fit_stackers(
    tables: Mapping[str, pd.DataFrame],
    y: Booleans,
    *,
    folds: pd.DataFrame,
    vocabulary: Vocabulary,
    settings: Settings,
    report: Report,
) -> dict[str, CrossFit]:
    """Stack the learners' predictions by each method.

    Parameters
    ----------
    tables
        Each learner's predictions.
    y
        Truth, of shape (n, labels), in the order of the folds.
    folds
        The table of folds.
    vocabulary
        All labels.
    settings
        XGBoost's.
    report
        Called with (fits done, of how many, what was fitted).
    """
    learners = learner_labels(tables)
    probabilities = learner_probabilities(tables, list(folds["image_id"]))
    mean = mean_stacker(learners, labels=vocabulary.labels)
    fits = count(1)
    boosted = cross_fit(
        probabilities,
        y,
        folds["fold"].to_numpy(),
        learners=learners,
        labels=vocabulary.labels,
        progress=lambda text: report(next(fits), int(folds["fold"].max()) + 2, text),
        **settings,
    )
    return {"mean": CrossFit(p=mean.predict(probabilities), stacker=mean, fallbacks={}), "xgboost": boosted}


def rare_gain(
    y: Booleans, without: Probabilities, having: Probabilities, *, vocabulary: Vocabulary
) -> dict[str, dict[str, float]]:
    """Compare the average precision of each rare label without and with the rare learners.

    A label that no row holds has none, and is left out.

    Parameters
    ----------
    y
        Truth, of shape (n, labels).
    without, having
        Stacked probabilities, without and with the rare learners, of the same shape.
    vocabulary
        Says which labels are rare.

    Returns
    -------
    dict
        Of each rare label, ap_without and ap_with.
    """
    before, after = average_precision(y, without), average_precision(y, having)
    columns = {label: vocabulary.labels.index(label) for label in vocabulary.rare}
    return {
        label: {"ap_without": float(before[j]), "ap_with": float(after[j])}
        for label, j in columns.items()
        if y[:, j].any()
    }
