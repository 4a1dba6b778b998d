"""The head that compares chips by an RBF kernel: what no line parts, odd features, few chips, and the same as ONNX."""

import numpy as np
import pytest

from igarape.learners.kernels.machine import FARTHEST
from igarape.learners.probes.heads import Table, fit_head
from igarape.learners.probes.kernel_head import COMPONENTS, KernelHead, fit_kernel_head
from igarape.scores.metrics import mean_average_precision

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(5, 2, (120, 3)).astype(np.float32)
INSIDE = (((FEATURES - 5) / 2) ** 2).sum(axis=1)[:, None] < 2.5


def fitted(features: Table = FEATURES) -> KernelHead:
    """Fit a head to a ball and what lies around it."""
    return fit_kernel_head(features, INSIDE[: len(features)], gamma=0.5, l2=0.01, balance=0.0, seed=0)


def test_a_ball_is_told_from_what_lies_around_it() -> None:
    """On rows that it has not seen; no line parts them."""
    learned, seen = FEATURES[:90], FEATURES[90:]
    p = fitted(learned).answer(seen)
    assert p.dtype == np.float32 and p.shape == (30, 1)
    line = fit_head(learned, INSIDE[:90], l2=0.1, balance=0.0).answer(seen)
    assert mean_average_precision(INSIDE[90:], p) > 0.9 > mean_average_precision(INSIDE[90:], line)


def test_features_may_be_scaled_and_shifted() -> None:
    """Each by a factor of its own."""
    factors = np.array([1, 4, 0.5], dtype=np.float32)
    moved = FEATURES * factors + 3
    expected = fitted().answer(FEATURES)
    scaled = fitted(FEATURES * 7 + 3).answer(FEATURES * 7 + 3)
    np.testing.assert_allclose(scaled, expected, atol=1e-3)
    np.testing.assert_allclose(fitted(moved).answer(moved), expected, atol=1e-3)


def test_one_odd_feature_does_not_make_a_chip_unlike_all_others() -> None:
    """Beyond FARTHEST deviations all values are the same."""
    head = fitted()
    odd, odder = FEATURES[:1].copy(), FEATURES[:1].copy()
    odd[0, 0], odder[0, 0] = head.mean[0] + FARTHEST * head.scale[0], 1e9
    np.testing.assert_allclose(head.answer(odd), head.answer(odder), atol=1e-6)


def test_of_many_features_there_are_no_more_components_than_wanted() -> None:
    """And the same seed finds the same."""
    wide = RNG.normal(size=(COMPONENTS + 20, 500)).astype(np.float32)
    heads = [fit_kernel_head(wide, wide[:, :1] > 0, gamma=0.5, l2=0.1, balance=0.0, seed=3) for _ in range(2)]
    assert heads[0].projection.shape == (500, COMPONENTS)
    np.testing.assert_array_equal(heads[0].answer(wide), heads[1].answer(wide))


@pytest.mark.parametrize("chips", [1, 2, 5])
def test_few_chips_are_enough(chips: int) -> None:
    """A label that all of them hold is answered with its smoothed share, of equal chips too."""
    y = np.ones((chips, 1), dtype=np.bool_)
    for table in (FEATURES[:chips], np.full((chips, 4), 7, dtype=np.float32)):
        p = fit_kernel_head(table, y, gamma=0.5, l2=0.01, balance=0.0, seed=0).answer(table)
        np.testing.assert_allclose(p[:, 0], (chips + 1) / (chips + 2), rtol=1e-5)
