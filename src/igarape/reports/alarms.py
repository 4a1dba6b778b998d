"""Alarms: what scores too well out of fold for its hold-out, as it would after a leak."""

from collections.abc import Mapping, Sequence

from igarape.labels import Booleans, Targets
from igarape.scores.comparison import excess
from igarape.scores.figures import f2_by_chip
from igarape.scores.metrics import Reals

# How often an honest stream raises an alarm by chance.
ALARM_RATE = 0.001


def alarms(
    y: Booleans, answered: Mapping[str, Reals], *, groups: Sequence[str], inside: Booleans, targets: Targets
) -> dict[str, float]:
    """Return by how much F2 is too good out of fold, of each that is.

    Parameters
    ----------
    y
        Truth, of shape (n, labels).
    answered
        Probabilities (n, labels), by name.
    groups
        One name a row: rows of one group are alike.
    inside
        Which rows lie in the folds, of shape (n,); the others are the hold-out.
    targets
        All labels.
    """
    found = {}
    for name, p in answered.items():
        # Each test has its part of the rate, so that all together raise no more alarms than is said.
        rate = ALARM_RATE / len(answered)
        difference = excess(f2_by_chip(y, p, targets=targets), groups, inside=inside, alarm_rate=rate)
        if difference is not None:
            found[name] = difference
    return found
