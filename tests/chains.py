"""Every path of states that a tile may have taken, one by one: what the filter is compared with."""

from collections.abc import Iterator
from itertools import pairwise, product

import numpy as np

from igarape.sites.change import YEAR
from igarape.sites.evidence import Floats, place_effects
from igarape.sites.timing import Course


def move(course: Course, start: int, end: int, days: float) -> float:
    """Return the chance that a label is in the state end, some days after it was in the state start."""
    come, go = (float(rate[0]) / YEAR for rate in (course.rates.appears, course.rates.vanishes))
    stationary = (go / (come + go), come / (come + go))
    decay = np.exp(-(come + go) * days)
    return float(stationary[end] * (1 - decay) + decay * (start == end))


def stay(course: Course, state: int, days: float) -> float:
    """Return the chance that a label does not change for some days."""
    rate = (course.rates.appears, course.rates.vanishes)[state]
    return float(np.exp(-rate[0] / YEAR * days))


def paths(course: Course) -> Iterator[tuple[tuple[int, ...], list[int], Floats]]:
    """Yield each path: its states, at the days of the looks and of the baseline's end, and its weight at each node."""
    days = sorted([*course.days.tolist(), course.baseline])
    mark, gaps = days.index(course.baseline), np.diff(days).tolist()
    moves = [[[move(course, one, two, gap) for two in (0, 1)] for one in (0, 1)] for gap in gaps]
    first = float((course.rates.appears / (course.rates.appears + course.rates.vanishes))[0])
    places, looks = place_effects(course.place)[1], np.arange(len(course.days))
    for states in product((0, 1), repeat=len(days)):
        weight = (1 - first, first)[states[0]]
        for chances, (one, two) in zip(moves, pairwise(states), strict=True):
            weight *= chances[one][two]
        looked = [*states[:mark], *states[mark + 1 :]]
        yield states, days, weight * places * np.exp(course.log[:, looked, looks].sum(axis=1))
