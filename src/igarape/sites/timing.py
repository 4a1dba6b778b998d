"""When a label appeared or vanished: forward over a tile's looks, then backward, as a distribution over days."""

from dataclasses import dataclass

import numpy as np

from igarape.sites.change import Belief, Integers, Rates, passed
from igarape.sites.evidence import CHANGED, Floats

INSIDE = 0.9  # of the probability lies in an interval
ONLY = np.array([0])  # the row of a belief in one tile


@dataclass(frozen=True)
class Interval:
    """When a change took place: the median day, the first day and the last, and how likely it lies between these."""

    day: int
    first: int
    last: int
    held: float


@dataclass(frozen=True)
class Course:
    """The looks at one tile, for one label.

    days: of the looks, of shape (looks,), in order. log: what evidence says, (NODES, 2, looks). ratio: the logarithm of
    each look's likelihood ratio, (looks,). rates: of the label, arrays of shape (1,). baseline: the day on which it
    ends.
    """

    days: Integers
    log: Floats
    ratio: Floats
    rates: Rates
    baseline: int


def change_interval(course: Course, *, appeared: bool) -> Interval:
    """Return when a change took place, given that there was one.

    The interval is the shortest that holds it with probability INSIDE, and the gap between the last look that says no
    before the median, and the first one after it that says yes: between them nothing is known. So it holds more.
    appeared: whether the label appeared, and did not vanish.
    """
    days, by = change_days(course, appeared=appeared)
    middle = int(days[np.searchsorted(by, 0.5)])
    first, last = shortest(by)
    before, after = gap(course, middle, appeared=appeared)
    if before is not None:
        first = min(first, int(np.searchsorted(days, before)))
    if after is not None:
        last = max(last, int(np.searchsorted(days, after)))
    held = by[last] - (by[first - 1] if first else 0)
    return Interval(middle, int(days[first]), int(days[last]), float(held))


def gap(course: Course, day: int, *, appeared: bool) -> tuple[int | None, int | None]:
    """Return the day of the last look before a day that says no, and of the first one from it on that says yes.

    None: there is no such look. appeared: as of change_interval.
    """
    yes = course.ratio > 0 if appeared else course.ratio < 0
    before = course.days[~yes & (course.days < day)]
    after = course.days[yes & (course.days >= day)]
    return (int(before[-1]) if len(before) else None), (int(after[0]) if len(after) else None)


def shortest(by: Floats) -> tuple[int, int]:
    """Return the first place and the last of the fewest in a row that hold a probability of INSIDE.

    by: the probability of each place and those before it together, (places,); 1 at the end.
    """
    before = np.append(0.0, by[:-1])
    last = np.searchsorted(by, before + INSIDE)
    length = np.where(last < len(by), last - np.arange(len(by)), len(by))
    first = int(np.argmin(length))
    return first, int(last[first])


def change_days(course: Course, *, appeared: bool) -> tuple[Integers, Floats]:
    """Return how likely it is, given a change since the baseline, that it had taken place by each day.

    Of several changes the last one counts: the one that began what holds at the newest look. appeared: as of
    change_interval. Returns the days from the baseline's end to the newest look, and the probability for each, which
    rises to 1.
    """
    now = int(appeared)
    beliefs, totals = _forward(course)
    ahead = _lasting(course, totals, state=now)
    known, reached = [], []
    for belief, end, later in zip(beliefs, course.days, ahead, strict=False):
        days = np.arange(max(belief.seen[0], course.baseline), end)
        chances = np.broadcast_to(belief.chances, (*belief.chances.shape[:3], len(days), 1))
        since = np.repeat(belief.seen, len(days))
        held = passed(chances, since, days, rates=course.rates, baseline=course.baseline)[:, 1 - now, now, :, 0]
        known.append(days)
        reached.append((_until(later, (end - days).astype(np.float64), course.rates, state=now) * held).sum(axis=0))
    changed = beliefs[-1].changed(ONLY)[1 - now, 0, 0]
    return np.append(np.concatenate(known), course.days[-1]), np.append(np.concatenate(reached) / changed, 1.0)


def _forward(course: Course) -> tuple[list[Belief], list[float]]:
    """Return what is known before each look and after the last, and how likely each look is by what was known."""
    beliefs, totals = [Belief.begin(1, rates=course.rates)], []
    for number, day in enumerate(course.days.tolist()):
        belief = Belief(beliefs[-1].chances.copy(), beliefs[-1].seen.copy())
        log = course.log[:, :, number, None, None]
        totals.append(float(belief.look(ONLY, day, log, rates=course.rates, baseline=course.baseline)[0, 0]))
        beliefs.append(belief)
    return beliefs, totals


def _lasting(course: Course, totals: list[float], *, state: int) -> list[Floats]:
    """Return for each look how likely it and all later ones are, (NODES,), if the state does not change from it on."""
    ahead, later = [], np.ones(len(course.log))
    gaps = np.append(np.diff(course.days), 0).astype(np.float64)
    for number in reversed(range(len(course.days))):
        later = _until(later, gaps[[number]], course.rates, state=state)[:, 0]
        later = np.exp(course.log[:, state, number]) / totals[number] * later
        ahead.append(later)
    return ahead[::-1]


def _until(later: Floats, days: Floats, rates: Rates, *, state: int) -> Floats:
    """Return how likely what comes some days (n,) later is, (NODES, n), if the state does not change until then.

    later: how likely it is by then, (NODES,). In between the ground may change in other ways.
    """
    rests = rates.rests(days)
    either = later[:, None] * rests + CHANGED[:, state] @ later * (1 - rests)
    return np.asarray(either * rates.stays(days)[state, :, 0])
