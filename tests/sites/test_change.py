"""The filter is exact: it is what one gets by adding up every path of states."""

import numpy as np
import pytest
from chains import paths
from courses import BASELINE, RATES, course, random_course

from igarape.sites.change import NEVER, Belief, Rates
from igarape.sites.evidence import NODES, Floats
from igarape.sites.timing import Course

ROW = np.array([0])


def filtered(looks: Course) -> Belief:
    """Take in all looks of a course."""
    belief = Belief.begin(1, rates=looks.rates)
    for number, day in enumerate(looks.days.tolist()):
        belief.look(ROW, day, looks.log[:, :, number, None, None], rates=looks.rates, baseline=looks.baseline)
    return belief


def enumerated(looks: Course) -> Floats:
    """Add up all paths: (NODES, 2 at the baseline's end, 2 at the newest look)."""
    total, start = np.zeros((NODES, 2, 2)), int(np.searchsorted(looks.days, looks.baseline))
    for states, weight in paths(looks):
        total[:, states[start], states[-1]] += weight
    return np.asarray(total / total.sum())


@pytest.mark.parametrize("seed", range(2))
def test_twelve_looks_are_as_all_their_paths_say(seed: int) -> None:
    """To 1e-10, with looks before the baseline's end and after it."""
    looks = random_course(seed)
    assert looks.days[0] < BASELINE < looks.days[-1]
    np.testing.assert_allclose(filtered(looks).chances[..., 0, 0], enumerated(looks), rtol=0, atol=1e-10)


def test_a_tile_first_seen_after_the_baseline_may_have_changed_before() -> None:
    """Between the baseline's end and that look."""
    looks = random_course(5, looks=8)
    late = Course(**(vars(looks) | {"baseline": int(looks.days[0]) - 50}))
    np.testing.assert_allclose(filtered(late).chances[..., 0, 0], enumerated(late), rtol=0, atol=1e-10)
    assert filtered(late).changed(ROW).sum() > 0


def test_a_cloudy_date_changes_nothing_but_time() -> None:
    """A look that is all cloud, between two others, leaves what is known after the later one."""
    days, p = np.array([100, 350, 500]), np.array([0.02, 0.9, 0.7])
    cloudy = course(days, p, np.array([0.0, 1.0, 0.0]))
    np.testing.assert_array_equal(cloudy.log[..., 1], 0)
    without = course(days[[0, 2]], p[[0, 2]])
    np.testing.assert_allclose(filtered(cloudy).chances, filtered(without).chances, rtol=0, atol=1e-14)


def test_splitting_a_gap_changes_nothing() -> None:
    """Time that passes in any parts, over the baseline's end too, is the same time."""
    looks = random_course(7)
    empty = np.setdiff1d([100, 299, 300, 301, 700], looks.days)
    parts = np.sort(np.concatenate([looks.days, empty]))
    assert looks.days[0] < 100 and looks.days[-1] > 700
    log = np.zeros((NODES, 2, len(parts)))
    log[..., np.isin(parts, looks.days)] = looks.log
    split = Course(**(vars(looks) | {"days": parts, "log": log}))
    np.testing.assert_allclose(filtered(split).chances, filtered(looks).chances, rtol=0, atol=1e-13)


def test_a_tile_that_is_not_looked_at_keeps_what_is_known() -> None:
    """To the bit: only rows that are looked at are touched."""
    belief = Belief.begin(3, rates=RATES)
    before = belief.chances.copy()
    belief.look(np.array([1]), 10, random_course(1).log[:, :, :1, None], rates=RATES, baseline=BASELINE)
    np.testing.assert_array_equal(belief.chances[..., [0, 2], :], before[..., [0, 2], :])
    assert belief.seen.tolist() == [NEVER, 10, NEVER]


def test_rates_are_expected_changes_a_year() -> None:
    """And in the long run the share is what the two rates balance at."""
    rates = Rates(np.array([0.1]), np.array([0.02]), np.array([0.06]), 0.5)
    assert rates.moves(np.array(36525.0 * 9))[0, 1, 0] == pytest.approx(0.25)
    assert rates.moves(np.array(1.0))[0, 1, 0] * 365.25 == pytest.approx(0.02, rel=1e-3)
    np.testing.assert_allclose(rates.moves(np.array([3.0, 400.0])).sum(axis=1), 1)


def test_looks_at_one_ground_are_worth_few() -> None:
    """A hundred weak looks that agree leave a doubt: something else may be new. Strong ones do not."""
    days, found = np.arange(0, 900, 10), []
    for after in (0.2, 0.9):
        p = np.where(days > 2 * BASELINE, after, 0.01)
        found.append(float(filtered(course(days, p)).changed(ROW)[0, 0, 0]))
    assert 0.1 < found[0] < 0.9 and found[1] > 0.975
