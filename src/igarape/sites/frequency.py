"""How often a site changes, by its own looks, and what that makes of its alerts.

The filter takes for granted how often labels come and go. Where they do so less often, more of the alerts are false
than their probabilities say. How often they do, all tiles of a site tell together, as a classifier's outputs tell the
prevalence of a class (Saerens and others 2002).
"""

import numpy as np

from igarape.sites.change import Belief, Rates
from igarape.sites.evidence import Floats

ROUNDS = 100  # of expectation and maximisation
KNOWN = 1.0  # so many expected changes count as much as the rates that are taken for granted


def rarity(belief: Belief, *, rates: Rates, baseline: int) -> Floats:
    """Return which part of the changes that the rates let expect has taken place, at most 1: (2 directions, labels).

    It is never above 1: a model that errs alike in many tiles looks like frequent change, which makes no alert surer.

    Parameters
    ----------
    belief
        What is known of all tiles.
    rates
        Those that are taken for granted.
    baseline
        The day on which it ends.
    """
    rows = np.flatnonzero(belief.seen > baseline)
    changed = belief.changed(rows)
    moves = rates.moves((belief.seen[rows] - baseline).astype(np.float64))
    began = belief.chances[..., rows, :].sum(axis=(0, 2))  # without the label, and with it
    expected = (began * np.stack([moves[0, 1], moves[1, 0]])).sum(axis=1)
    part = np.ones_like(expected)
    for _ in range(ROUNDS):
        part = np.minimum((KNOWN + own(changed, part[:, None]).sum(axis=1)) / (KNOWN + expected), 1)
    return np.asarray(part, np.float64)


def own(changed: Floats, part: Floats) -> Floats:
    """Return probabilities of a change as they are where only a part of the changes that were expected takes place."""
    return np.asarray(part * changed / (part * changed + (1 - changed)), np.float64)
