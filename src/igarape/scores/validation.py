"""How every learner's training is scored on its validation rows."""

from collections.abc import Callable, Mapping

import numpy as np

from igarape.labels import Booleans
from igarape.scores.metrics import mean_average_precision, sample_f2
from igarape.tables import Probabilities

THRESHOLD = 0.2

Log = Callable[[int, Mapping[str, float]], None]


def score(p: Probabilities, y: Booleans) -> dict[str, float]:
    """Return val_loss (binary cross-entropy), val_f2 and val_map of probabilities against y, both (n, labels).

    F2 is at the threshold 0.2, over the chips that hold any of the labels: for a rare-label learner most hold none.
    When no chip holds any, there is val_loss alone.
    Raises FloatingPointError when a probability is none: the training has diverged.
    """
    if not np.isfinite(p).all():
        raise FloatingPointError("the learner's answers are not numbers any more: its training has diverged")
    positive = y.any(axis=1)
    clipped = np.clip(p.astype(np.float64), 1e-7, 1 - 1e-7)
    loss = {"val_loss": -float(np.where(y, np.log(clipped), np.log1p(-clipped)).mean())}
    if not positive.any():
        return loss
    return loss | {"val_f2": sample_f2(y[positive], p[positive] >= THRESHOLD), "val_map": mean_average_precision(y, p)}
