"""A share with an interval that holds the map's errors."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, hypergeom

from igarape.errors import InputError
from igarape.sites.conservation import SAMPLE, Share, difference, draw_sample, judged_share

TILES = 1000
NAMES = [f"0_{number}" for number in range(TILES)]


def answer(sample: pd.DataFrame, truth: np.ndarray) -> pd.DataFrame:
    """Fill in a sample by the truth of each tile; all fields are text, as in a file."""
    places = [NAMES.index(tile) for tile in sample["tile"]]
    return sample.assign(of=sample["of"].astype(str), holds=np.where(truth[places], "yes", "no"))


@pytest.mark.parametrize(("missed", "invented"), [(0.33, 0.1), (0.1, 0.0)])
def test_the_interval_holds_the_truth_where_the_map_does_not(missed: float, invented: float) -> None:
    """In about 95 of 100 samples; also of a good map, most of whose samples show no error in one stratum or both."""
    inside, shares = 0, []
    truth = np.arange(TILES) < 150
    present = np.where(truth, np.arange(TILES) >= missed * 150, np.arange(TILES) < 150 + invented * 850).astype(float)
    for seed in range(60):
        sample = draw_sample(present, NAMES, label="water", day="2024-01-01", size=100, seed=seed)
        found = judged_share(answer(sample, truth), present, NAMES, "sample.csv")
        shares.append(found.share)
        inside += found.low <= truth.mean() <= found.high
    assert inside / 60 > 0.9
    assert np.mean(shares) == pytest.approx(truth.mean(), abs=0.01)
    assert found.high - found.low < 0.15


def test_the_interval_holds_what_a_map_seldom_misses() -> None:
    """A label in 144 of 24,000 tiles, of which the map misses 58: one in 50 that is found by chance, says too much."""
    tiles, truth, known, judged = 24_000, 144, 86, 50
    names = [str(number) for number in range(tiles)]
    present = np.where(np.arange(tiles) < known, 0.9, 0.1)
    inside = 0.0
    for missed in range(4):
        rows = [(names[n], "water", "d", "present", str(known), "yes") for n in range(judged)]
        rows += [
            (names[known + n], "water", "d", "absent", str(tiles - known), "yes" if n < missed else "no")
            for n in range(judged)
        ]
        share = judged_share(pd.DataFrame(rows, columns=SAMPLE), present, names, "sample.csv")
        if share.low <= truth / tiles <= share.high:
            inside += float(hypergeom.pmf(missed, tiles - known, truth - known, judged))
    assert inside > 0.95


def test_the_known_answer_of_a_small_sample() -> None:
    """W = .25 and .75; 3 of 4 and 1 of 4 hold it: .25 * .75 + .75 * .25; exact intervals of 3 and 1 of 4."""
    present = np.array([0.9] * 10 + [0.1] * 30 + [np.nan] * 5)
    rows = [(f"0_{n}", "water", "d", "present", "10", v) for n, v in enumerate(("yes", "yes", "yes", "no"))]
    rows += [(f"0_{10 + n}", "water", "d", "absent", "30", v) for n, v in enumerate(("yes", "no", "no", "no"))]
    sample = pd.DataFrame(rows, columns=SAMPLE)
    found = judged_share(sample, present, NAMES, "sample.csv")
    assert found.share == pytest.approx(0.375) and found.mapped == 0.25 and found.n == 8
    three, one = (binomtest(hits, 4).proportion_ci(method="exact") for hits in (3, 1))
    assert found.low == pytest.approx(0.375 - np.hypot(0.25 * (0.75 - three.low), 0.75 * (0.25 - one.low)))
    assert found.high == pytest.approx(0.375 + np.hypot(0.25 * (three.high - 0.75), 0.75 * (one.high - 0.25)))
    later = np.where(np.arange(45) < 20, 0.9, present)  # by scenes that came since it was drawn
    again = judged_share(sample, later, NAMES, "sample.csv")
    assert again[:3] == found[:3] and again.mapped == 0.5


@pytest.mark.parametrize(("there", "drawn"), [(90, 50), (10, 10), (50, 30), (100, 60)])
def test_a_sample_has_as_many_tiles_as_were_asked_for(there: int, drawn: int) -> None:
    """Also where the map says that hardly a tile lacks the label, or hardly one holds it."""
    present = np.where(np.arange(100) < there, 0.9, 0.1)
    sample = draw_sample(present, NAMES[:100], label="water", day="d", size=60, seed=1)
    assert len(sample) == 60 and (sample["stratum"] == "present").sum() == drawn


def test_a_stratum_that_was_judged_whole_leaves_nothing_to_chance() -> None:
    """Nor is any tile drawn twice, or drawn that was never seen."""
    present = np.array([0.9, 0.1, 0.1, np.nan])
    sample = draw_sample(present, NAMES[:4], label="water", day="d", size=10, seed=1)
    assert sorted(sample["tile"]) == NAMES[:3]
    found = judged_share(answer(sample, np.array([True, False, False])), present, NAMES, "sample.csv")
    assert (found.share, found.low, found.high) == pytest.approx([1 / 3] * 3)


def test_the_difference_of_two_dates_has_both_errors() -> None:
    """As independent samples' add up, upwards and downwards each by itself."""
    change, low, high = difference(Share(0.2, 0.17, 0.25, 0.2, 50), Share(0.3, 0.26, 0.42, 0.3, 50))
    assert change == pytest.approx(0.1)
    assert (low, high) == pytest.approx((0.1 - np.hypot(0.04, 0.05), 0.1 + np.hypot(0.12, 0.03)))


def test_a_sample_that_is_not_filled_in_or_not_as_drawn_is_refused() -> None:
    """And one of too few tiles: none gives a figure."""
    present = np.array([0.9] * 5 + [0.1] * 5)
    sample = answer(draw_sample(present, NAMES[:10], label="water", day="d", size=4, seed=1), present > 0.5)
    for changed, said in (
        (sample.assign(holds=""), "yes or no in the column holds; 4 of 4 tiles"),
        (sample.assign(holds=["maybe", *sample["holds"][1:]]), "1 of 4 tiles have neither: 0_"),
        (sample.iloc[:0], "no row is left"),
        (sample.iloc[:3], "at least two judged tiles that are absent, found 1"),
        (sample.iloc[:2], "holds present tiles only"),
        (sample.iloc[[0, 0, 1, 2, 3]], "stand twice: 0_"),
        (sample.assign(tile=[*sample["tile"][:3], "9_9"]), "are no tiles of this site: 9_9"),
        (sample.assign(stratum=["present", "Present", "absent", "absent"]), "found 1 rows of 'Present' with 5"),
        (sample.assign(of=["5", "6", "5", "5"]), "found 2 rows of 'present' with 5, 6"),
        (sample.assign(of="1"), "found 2 rows of 'absent' with 1"),
    ):
        with pytest.raises(InputError, match=f"^sample.csv: .*{said}"):
            judged_share(changed, present, NAMES[:10], "sample.csv")
    with pytest.raises(InputError, match="its looks are gone"):
        judged_share(sample, np.full(10, np.nan), NAMES[:10], "sample.csv")
