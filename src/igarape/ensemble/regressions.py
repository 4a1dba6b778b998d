"""Two stacks to compare with: for each label a regression on what all learners predict for all labels."""

import numpy as np
from sklearn.linear_model import LogisticRegression, RidgeCV

from igarape.ensemble.linear import EDGE, Linear, logit
from igarape.ensemble.nested import Known, Within

# The winner of Planet's competition stacked by ridge regressions. Their penalty is the one that predicts best each row
# left out, which needs no second fit.
PENALTIES = np.logspace(-2, 4, 13)
INVERSE_PENALTY = 0.1


def fit_logistic(known: Known, within: Within) -> Linear:
    """Fit a logistic regression of each label on the logits of all learners for all labels.

    A label that none, or every one, of the rows has is answered by its share, kept EDGE away from 0 and 1.
    """
    rows = known.rows(within)
    logits, weights = logit(known.p[rows]), np.zeros((known.p.shape[1], len(known.labels)))
    bias = logit(np.clip(known.y[rows].mean(axis=0), EDGE, 1 - EDGE))
    for j in range(len(known.labels)):
        if known.one_sided(within, j) is None:
            # Newton's method: few columns, many rows.
            fitted = LogisticRegression(C=INVERSE_PENALTY, solver="newton-cholesky").fit(logits, known.y[rows, j])
            weights[:, j], bias[j] = fitted.coef_[0], fitted.intercept_[0]
    return Linear("logits", weights, bias)


def fit_ridge(known: Known, within: Within) -> Linear:
    """Fit a ridge regression of each label on the probabilities of all learners for all labels."""
    rows = known.rows(within)
    fitted = RidgeCV(PENALTIES, alpha_per_target=True).fit(known.p[rows].astype(np.float64), known.y[rows])
    labels = len(known.labels)
    return Linear("probabilities", fitted.coef_.reshape(labels, -1).T, np.broadcast_to(fitted.intercept_, labels))
