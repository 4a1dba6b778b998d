"""Confident learning: planted errors are found, none are found where there are none, and the counts are the paper's."""

import numpy as np
import pytest

from igarape.labels import Booleans
from igarape.scores.doubts import find_doubts
from igarape.scores.metrics import Floats

N = 4000
SHARES = (0.5, 0.2, 0.03)


def made(flips: float, *, sharp: float, seed: int = 0) -> tuple[Booleans, Booleans, Floats]:
    """Give labels with a share of planted errors, where these are, and what good models say of what is true."""
    rng = np.random.default_rng(seed)
    true = rng.random((N, len(SHARES))) < SHARES
    p = 1 / (1 + np.exp(-np.where(true, sharp, -sharp) - rng.normal(0, 1.5, true.shape)))
    planted = rng.random(true.shape) < flips
    return true ^ planted, planted, p


def test_planted_errors_are_found_and_counted() -> None:
    """Most of them, hardly any others; the estimate comes within a fifth of their number."""
    y, planted, p = made(0.05, sharp=5)
    found = find_doubts(y, p, counted=np.ones(N, dtype=np.bool_))
    assert (found.doubted & planted).sum() >= 0.85 * planted.sum()
    assert (found.doubted & planted).sum() >= 0.95 * found.doubted.sum()
    assert found.wrong.sum() == pytest.approx(planted.sum(), rel=0.2)


def test_the_most_doubted_are_planted() -> None:
    """Also where models are unsure: of the 100 most doubted, nine of ten."""
    y, planted, p = made(0.05, sharp=3)
    found = find_doubts(y, p, counted=np.ones(N, dtype=np.bool_))
    first = np.argsort(-np.where(found.doubted, found.doubt, 0), axis=None)[:100]
    assert planted.ravel()[first].mean() >= 0.9


def test_labels_without_errors_are_hardly_doubted() -> None:
    """By models that know them well; those that are unsure doubt more, though nothing is wrong."""
    doubted = {}
    for sharp in (4, 1):
        y, planted, p = made(0.0, sharp=sharp)
        assert not planted.any()
        doubted[sharp] = find_doubts(y, p, counted=np.ones(N, dtype=np.bool_)).doubted.mean()
    assert doubted[4] < 0.0005 and doubted[1] > 0.01


def test_the_counts_are_those_of_a_literal_reading_of_the_paper() -> None:
    """Row by row: thresholds, the more probable class of those reached, the joint scaled to the labels given."""
    y, _, p = made(0.1, sharp=2, seed=1)
    y, p = y[:300], p[:300]
    counted = np.arange(300) % 3 > 0
    found = find_doubts(y, p, counted=counted)
    for k in range(len(SHARES)):
        chance = np.stack([1 - p[:, k], p[:, k]], axis=1)
        threshold = [chance[counted & (y[:, k] == c), c].mean() for c in (0, 1)]
        joint = np.zeros((2, 2))
        for row in range(300):
            reached = [c for c in (0, 1) if chance[row, c] >= threshold[c]]
            held = max(reached, key=lambda c: chance[row, c]) if reached else None
            given = int(y[row, k])
            assert found.doubted[row, k] == (held == 1 - given and chance[row, 1 - given] > 0.5)
            assert found.doubt[row, k] == pytest.approx(chance[row, 1 - given])
            if held is not None and counted[row]:
                joint[given, held] += 1
        scaled = [joint[c, 1 - c] / joint[c].sum() * (counted & (y[:, k] == c)).sum() for c in (0, 1)]
        assert found.wrong[:, k] == pytest.approx(scaled)


def test_rows_that_are_not_counted_change_nothing_but_are_compared() -> None:
    """The hold-out's labels, however wrong, move neither thresholds nor estimates."""
    y, _, p = made(0.05, sharp=4)
    counted = np.arange(N) < N // 2
    spoiled = np.where(counted[:, None], y, ~y)
    one, other = (find_doubts(labels, p, counted=counted) for labels in (y, spoiled))
    assert (one.wrong == other.wrong).all() and (one.doubted[counted] == other.doubted[counted]).all()
    assert other.doubted[~counted].mean() > 0.5


def test_a_label_that_nobody_has_or_that_all_have_is_not_doubted() -> None:
    """There is no threshold to be reached."""
    y = np.zeros((50, 2), dtype=np.bool_)
    y[:, 1] = True
    p = np.full((50, 2), 0.1, dtype=np.float32)
    p[0] = (0.99, 0.01)
    found = find_doubts(y, p, counted=np.ones(50, dtype=np.bool_))
    assert not found.doubted.any() and not found.wrong.any()


def test_models_that_know_nothing_of_a_rare_label_doubt_all_who_have_it() -> None:
    """As confident learning does: that is why the report shows beside the doubts how well a label is known."""
    y = (np.arange(50) < 10)[:, None]
    found = find_doubts(y, np.full((50, 1), 0.2), counted=np.ones(50, dtype=np.bool_))
    assert (found.doubted == y).all() and found.wrong[:, 0].tolist() == [0, 10]
