"""A mixture and Fisher vectors: that these are what the theory says, and that clusters are found."""

import numpy as np
import numpy.typing as npt
import pytest

from igarape.learners.fisher.mixture import Mixture, fit_mixture, sample

RNG = np.random.default_rng(3)
SHARES = np.array([0.5, 0.3, 0.2])
MEANS = np.array([[0.0, 0.0], [2.0, 1.0], [-1.0, 2.0]])
DEVIATIONS = np.array([[1.0, 0.5], [0.7, 0.9], [0.4, 1.2]])
PATCHES = RNG.normal((0.5, 0.7), 1.0, (40, 2))

Floats = npt.NDArray[np.float64]


def likelihood(logits: Floats, means: Floats, deviations: Floats) -> float:
    """Return the mean log-likelihood of the patches; the shares are the logits' softmax."""
    z = (PATCHES[:, None] - means) / deviations
    shares = np.exp(logits) / np.exp(logits).sum()
    densities = shares * np.exp(-(z**2).sum(axis=2) / 2) / (2 * np.pi * deviations.prod(axis=1))
    return float(np.log(densities.sum(axis=1)).mean())


def test_a_fisher_vector_is_the_gradient_of_the_log_likelihood() -> None:
    """By the shares' logits, the means and the deviations, by finite differences, at the scale of each one's spread."""
    at = [np.log(SHARES), MEANS, DEVIATIONS]
    gradient = []
    for which, values in enumerate(at):
        for place in np.ndindex(*values.shape):
            step = np.zeros_like(values)
            step[place] = 1e-5
            ends = []
            for end in (values + step, values - step):
                moved = [*at[:which], end, *at[which + 1 :]]
                ends.append(likelihood(moved[0], moved[1], moved[2]))
            gradient.append((ends[0] - ends[1]) / 2e-5)
    roots = np.sqrt(SHARES)
    scales = [1 / roots, (DEVIATIONS / roots[:, None]).ravel(), (DEVIATIONS / roots[:, None] / np.sqrt(2)).ravel()]
    expected = np.array(gradient) * np.concatenate(scales)
    arrays = (np.eye(2), np.zeros(2), MEANS, DEVIATIONS**2, SHARES)
    mixture = Mixture(*(array.astype(np.float32) for array in arrays))
    found = mixture.fisher(PATCHES.astype(np.float32))
    assert found.dtype == np.float32 and found.shape == (mixture.width,)
    np.testing.assert_allclose(np.sign(found) * found.astype(np.float64) ** 2, expected, atol=2e-6)


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
