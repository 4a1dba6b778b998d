"""How often a site changes in fact, estimated from its own looks, and alerts' probabilities corrected for that.

The filter assumes rates at which labels appear and vanish. Where changes are rarer than assumed, more alerts are false
than their probabilities say. The true rate is estimated from all tiles of a site together, as the prevalence of a class
is from a classifier's outputs (EM of Saerens and others 2002).
"""

import numpy as np

from igarape.sites.change import Belief, Rates
from igarape.sites.evidence import Floats

ROUNDS = 100  # of expectation and maximisation
KNOWN = 1.0  # so many expected changes count as much as the rates that are taken for granted


def change_ratio(belief: Belief, *, rates: Rates, baseline: int) -> Floats:
    """Estimate the ratio of changes to those that the rates predict, at most 1: (2 directions, labels).

    It is never above 1: a model that errs alike in many tiles looks like frequent change, which makes no alert surer.

    Parameters
    ----------
    belief
        What is known of all tiles.
    rates
        Those that the filter assumes.
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
        part = np.minimum((KNOWN + rescaled(changed, part[:, None]).sum(axis=1)) / (KNOWN + expected), 1)
    return np.asarray(part, np.float64)


def rescaled(changed: Floats, part: Floats) -> Floats:
    """Return probabilities of a change, corrected for a prior odds that is only this part of what was assumed."""
    return np.asarray(part * changed / (part * changed + (1 - changed)), np.float64)
