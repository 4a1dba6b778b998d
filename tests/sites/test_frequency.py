"""How often a site changes is told by all of its tiles, and makes alerts of a site that never changes doubtful."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igarape.sites.change import Belief, Rates
from igarape.sites.evidence import NODES, Floats
from igarape.sites.frequency import change_ratio, rescaled

TILES, BASELINE = 400, 1000
RATES = Rates(np.array([0.1]), np.array([0.05]), np.array([0.05]), 0.5)


def belief(says_no: Floats) -> Belief:
    """Give what is known after a look at the baseline's end that says no, and one a year later: (tiles,), logs."""
    found = Belief.begin(TILES, rates=RATES)
    rows, no = np.arange(TILES), np.zeros((NODES, 2, TILES, 1))
    no[:, 1] = -12.0
    found.look(rows, BASELINE, no, rates=RATES, baseline=BASELINE)
    later = np.zeros_like(no)
    later[:, 1] = -np.maximum(says_no, 0)[:, None]
    later[:, 0] = np.minimum(says_no, 0)[:, None]
    found.look(rows, BASELINE + 365, later, rates=RATES, baseline=BASELINE)
    return found


def test_looks_that_say_nothing_leave_the_rates_as_they_are() -> None:
    """As many changes are expected as were before any look."""
    part = change_ratio(belief(np.zeros(TILES)), rates=RATES, baseline=BASELINE)
    assert part[0, 0] == pytest.approx(1, abs=1e-3)


def test_where_next_to_nothing_changes_a_lone_alert_is_doubted() -> None:
    """Twenty changes are expected of 400 tiles, and one is seen; where twenty are, they are believed."""
    for alerts, low, high in ((1, 0.02, 0.15), (20, 0.9, 1.0)):
        says_no = np.full(TILES, 12.0)
        says_no[:alerts] = -7.0
        known = belief(says_no)
        part = change_ratio(known, rates=RATES, baseline=BASELINE)[0, 0]
        changed = known.changed(np.arange(alerts))[0, :, 0]
        assert low < part <= high and (changed > 0.97).all()
        false = (1 - rescaled(changed, part)).sum()
        assert false > 5 * (1 - changed).sum() if alerts == 1 else false < 1.2 * (1 - changed).sum()


@given(st.floats(0, 1), st.floats(1e-3, 1))
def test_no_alert_becomes_surer(changed: float, part: float) -> None:
    """And where the site changes as often as was expected, each is as sure as it was."""
    found = rescaled(np.array(changed), np.array(part))
    assert 0 <= found <= changed + 1e-15 and rescaled(np.array(changed), np.array(1.0)) == pytest.approx(
        changed, abs=1e-12
    )


def test_a_site_without_looks_since_its_baseline_has_no_say() -> None:
    """Its rates are those that are taken for granted."""
    untouched = Belief.begin(TILES, rates=RATES)
    np.testing.assert_array_equal(change_ratio(untouched, rates=RATES, baseline=BASELINE), np.ones((2, 1)))
