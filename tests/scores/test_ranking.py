"""The bootstrap of mean average precision: as the literal one, sure of what does not differ, and paired."""

import numpy as np
import pytest
from drawing import singly

from igarape.errors import InputError
from igarape.labels import Booleans
from igarape.scores.draws import Draws
from igarape.scores.metrics import Floats, average_precision, mean_average_precision
from igarape.scores.ranking import RESAMPLES, paired_map, paired_precision, rank


def draw(seed: int, *, chips: int = 300, decimals: int = 9) -> tuple[Booleans, dict[str, Floats]]:
    """Draw truth of a common, a rare and an absent label, and two rankings; few decimals make ties."""
    rng = np.random.default_rng(seed)
    y = rng.random((chips, 3)) < (0.6, 0.03, 0.0)
    noise = {"good": 0.4, "poor": 2.0}
    scores = {name: 1 / (1 + np.exp(-3 * y - rng.normal(0, spread, y.shape))) for name, spread in noise.items()}
    return y, {name: p.round(decimals) for name, p in scores.items()}


@pytest.mark.parametrize("decimals", [9, 1, 0])
def test_each_resample_is_that_of_the_chips_that_were_drawn(decimals: int) -> None:
    """Chips laid out as often as they were drawn, and scored anew, have the same average precision, ties or none."""
    y, p = draw(1, decimals=decimals)
    found = rank(y, p, singly(y, resamples=40, seed=5))
    rng = np.random.default_rng(5)
    for resample in range(40):
        rows = rng.integers(len(y), size=len(y))
        for name, scores in p.items():
            expected = average_precision(y[rows], scores[rows])
            assert found[name].drawn[resample] == pytest.approx(expected, abs=1e-6, nan_ok=True)
    assert all((found[name].observed[:2] == average_precision(y, p[name])[:2]).all() for name in p)


def test_a_ranking_differs_from_itself_by_nothing_at_all() -> None:
    """The interval is 0 to 0, of all labels and of each, in one call and in two: draws follow from the seed."""
    y, p = draw(2)
    both = rank(y, {"one": p["good"], "same": p["good"].copy()}, singly(y, resamples=100, seed=1))
    again = rank(y, {"later": p["good"]}, singly(y, resamples=100, seed=1))
    assert paired_map(both["one"], both["same"]) == (0, 0, 0)
    assert paired_map(both["one"], again["later"]) == (0, 0, 0)
    assert paired_precision(both["one"], both["same"], 1) == (0, 0, 0)


def test_a_better_ranking_is_told_from_a_poorer_one() -> None:
    """The difference is that of mean average precision; the other way round the signs are turned."""
    y, p = draw(3)
    found = rank(y, p, singly(y, resamples=200, seed=1))
    mean, low, high = paired_map(found["good"], found["poor"])
    expected = mean_average_precision(y, p["good"]) - mean_average_precision(y, p["poor"])
    assert mean == pytest.approx(expected)
    assert 0 < low < mean < high
    assert paired_map(found["poor"], found["good"]) == pytest.approx((-mean, -high, -low))


def test_two_scenes_tell_rankings_apart_no_more_often_than_is_said() -> None:
    """Of 120 pairs that are equally good, 6 at most: by percentiles of three different draws it had been 13 of 100."""
    rng, told = np.random.default_rng(5), 0
    for _ in range(120):
        scenes = np.repeat([0, 1], rng.integers(4, 9, 2))
        y = np.append(rng.random((len(scenes) - 1, 3)) < 0.4, [[True] * 3], axis=0)
        p = {name: y + rng.normal(0, 1, (2, 3))[scenes] + rng.normal(0, 1, y.shape) for name in ("one", "other")}
        ranked = rank(y, p, Draws(scenes, resamples=40, seed=1))
        told += paired_map(ranked["one"], ranked["other"]).verdict != "open"
    assert told <= 6


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """The difference of a large population lies in most intervals of samples of it: of 40, in 33 at least."""
    y, p = draw(4, chips=40_000)
    truth = mean_average_precision(y, p["good"]) - mean_average_precision(y, p["poor"])
    held = 0
    for sample in range(40):
        rows = slice(1000 * sample, 1000 * (sample + 1))
        found = rank(y[rows], {name: each[rows] for name, each in p.items()}, singly(y[rows], resamples=100, seed=1))
        _, low, high = paired_map(found["good"], found["poor"])
        held += low <= truth <= high
    assert held >= 33


def test_a_label_that_never_holds_has_no_difference() -> None:
    """And a resample that drew none of a rare label's chips says nothing about it, but is no zero."""
    y, p = draw(5, chips=30)
    y[:, 1] = np.arange(30) == 3
    found = rank(y, p, singly(y, resamples=200, seed=1))
    assert np.isnan(found["good"].drawn[:, 2]).all() and np.isnan(found["good"].drawn[:, 1]).any()
    assert paired_precision(found["good"], found["poor"], 2) is None
    difference = paired_precision(found["good"], found["good"], 1)
    assert difference == (0, 0, 0)


def test_a_draw_without_a_rare_label_does_not_tell_of_the_others_alone() -> None:
    """One chip has the second label, and is not drawn in a third of all draws; all that differs is its rank."""
    y = np.zeros((40, 2), dtype=np.bool_)
    y[:20, 0] = y[7, 1] = True
    first = np.where(y, 0.9, 0.1)
    later = first.copy()
    later[20:30, 1] = 0.95
    found = rank(y, {"first": first, "later": later}, singly(y, resamples=400, seed=1))
    mean, _, high = paired_map(found["later"], found["first"])
    assert mean == pytest.approx((1 / 11 - 1) / 2)
    assert high < -0.3


def test_there_are_no_more_resamples_than_a_report_can_bear() -> None:
    """However many are asked for."""
    y, p = draw(6, chips=20)
    assert len(rank(y, p, singly(y, resamples=10_000, seed=1))["good"].drawn) == RESAMPLES


def test_what_cannot_be_compared_is_refused() -> None:
    """Other numbers of resamples, draws of other chips, no label, and arguments of other shapes."""
    y, p = draw(7, chips=20)
    few, many = (rank(y, p, singly(y, resamples=resamples, seed=1))["good"] for resamples in (10, 20))
    with pytest.raises(InputError, match="expected the same resamples"):
        paired_map(few, many)
    with pytest.raises(InputError, match="draws of 20 chips, found those of 19"):
        rank(y, p, singly(y[1:], resamples=10, seed=1))
    nothing = rank(np.zeros_like(y), p, singly(y, resamples=10, seed=1))["good"]
    with pytest.raises(InputError, match="none of the labels holds"):
        paired_map(nothing, nothing)
    with pytest.raises(InputError, match="of one shape"):
        rank(y, {"short": p["good"][:, :2]}, singly(y, resamples=10, seed=1))
