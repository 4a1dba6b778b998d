"""Fisher vectors of a mixture: they are what the theory says."""

import numpy as np
import numpy.typing as npt

from igarape.learners.fisher.mixture import Mixture

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
