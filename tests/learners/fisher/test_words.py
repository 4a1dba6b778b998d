"""How a mixture is fitted: clusters are found, whatever the scale of a number, and few patches are enough."""

import numpy as np
import pytest

from igarape.learners.fisher.words import fit_mixture, sample

RNG = np.random.default_rng(3)


def test_clusters_are_found_whatever_the_scale_of_a_number() -> None:
    """Three of them, apart in numbers that vary by little; the same seed finds the same."""
    places = RNG.integers(0, 3, 600)
    clusters = np.column_stack([places * 1e-3, 9 - 50 * places + RNG.normal(size=600), np.full(600, 7.0)])
    fits = [fit_mixture(clusters.astype(np.float32), words=3, components=1, seed=5) for _ in range(2)]
    np.testing.assert_array_equal(fits[0].means, fits[1].means)
    assert sorted(fits[0].shares) == pytest.approx(sorted(np.bincount(places) / 600))
    far = fits[0].fisher(np.full((9, 3), (0.0, 1e9, 8.0), dtype=np.float32))
    assert np.isfinite(far).all()


def test_few_patches_make_a_small_mixture() -> None:
    """One of a single patch even, which has no deviation; its Fisher vector is finite."""
    for count in (1, 3):
        patches = RNG.normal(size=(count, 5)).astype(np.float32)
        mixture = fit_mixture(patches, words=8, components=4, seed=0)
        assert len(mixture.shares) == count and mixture.shares.sum() == pytest.approx(1)
        assert np.isfinite(mixture.fisher(patches)).all() and np.isfinite(mixture.fisher(patches + 1e6)).all()


def test_a_sample_has_as_many_patches_of_each_chip() -> None:
    """And none twice."""
    chips = [np.arange(start, start + 300, dtype=np.float32)[:, None] for start in (0, 1000)]
    found = sample([*chips, chips[0][:7]], rng=np.random.default_rng(0))[:, 0]
    assert len(found) == 207 and len(set(found[:200])) == 200 and (found[:200] >= 1000).sum() == 100
