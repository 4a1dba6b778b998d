"""Figures of chips that are drawn again are those of a table in which each chip stands as often as it was drawn."""

import numpy as np
import pytest
from drawing import singly

from igarape.errors import InputError
from igarape.scores.comparison import paired_bootstrap
from igarape.scores.draws import BLOCK
from igarape.scores.metrics import average_precision, f2_per_sample, label_scores, mean_average_precision
from igarape.scores.resampling import _weighted, compare_answers

LABELS = 4


def answers(seed: int, n: int = 120) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw truth, probabilities with many ties, and answers; the last label holds nowhere, the third on three chips."""
    rng = np.random.default_rng(seed)
    y = rng.random((n, LABELS)) < (0.6, 0.3, 0.0, 0.0)
    y[:3, 2] = True
    p = np.clip(0.3 * y + rng.random(y.shape), 0, 1).round(1).astype(np.float32)
    return y, p, p >= 0.5


def test_a_draw_is_scored_as_the_chips_that_it_holds() -> None:
    """Ties, labels without positives in a draw and labels without any are as in scores.metrics."""
    y, p, answered = answers(1)
    (drawn,) = singly(y, resamples=BLOCK, seed=5).counts()
    found = _weighted(y, p, answered)(drawn)
    assert (drawn.sum(axis=0) == len(y)).all()
    assert np.isnan(found[2 + LABELS + 2]).any()  # some draws hold none of the three chips
    for k in range(drawn.shape[1]):
        rows = np.repeat(np.arange(len(y)), drawn[:, k].astype(int))
        assert found[0, k] == pytest.approx(f2_per_sample(y[rows], answered[rows]).mean())
        each = average_precision(y[rows], p[rows])
        each = np.where(np.isnan(each), average_precision(y, p), each)  # what was observed, where a draw says nothing
        assert found[1, k] == pytest.approx(np.nanmean(each))
        there = y[rows].any(axis=0)
        assert found[2 : 2 + LABELS, k][there] == pytest.approx(label_scores(y[rows], answered[rows]).f2[there])
        assert np.isnan(found[2 : 2 + LABELS, k]).tolist() == (~there).tolist()
        assert found[2 + LABELS :, k] == pytest.approx(average_precision(y[rows], p[rows]), nan_ok=True)


def test_the_interval_of_f2_is_that_of_the_paired_bootstrap() -> None:
    """The draws are the same: more of them than are made at a time."""
    (y, *a), (_, *b) = answers(1), answers(2)
    found = compare_answers(y, (a[0], a[1]), (b[0], b[1]), singly(y, resamples=150, seed=3))
    mean, low, high = paired_bootstrap(f2_per_sample(y, b[1]), f2_per_sample(y, a[1]), singly(y, resamples=150, seed=3))
    assert (found.b[0] - found.a[0], found.low[0], found.high[0]) == pytest.approx((mean, low, high))


def test_what_is_better_is_above_zero_and_what_is_the_same_is_zero() -> None:
    """The truth as probabilities, against guesses; and a label that holds nowhere is not known."""
    y, p, answered = answers(4)
    better = compare_answers(y, (p, answered), (y.astype(np.float32), y), singly(y, resamples=200, seed=1))
    assert (better.low[[0, 1, 2, 3, 4, 6, 7]] > 0).all() and better.b[1] == 1
    for each in (better.a, better.b, better.low, better.high):
        assert np.flatnonzero(np.isnan(each)).tolist() == [2 + LABELS - 1, 1 + 2 * LABELS]
    same = compare_answers(y, (p, answered), (p, answered), singly(y, resamples=50, seed=1))
    assert np.nanmax(np.abs([same.low, same.high])) == 0


def test_the_interval_holds_the_true_difference_about_as_often_as_it_says() -> None:
    """Of 100 samples of chips, the interval of mAP's difference holds that of 100,000 chips some 95 times."""
    rng = np.random.default_rng(8)

    def draw(n: int) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
        y = rng.random((n, 2)) < 0.3
        both = [(y * shift + rng.normal(0, 1, y.shape)).astype(np.float32) for shift in (1.0, 1.3)]
        return y, [(p, p > 0.5) for p in both]

    y, (a, b) = draw(100_000)
    truth = mean_average_precision(y, b[0]) - mean_average_precision(y, a[0])
    found = []
    for seed in range(100):
        y, (a, b) = draw(200)
        found.append(compare_answers(y, a, b, singly(y, resamples=100, seed=seed)))
    assert 0.88 <= np.mean([each.low[1] <= truth <= each.high[1] for each in found]) <= 0.99


def test_answers_to_other_chips_are_refused() -> None:
    """So are draws of other chips."""
    y, p, answered = answers(1)
    with pytest.raises(InputError, match="the same 120 chips"):
        compare_answers(y, (p, answered), (p[1:], answered[1:]), singly(y, resamples=10, seed=1))
    with pytest.raises(InputError, match="the same 120 chips"):
        compare_answers(y[1:], (p[1:], answered[1:]), (p[1:], answered[1:]), singly(y, resamples=10, seed=1))
