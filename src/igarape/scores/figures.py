"""The two figures by which everything that predicts is compared, always on rows it was not fitted on.

A search maximises them, a training is watched by them, the report judges by them: they are computed here only.
"""

import numpy as np

from igarape.labels import Booleans, Targets
from igarape.scores.metrics import Floats, Reals, f2_per_sample, mean_average_precision
from igarape.scores.rules import fixed

TINY = 1e-7  # a probability of 0 for what is true costs much, not infinitely much


def figures(y: Booleans, p: Reals, *, targets: Targets) -> dict[str, float]:
    """Return f2 (sample F2) and map (macro average precision) of probabilities p against y, both (n, labels).

    Raises InputError when no chip holds any label.
    """
    ranked = mean_average_precision(y, p)
    return {"f2": float(f2_by_chip(y, p, targets=targets).mean()), "map": ranked}


def f2_by_chip(y: Booleans, p: Reals, *, targets: Targets) -> Floats:
    """Return the F2 of the fixed rule on each chip, of shape (n,), from y and p of shape (n, labels).

    Of some labels only (the rare ones), on the chips that hold at least one: the others would all score 0.
    """
    rows = y.any(axis=1) if targets.partial else slice(None)
    return f2_per_sample(y[rows], fixed(p, targets)[rows])


def validation_figures(y: Booleans, p: Reals, *, targets: Targets) -> dict[str, float]:
    """Return val_loss (binary cross-entropy), val_f2 and val_map of what a training answers on its validation rows.

    When no row holds any label, there is val_loss alone: a few rows without one are no reason to stop a training.
    Raises FloatingPointError when a probability is none: the training has diverged.
    """
    if not np.isfinite(p).all():
        raise FloatingPointError("the learner's answers are not numbers any more: its training has diverged")
    clipped = np.clip(p.astype(np.float64), TINY, 1 - TINY)
    loss = {"val_loss": -float(np.where(y, np.log(clipped), np.log1p(-clipped)).mean())}
    if not y.any():
        return loss
    return loss | {f"val_{name}": value for name, value in figures(y, p, targets=targets).items()}
