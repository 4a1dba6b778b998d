"""Every path of states that a tile may have taken, one by one: what the filter is compared with."""

from collections.abc import Iterator
from itertools import product

import numpy as np
from scipy.linalg import expm

from igarape.sites.change import YEAR
from igarape.sites.evidence import CHANGED, NODES, WEIGHTS, Floats
from igarape.sites.timing import Course


def moves(course: Course, days: float) -> Floats:
    """Return the chances (2 from, 2 to, NODES from, NODES to) after some days, as the exponential of their rates."""
    come, go, other = _rates(course)
    (absent, there), stay = _anew(), np.eye(NODES)
    rates = np.block(
        [[other * absent - (other + come) * stay, come * there], [go * absent, other * there - (other + go) * stay]]
    )
    return np.asarray(expm(rates * days).reshape(2, NODES, 2, NODES).transpose(0, 2, 1, 3))


def stays(course: Course, state: int, days: float) -> Floats:
    """Return the chances (NODES from, NODES to) that a label does not change for some days."""
    *leaves, other = _rates(course)
    return np.asarray(expm((other * _anew()[state] - (other + leaves[state]) * np.eye(NODES)) * days))


def paths(course: Course, *, since: int | None = None, state: int = 0) -> Iterator[tuple[tuple[int, ...], Floats]]:
    """Yield each path: its states, at the days of the looks and of the baseline's end, and its weight at each node.

    since: a place among the days from which on there is only one state, and no change between the days either.
    """
    days = sorted([*course.days.tolist(), course.baseline])
    mark, gaps = days.index(course.baseline), np.diff(days).tolist()
    steps = [moves(course, gap) for gap in gaps]
    rests = [stays(course, state, gap) for gap in gaps]
    begins = float(course.rates.begins[0])
    since = len(days) if since is None else since
    for free in product((0, 1), repeat=since):
        states = free + (state,) * (len(days) - since)
        weight = WEIGHTS * (begins if states[0] else 1 - begins)
        for place, there in enumerate(states):
            if place > since:
                weight = weight @ rests[place - 1]
            elif place:
                weight = weight @ steps[place - 1][states[place - 1], there]
            if place != mark:
                weight = weight * np.exp(course.log[:, there, place - (place > mark)])
        yield states, weight


def _anew() -> Floats:
    """Return the chances (2, NODES from, NODES to) of an effect that is drawn anew, by whether the label is there."""
    return np.stack([np.tile(weights, (NODES, 1)) for weights in CHANGED.T])


def _rates(course: Course) -> tuple[float, float, float]:
    """Return how often a day the label comes, goes, and the ground changes in another way."""
    rates = course.rates
    return float(rates.appears[0]) / YEAR, float(rates.vanishes[0]) / YEAR, rates.other / YEAR
