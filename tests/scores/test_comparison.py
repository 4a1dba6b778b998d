"""Intervals hold what they promise."""

import numpy as np
import pytest
from drawing import singly

from igarape.errors import InputError
from igarape.scores.comparison import Difference, excess, paired_bootstrap, signed


def test_pairing_sees_a_difference_that_separate_intervals_hide() -> None:
    """A learner better by 0.01 on every chip is surely better, though both intervals overlap."""
    b = np.random.default_rng(7).random(300)
    draws = singly(b, resamples=300, seed=1)
    mean, low, high = paired_bootstrap(b + 0.01, b, draws)
    assert (mean, low, high) == pytest.approx((0.01, 0.01, 0.01))
    assert draws.mean_interval(b + 0.01)[0] < draws.mean_interval(b)[1]
    shuffled = np.random.default_rng(8).permutation(b)
    mean, low, high = paired_bootstrap(shuffled, b, draws)
    assert low < 0 < high
    assert abs(mean) < 1e-9


@pytest.mark.parametrize(
    ("bounds", "verdict", "reach"),
    [((0.01, 0.05), "up", 0.05), ((-0.02, 0.0), "open", 0.02), ((-1, -0.5), "down", 1), ((0, 0), "same", 0)],
)
def test_an_interval_tells_which_way_it_is(bounds: tuple[float, float], verdict: str, reach: float) -> None:
    """Open where it holds 0 and more than that."""
    difference = Difference(sum(bounds) / 2, *bounds)
    assert (difference.verdict, difference.reach) == (verdict, reach)
    assert str(Difference(0.01, -0.00001, 0.02)) == "+0.0100 (0.0000 to +0.0200)"


@pytest.mark.parametrize(
    ("value", "text"), [(0.00004, "0.0000"), (-0.00004, "0.0000"), (0.0, "0.0000"), (0.02, "+0.0200"), (-1, "-1.0000")]
)
def test_a_difference_that_is_nothing_has_no_sign(value: float, text: str) -> None:
    """Of a rounded one nobody knows which way it points."""
    assert signed(value) == text


def test_scores_of_other_chips_are_refused() -> None:
    """And those of chips that are not drawn."""
    with pytest.raises(InputError, match="the same chips"):
        paired_bootstrap(np.ones(3), np.ones(4), singly(np.ones(3), resamples=10, seed=1))
    with pytest.raises(InputError, match="one score for each of 4 chips"):
        paired_bootstrap(np.ones(3), np.ones(3), singly(range(4), resamples=10, seed=1))


def test_honest_scores_raise_an_alarm_as_rarely_as_is_said() -> None:
    """Of 2,000 pairs of samples from one distribution, about 5 % at a rate of 5 %."""
    rng = np.random.default_rng(3)
    inside, names = np.arange(380) < 300, [str(row) for row in range(380)]
    alarms = [excess(rng.beta(5, 2, 380), names, inside=inside, alarm_rate=0.05) is not None for _ in range(2000)]
    assert 0.035 <= np.mean(alarms) <= 0.065


def test_chips_of_one_scene_raise_no_more_alarms() -> None:
    """Four chips that score alike are next to one: taken one by one they would raise three times as many."""
    rng = np.random.default_rng(6)
    scenes = np.repeat(np.arange(95), 4)
    inside, names, apart = scenes < 75, scenes.astype(str).tolist(), [str(row) for row in range(380)]
    found = np.zeros(2)
    for _ in range(2000):
        scores = rng.beta(5, 2, 95)[scenes] + rng.normal(0, 0.05, 380)
        found += [excess(scores, each, inside=inside, alarm_rate=0.05) is not None for each in (names, apart)]
    assert 0.035 <= found[0] / 2000 <= 0.065
    assert found[1] > 3 * found[0]


def test_few_groups_raise_no_more_alarms() -> None:
    """Of 2,000 streams with three scenes held out, at a rate of 0.1 %: a normal distribution had alarmed 1.5 %."""
    rng = np.random.default_rng(1)
    scenes = np.repeat(np.arange(15), 4)
    inside, names = scenes < 12, scenes.astype(str).tolist()
    scores = rng.beta(5, 2, (2000, 15))[:, scenes] + rng.normal(0, 0.05, (2000, 60))
    assert sum(excess(each, names, inside=inside, alarm_rate=0.001) is not None for each in scores) <= 6


def test_what_is_too_good_raises_an_alarm_and_what_is_worse_does_not() -> None:
    """A leak lifts the scores out of fold, and nothing lifts the hold-out's."""
    rng = np.random.default_rng(4)
    good, poor = rng.beta(9, 2, 300), rng.beta(5, 2, 80)
    both, names, inside = np.concatenate([good, poor]), [str(row) for row in range(380)], np.arange(380) < 300
    assert excess(both, names, inside=inside, alarm_rate=0.001) == pytest.approx(good.mean() - poor.mean())
    assert excess(both, names, inside=~inside, alarm_rate=0.001) is None
    assert excess(np.ones(380), names, inside=inside, alarm_rate=0.001) is None
    assert excess(both, ["one"] * 380, inside=inside, alarm_rate=0.001) is None  # two places tell nothing of others
    with pytest.raises(InputError, match="expected one score for each chip"):
        excess(poor, names[:80], inside=np.zeros(80, dtype=np.bool_), alarm_rate=0.001)
