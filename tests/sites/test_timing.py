"""The date of a change: exact, and never surer than the looks."""

import numpy as np
import pytest
from chains import paths
from courses import BASELINE, course, random_course
from hypothesis import given
from hypothesis import strategies as st

from igarape.sites.timing import INSIDE, Course, change_days, change_interval, gap, shortest


def begun_by(looks: Course, *, appeared: bool) -> dict[int, float]:
    """Add up the paths in which what holds at the end has held, without a break, since a look or before it."""
    now, start = int(appeared), int(np.searchsorted(looks.days, looks.baseline))
    changed = [(states, weight) for states, weight in paths(looks) if states[start] != now and states[-1] == now]
    total = sum(float(weight.sum()) for _, weight in changed)
    by = {}
    for place in range(start + 1, len(looks.days) + 1):  # the baseline's end is one of the days
        weights = (weight.sum() for states, weight in paths(looks, since=place, state=now) if states[start] != now)
        by[int(looks.days[place - 1])] = float(sum(weights)) / total
    return by


@pytest.mark.parametrize("appeared", [True, False])
def test_the_date_of_a_change_is_as_all_paths_say(appeared: bool) -> None:
    """At each look, to 1e-10."""
    looks = random_course(4)
    days, by = change_days(looks, appeared=appeared)
    expected = begun_by(looks, appeared=appeared)
    found = {int(day): float(share) for day, share in zip(days, by, strict=True) if int(day) in expected}
    assert found == pytest.approx(expected, abs=1e-10)
    assert days[0] == BASELINE and by[-1] == 1 and (np.diff(by) >= -1e-15).all()


def test_splitting_a_gap_moves_no_date() -> None:
    """Nor does a date that is all cloud."""
    days, p = np.array([100, 290, 400, 440, 480]), np.array([0.01, 0.01, 0.01, 0.9, 0.9])
    looks = course(days, p)
    cloudy = course(np.insert(days, 3, 420), np.insert(p, 3, 0.5), np.array([0, 0, 0, 1.0, 0, 0]))
    for one, other in zip(change_days(looks, appeared=True), change_days(cloudy, appeared=True), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)


def test_an_interval_is_never_shorter_than_the_gap_in_which_nothing_was_seen() -> None:
    """From the last clear no to the first clear yes; both ways."""
    days = np.array([100, 290, 400, 520, 560, 600])
    p = np.array([0.001, 0.001, 0.001, 0.95, 0.95, 0.95])
    for answers, appeared in ((p, True), (1 - p, False)):
        looks = course(days, answers)
        found = change_interval(looks, appeared=appeared)
        assert found.first <= 400 < found.day <= 520 <= found.last
        assert gap(looks, found.day, appeared=appeared) == (400, 520)
        assert gap(looks, 100, appeared=not appeared) == (None, 100)


def test_an_interval_says_how_likely_the_change_lies_in_it() -> None:
    """At least nine in ten; by the distribution itself."""
    for seed in range(8):
        looks = random_course(seed)
        days, by = change_days(looks, appeared=True)
        found = change_interval(looks, appeared=True)
        inside = (days >= found.first) & (days <= found.last)
        assert found.held == pytest.approx(np.diff(by, prepend=0)[inside].sum(), abs=1e-12) and found.held >= INSIDE


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12).filter(lambda weights: sum(weights) > 1e-3))
def test_no_run_that_holds_as_much_is_shorter(weights: list[float]) -> None:
    """Looked for among all runs."""
    by = np.cumsum(weights) / sum(weights)
    by[-1] = 1.0
    first, last = shortest(by)
    runs = [(a, b) for a in range(len(by)) for b in range(a, len(by)) if by[b] - (by[a - 1] if a else 0) >= INSIDE]
    assert (first, last) in runs and last - first == min(b - a for a, b in runs)
