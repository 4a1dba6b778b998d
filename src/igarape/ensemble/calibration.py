"""Calibration: which map each label's probabilities need, chosen and fitted on folds that it is not judged on."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from sklearn.isotonic import IsotonicRegression

from igarape.ensemble.calibrator import KINDS, Calibrator, inputs_of
from igarape.ensemble.linear import EDGE, log_loss, logit, sigmoid
from igarape.labels import Booleans
from igarape.scores.comparison import certain
from igarape.scores.metrics import Floats, Reals
from igarape.tables import HOLDOUT, Folds, Probabilities

# What is fitted is drawn to the probability as it is, as strongly as by so many chips: a label with few positives has
# little to say.
PRIOR = 10.0


class Fitted(NamedTuple):
    """p (n, labels), each row by what was chosen and fitted on the other folds; and what was fitted on all folds."""

    p: Probabilities
    calibrators: tuple[Calibrator, ...]


def calibrate(y: Booleans, p: Reals, folds: Folds, *, groups: Sequence[str]) -> Fitted:
    """Calibrate stacked probabilities.

    Parameters
    ----------
    y, p
        Truth and probabilities, each of shape (n, labels).
    folds
        Of shape (n,). Rows of the hold-out, -1, are calibrated by what was fitted on all folds.
    groups
        The group of each row, (n,): what is certain is judged by how many of them there are.
    """
    answers, together = np.zeros(p.shape), np.asarray(groups)
    for fold in (*sorted({*folds.tolist()} - {HOLDOUT}), HOLDOUT):
        rows, others = folds == fold, (folds != fold) & (folds != HOLDOUT)
        found = tuple(_chosen(y[others, j], p[others, j], folds[others], together[others]) for j in range(p.shape[1]))
        for j, calibrator in enumerate(found):
            answers[rows, j] = calibrator.apply(p[rows, j])
    return Fitted(answers.astype(np.float32), found)


def fit_calibrator(kind: str, y: Booleans, p: Reals) -> Calibrator:
    """Fit a label's map of a kind to truth and probabilities, each of shape (n,)."""
    if kind == "none":
        return Calibrator(kind)
    if kind == "isotonic":
        # Two made-up chips, one of each truth, keep the curve off 0 and 1.
        places, truth = np.concatenate([[0, 1], p]), np.concatenate([[0.5, 0.5], y])
        curve = IsotonicRegression(y_min=EDGE, y_max=1 - EDGE).fit(places, truth)
        return Calibrator(kind, (*curve.X_thresholds_.tolist(), *curve.y_thresholds_.tolist()))
    inputs, truth = np.stack(inputs_of(kind, p.astype(np.float64))), y.astype(np.float64)
    shifted = kind != "temperature"
    as_it_is = np.array([1.0] * len(inputs) + [0.0])

    def cost(values: Floats) -> tuple[float, Floats]:
        """Return the log-loss, penalised by the distance from the identity map, and its gradient."""
        margin, away = values[:-1] @ inputs + values[-1], values - as_it_is
        error = sigmoid(margin) - truth
        gradient = np.append(inputs @ error, error.sum() if shifted else 0.0) + PRIOR * away
        return float(log_loss(margin, truth).sum() + PRIOR * (away**2).sum() / 2), gradient

    bounds = [(0, None)] * len(inputs) + [(None, None) if shifted else (0, 0)]
    return Calibrator(kind, tuple(minimize(cost, as_it_is, jac=True, method="L-BFGS-B", bounds=bounds).x.tolist()))


def _chosen(y: Booleans, p: Reals, folds: Folds, groups: npt.NDArray[np.generic]) -> Calibrator:
    """Choose a label's kind by the other folds' log-loss, and fit it on all of these rows."""
    numbers: Sequence[int] = sorted({*folds.tolist()})
    if len(numbers) < 2:
        return Calibrator("none")
    losses = {kind: np.zeros(len(y)) for kind in KINDS}
    for fold in numbers:
        rows = folds == fold
        for kind, found in losses.items():
            calibrated = fit_calibrator(kind, y[~rows], p[~rows]).apply(p[rows])
            found[rows] = log_loss(logit(calibrated), y[rows].astype(np.float64))
    best = min(KINDS, key=lambda kind: float(losses[kind].mean()))
    gain = losses["none"] - losses[best]
    return fit_calibrator(best if certain(gain, groups) else "none", y, p)
