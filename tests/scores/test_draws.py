"""Intervals hold what they promise: of chips that are alike, and of few groups too."""

import numpy as np
import numpy.typing as npt
import pytest
from drawing import singly

from igarape.errors import InputError
from igarape.scores.draws import BLOCK, Draws, bounds

TRUTH = 0.4  # the mean of what `scenes` draws


def scenes(rng: np.random.Generator, count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Draw scenes of 4 to 15 chips whose scores have much in common; return each chip's scene, and its score."""
    scene = np.repeat(np.arange(count), rng.integers(4, 16, size=count))
    shared, own = rng.normal(0, 0.07, count), rng.normal(0, 0.1, len(scene))
    return scene, TRUTH + shared[scene] + own


def covered(count: int, *, alone: bool = False, repeats: int = 400) -> float:
    """Return how often the interval holds the truth, if so many scenes are drawn, or their chips alone."""
    rng, held = np.random.default_rng(count), 0
    for _ in range(repeats):
        scene, scores = scenes(rng, count)
        low, high = Draws(np.arange(len(scene)) if alone else scene, resamples=200, seed=1).mean_interval(scores)
        held += low <= TRUTH <= high
    return held / repeats


@pytest.mark.parametrize("count", [5, 20, 80])
def test_the_interval_holds_the_truth_about_as_often_as_it_says(count: int) -> None:
    """Of few scenes too; chips drawn one by one would do so far more rarely."""
    assert 0.9 <= covered(count) <= 0.99
    assert covered(count, alone=True) < 0.85


def test_chips_that_are_alone_are_drawn_as_efron_draws_them() -> None:
    """By whole numbers below n; percentiles are moved by as much as Student's t lies beyond the normal distribution."""
    values = np.random.default_rng(2).beta(5, 2, 400)
    rng = np.random.default_rng(7)
    means = [values[rng.integers(400, size=400)].mean() for _ in range(300)]
    draws = singly(values, resamples=300, seed=7)
    assert draws.means(values) == pytest.approx(means)
    ends = values.mean() + 1.0042 * (np.percentile(means, (2.5, 97.5)) - values.mean())
    assert draws.mean_interval(values) == pytest.approx(ends, abs=1e-5)
    assert draws.mean_interval(values) != singly(values, resamples=300, seed=8).mean_interval(values)


def test_all_chips_of_a_group_count_as_often_as_it_is_drawn() -> None:
    """As many groups as there are; a mean is over all chips that are drawn, whatever their number."""
    names = ["a", "b", "a", "c", "a", "b"]
    draws = Draws(names, resamples=BLOCK + 7, seed=3)
    assert (len(draws), draws.groups) == (6, 3)
    counts = np.concatenate(list(draws.counts()), axis=1)
    assert counts.shape == (6, BLOCK + 7)
    assert (counts[0] == counts[2]).all() and (counts[0] == counts[4]).all() and (counts[1] == counts[5]).all()
    assert (counts[[0, 1, 3]].sum(axis=0) == 3).all()
    values = np.arange(6.0)
    assert draws.means(values) == pytest.approx(values @ counts / counts.sum(axis=0))
    assert np.concatenate(list(draws.counts(5)), axis=1).tolist() == counts[:, :5].tolist()


def test_some_of_the_chips_are_drawn_as_they_alone_would_be() -> None:
    """By a mask or by their places, in the groups that they have."""
    names = np.array(["a", "b", "a", "c", "a", "b"])
    draws, few = Draws(names, resamples=9, seed=3), Draws(names[[0, 2, 5]], resamples=9, seed=3)
    mask = np.isin(np.arange(6), (0, 2, 5))
    for which in (mask, np.flatnonzero(mask)):
        (found,), (expected,) = draws.rows(which).counts(), few.counts()
        assert (found == expected).all()
    (found,), (expected,) = draws.alone(3).counts(), singly(range(3), resamples=9, seed=3).counts()
    assert (found == expected).all()


def test_choices_among_the_chips_are_paired() -> None:
    """A group counts as often in all of them; where a draw has none of the chips, it says nothing."""
    names, last = np.array(["a", "b", "a", "c", "a", "b"]), np.arange(6) > 3
    (counts, *_) = Draws(names, resamples=BLOCK, seed=3).counts()
    few, lone = (Draws(names, resamples=BLOCK, seed=3, among=which) for which in (last, names == "c"))
    assert (len(few), few.groups) == (2, 3)
    assert (next(few.counts()) == counts[last]).all()
    means, drawn = lone.means(np.array([7.0])), counts[3] > 0
    assert (np.isnan(means) == ~drawn).all() and (means[drawn] == 7).all() and not drawn.all()


def test_an_interval_stays_where_a_figure_can_be() -> None:
    """Of two groups it is wide; of one, all that is within reach; of figures that no resample knows, too."""
    values = np.array([0.2, 0.9, 0.3, 1.0])
    assert Draws(["a", "a", "b", "b"], resamples=100, seed=1).mean_interval(values) == (0.2, 1.0)
    assert Draws(["a"] * 4, resamples=100, seed=1).mean_interval(values) == (0.2, 1.0)
    assert Draws(["a"] * 4, resamples=100, seed=1).mean_interval(np.full(4, 0.5)) == (0.5, 0.5)
    drawn = np.full((50, 2), np.nan)
    drawn[:, 1] = np.linspace(0.4, 0.6, 50)
    low, high = bounds(np.array([0.1, 0.5]), drawn, groups=40, within=(0, 1))
    assert (low[0], high[0]) == (0, 1) and 0.39 < low[1] < high[1] < 0.61


def test_what_cannot_be_drawn_is_refused() -> None:
    """No chips, no resample, and scores of other chips."""
    with pytest.raises(InputError, match="found 0 chips, 10 resamples"):
        singly([], resamples=10, seed=1)
    with pytest.raises(InputError, match="at least 1 resample, found 3 chips, 0 resamples"):
        singly(range(3), resamples=0, seed=1)
    with pytest.raises(InputError, match="one score for each of 3 chips"):
        singly(range(3), resamples=10, seed=1).mean_interval(np.ones(2))
