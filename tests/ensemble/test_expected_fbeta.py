"""The expected F-beta of an answer is its mean over all truths, each weighed by its probability."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igarape.ensemble.best_sets import best_sets
from igarape.ensemble.expected_fbeta import expected_fbeta
from igarape.labels import Booleans, Vocabulary
from igarape.scores.metrics import Floats

WORDS = Vocabulary(("sun", "fog", "dark"), ("dark",), ("tree", "road"), ("kiln",))
PLAIN = Vocabulary((), (), ("tree", "road"), ("kiln",))


def by_hand(p: Floats, answered: Booleans, words: Vocabulary, beta: float) -> float:
    """Sum the F-beta of one answer over all truths."""
    grouped = len(words.exclusive)
    weather = p[:grouped] / p[:grouped].sum() if grouped else np.ones(1)
    lonely = sum(weather[words.exclusive.index(label)] for label in words.alone)
    total = 0.0
    for which, chance in enumerate(weather):
        alone = grouped > 0 and words.exclusive[which] in words.alone
        for free in product((False, True), repeat=len(p) - grouped):
            q = np.zeros(len(free)) if alone else np.minimum(1, p[grouped:] / (1 - lonely))
            probability = chance * np.prod(np.where(free, q, 1 - q))
            truth = np.array([*(k == which for k in range(grouped)), *free])
            hits = (truth & answered).sum()
            total += probability * (1 + beta**2) * hits / max(1, beta**2 * truth.sum() + answered.sum())
    return total


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1.0, 2.0]), st.sampled_from([WORDS, PLAIN]))
def test_it_is_the_mean_over_all_truths(seed: int, beta: float, words: Vocabulary) -> None:
    """For any answer, a label that stands alone or none in the vocabulary."""
    rng = np.random.default_rng(seed)
    p, answered = rng.random((3, len(words.labels))), rng.random((3, len(words.labels))) < 0.5
    found = expected_fbeta(p, answered, words, beta=beta)
    expected = [by_hand(*row, words, beta) for row in zip(p, answered, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_the_best_set_may_expect_most() -> None:
    """No answer that the vocabulary allows expects more than that of the rule expected."""
    p = np.random.default_rng(1).random((20, len(WORDS.labels)))
    best = expected_fbeta(p, best_sets(p, WORDS, beta=2.0), WORDS, beta=2.0)
    for bits in product((False, True), repeat=len(WORDS.labels)):
        if WORDS.contradiction(bits) is None:
            answered = np.broadcast_to(np.array(bits), p.shape)
            assert (expected_fbeta(p, answered, WORDS, beta=2.0) <= best + 1e-12).all()


def test_what_is_certain_expects_one() -> None:
    """A right answer to certain probabilities has F2 1, also where the group says nothing."""
    p = np.array([[1.0, 0, 0, 1, 0, 0], [0, 0, 1.0, 0, 0, 0]])
    assert expected_fbeta(p, p > 0.5, WORDS, beta=2.0) == pytest.approx([1, 1])
    assert np.isfinite(expected_fbeta(np.zeros((1, 6)), np.zeros((1, 6), dtype=np.bool_), WORDS, beta=2.0)).all()
