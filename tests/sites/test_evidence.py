"""What one look is worth: nothing under cloud, less in haze, never more than its bound."""

from dataclasses import replace

import numpy as np
import pytest
from courses import DOUBT, EMISSION
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import norm

from igarape.sites.evidence import EFFECTS, NODES, WEIGHTS, Doubt, Emission, Floats, evidence, separation

PLAIN = Doubt(bound=50.0, shared=0.0, haze=0.5, seen=1.0)
CHANCE = st.floats(0, 1)


def weigh(p: float, cloud: float = 0.0, haze: float = 0.0, *, doubt: Doubt = PLAIN, alone: bool = False) -> Floats:
    """Return what one look at one label says, (NODES, 2)."""
    looks = np.array([[p]]), np.array([cloud]), np.array([haze])
    return evidence(*looks, emission=EMISSION, doubt=doubt, alone=alone)[0][..., 0, 0]


def test_the_training_prevalence_is_divided_out() -> None:
    """The odds of an answer over the odds of a training chip; an answer of the prevalence itself says nothing."""
    log = weigh(0.6)
    np.testing.assert_allclose(log[:, 1] - log[:, 0], logit(0.6) - logit(0.1))
    np.testing.assert_allclose(weigh(0.1), 0, atol=1e-12)


def test_all_cloud_says_nothing_whatever_is_answered() -> None:
    """To the bit: a likelihood ratio of 1 at each node."""
    for p in (0.0, 0.3, 1.0):
        np.testing.assert_array_equal(weigh(p, cloud=1.0, doubt=DOUBT), 0)
        np.testing.assert_array_equal(weigh(p, cloud=1.0, doubt=DOUBT, alone=True), 0)


def test_cloud_makes_no_label_vanish() -> None:
    """Where training chips of cloud have no other label, p falls as cloud grows; that is no evidence of absence."""
    log = weigh(0.9 * 0.55, cloud=0.45, alone=True)
    assert (log[:, 1] > log[:, 0]).all()
    common = Emission(np.array([0.93]), np.array([3.0]))
    looks = np.array([[0.98 * 0.55]]), np.array([0.45]), np.zeros(1)
    log, ratio = evidence(*looks, emission=common, doubt=PLAIN, alone=True)
    assert ratio > 0 and (log[:, 1] >= log[:, 0]).all()


def test_haze_says_less_and_half_a_cloud_says_half() -> None:
    """Each pulls the likelihood ratio towards 1; half a cloud lets no look rule a state out."""
    sizes = [float(log[0, 1] - log[0, 0]) for log in (weigh(0.9), weigh(0.9, haze=1.0), weigh(0.9, cloud=0.5))]
    assert sizes[0] > sizes[1] > 0 and sizes[0] > sizes[2] > 0
    assert sizes[1] == pytest.approx(sizes[0] / 2)


@pytest.mark.parametrize("p", [0.0001, 0.1, 0.7])
def test_what_is_hidden_under_haze_is_answered_as_if_it_were_not_there(p: float) -> None:
    """So much of what is there: however sure a hazy look is, what is there is a fifth as likely by it at least."""
    whole, part = (weigh(p, haze=1.0, doubt=replace(PLAIN, seen=seen)) for seen in (1.0, 0.8))
    odds = [np.exp(log[:, 1] - log[:, 0]) for log in (whole, part)]
    np.testing.assert_allclose(odds[1], 0.8 * odds[0] + 0.2)
    assert odds[1].min() >= 0.2
    np.testing.assert_array_equal(weigh(p, doubt=replace(PLAIN, seen=0.8)), weigh(p))  # under a clear sky


@given(p=CHANCE, cloud=CHANCE, haze=CHANCE, bound=st.floats(0.1, 8))
def test_no_date_moves_any_odds_by_more_than_its_bound(p: float, cloud: float, haze: float, bound: float) -> None:
    """Between any two of all that may be so: states and grounds."""
    log = weigh(p, cloud, haze * (1 - cloud), doubt=replace(DOUBT, bound=bound), alone=True)
    assert log.max() == 0 and log.min() >= -bound


def test_the_nodes_have_the_moments_of_a_normal_effect() -> None:
    """Five of them integrate polynomials up to the ninth degree exactly."""
    assert len(EFFECTS) == NODES
    for power, moment in ((0, 1), (1, 0), (2, 1), (4, 3), (6, 15), (8, 105)):
        assert WEIGHTS @ EFFECTS**power == pytest.approx(moment, abs=1e-12)


def test_one_look_says_what_it_said_whatever_grounds_share() -> None:
    """Their effect is a part of the variance that answers have; it counts where there are several looks."""
    for shared in (0.0, 0.25, 0.6):
        log = weigh(0.6, doubt=replace(PLAIN, shared=shared))
        one, other = (WEIGHTS @ np.exp(log[:, state]) for state in (1, 0))
        assert np.log(one / other) == pytest.approx(logit(0.6) - logit(0.1), abs=0.05)


def test_scores_of_the_family_are_calibrated_and_have_their_auc() -> None:
    """Drawn from N(+-d^2/2, d^2): the likelihood ratio of a score is its exponential, and the AUC is as was asked."""
    spread = separation(np.array([0.983]))
    assert norm.cdf(spread / np.sqrt(2)) == pytest.approx(0.983)
    rng = np.random.default_rng(1)
    yes, no = rng.normal(spread**2 / 2, spread, 20_000), rng.normal(-(spread**2) / 2, spread, 20_000)
    assert (np.searchsorted(np.sort(no), yes) / len(no)).mean() == pytest.approx(0.983, abs=0.003)
    p = expit(np.concatenate([yes, no]))
    assert p.sum() == pytest.approx(20_000, rel=0.02)
