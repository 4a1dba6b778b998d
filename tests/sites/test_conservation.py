"""A share with an interval that holds the map's errors."""

import numpy as np
import pandas as pd
import pytest

from igarape.errors import InputError
from igarape.sites.conservation import SAMPLE, Share, difference, draw_sample, judged_share

TILES = 1000
NAMES = [f"0_{number}" for number in range(TILES)]


def answer(sample: pd.DataFrame, truth: np.ndarray) -> pd.DataFrame:
    """Fill in a sample by the truth of each tile."""
    places = [NAMES.index(tile) for tile in sample["tile"]]
    return sample.assign(holds=np.where(truth[places], "yes", "no"))


def test_the_interval_holds_the_truth_where_the_map_does_not() -> None:
    """In about 95 of 100 samples of a map that misses a third and invents some."""
    rng, inside, shares = np.random.default_rng(1), 0, []
    truth = rng.random(TILES) < 0.3
    present = np.where(truth, rng.random(TILES) < 0.67, rng.random(TILES) < 0.1).astype(float)
    for seed in range(200):
        sample = draw_sample(present, NAMES, label="water", day="2024-01-01", size=120, seed=seed)
        found = judged_share(answer(sample, truth), present, "sample.csv")
        shares.append(found.share)
        inside += found.interval[0] <= truth.mean() <= found.interval[1]
    assert 0.9 < inside / 200 <= 1
    assert np.mean(shares) == pytest.approx(truth.mean(), abs=0.01)
    assert abs(found.mapped - truth.mean()) > 0.02


def test_the_known_answer_of_a_small_sample() -> None:
    """W = .25 and .75; 3 of 4 and 1 of 4 hold it: .25 * .75 + .75 * .25, and its variance by hand."""
    present = np.array([0.9] * 10 + [0.1] * 30 + [np.nan] * 5)
    rows = [(f"0_{n}", "water", "d", "present", v) for n, v in enumerate(("yes", "yes", "yes", "no"))]
    rows += [(f"0_{10 + n}", "water", "d", "absent", v) for n, v in enumerate(("yes", "no", "no", "no"))]
    found = judged_share(pd.DataFrame(rows, columns=SAMPLE), present, "sample.csv")
    assert found.share == pytest.approx(0.375) and found.mapped == 0.25 and found.n == 8
    assert found.error == pytest.approx(np.sqrt((0.25**2 + 0.75**2) * 0.1875 / 3))
    low, high = found.interval
    assert low == pytest.approx(max(0.375 - 1.959964 * found.error, 0)) and high < 1


def test_a_stratum_that_was_judged_whole_leaves_nothing_to_chance() -> None:
    """Nor is any tile drawn twice, or drawn that was never seen."""
    present = np.array([0.9, 0.1, 0.1, np.nan])
    sample = draw_sample(present, NAMES[:4], label="water", day="d", size=10, seed=1)
    assert sorted(sample["tile"]) == NAMES[:3]
    found = judged_share(sample.assign(holds=["yes", "no", "no"]), present, "sample.csv")
    assert found.share == pytest.approx(1 / 3) and found.error == 0


def test_the_difference_of_two_dates_has_both_errors() -> None:
    """As independent samples' add up."""
    change, low, high = difference(Share(0.2, 0.03, 0.2, 50), Share(0.3, 0.04, 0.3, 50))
    assert change == pytest.approx(0.1)
    assert (high - low) / 2 == pytest.approx(1.959964 * 0.05)


@pytest.mark.parametrize("holds", ["", "maybe"])
def test_a_sample_that_is_not_filled_in_is_refused(holds: str) -> None:
    """And one of too few tiles."""
    present = np.array([0.9] * 5 + [0.1] * 5)
    sample = draw_sample(present, NAMES[:10], label="water", day="d", size=4, seed=1)
    with pytest.raises(InputError, match=r"sample.csv: expected .* yes or no in each row"):
        judged_share(sample.assign(holds=holds), present, "sample.csv")
    with pytest.raises(InputError, match="at least two judged tiles that are absent, found 1"):
        judged_share(sample.assign(holds="no").iloc[:3], present, "sample.csv")
