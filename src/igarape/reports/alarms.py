"""Alarms: what scores too well out of fold for its hold-out, as it would after a leak."""

from collections.abc import Mapping

from igarape.labels import Booleans, Targets
from igarape.scores.comparison import excess
from igarape.scores.figures import f2_by_chip
from igarape.scores.metrics import Reals

# How often an honest stream raises an alarm by chance.
ALARM_RATE = 0.001


def alarms(y: Booleans, answered: Mapping[str, Reals], *, inside: Booleans, targets: Targets) -> dict[str, float]:
    """Return by how much F2 is too good out of fold, of each that is.

    Parameters
    ----------
    y
        Truth, of shape (n, labels).
    answered
        Probabilities (n, labels), by name.
    inside
        Which rows lie in the folds, of shape (n,); the others are the hold-out.
    targets
        All labels.
    """
    found = {}
    for name, p in answered.items():
        scores = [f2_by_chip(y[rows], p[rows], targets=targets) for rows in (inside, ~inside)]
        # Each test has its part of the rate, so that all together raise no more alarms than is said.
        difference = excess(*scores, alarm_rate=ALARM_RATE / len(answered))
        if difference is not None:
            found[name] = difference
    return found
