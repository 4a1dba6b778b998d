"""Thresholds: counted for all of a grid at once as one by one, and a label's own only where it has the chips for it."""

import numpy as np
import pytest
from decisions import FREE, VOCABULARIES, WEATHER, draw
from hypothesis import given, settings
from hypothesis import strategies as st

from igarape.ensemble import thresholds as module
from igarape.ensemble.thresholds import CHUNK, GRID, best_threshold, label_thresholds
from igarape.labels import Vocabulary
from igarape.scores.metrics import sample_fbeta
from igarape.scores.rules import apply_thresholds, isolated_threshold

VOCABULARY = st.sampled_from(VOCABULARIES)
BETA = st.sampled_from([0.5, 1.0, 2.0, 4.0])


@settings(max_examples=40, deadline=None)
@given(vocabulary=VOCABULARY, beta=BETA, seed=st.integers(0, 99), single=st.booleans())
def test_the_best_threshold_is_the_best_one_by_one(
    vocabulary: Vocabulary, beta: float, seed: int, single: bool
) -> None:
    """No threshold of the grid scores better, and none that scores the same is nearer to the isolated label's."""
    y, p = draw(60, vocabulary, seed)
    p = p.round(2).astype(np.float32 if single else np.float64)  # so that some lie on the grid
    targets = vocabulary.targets("all")
    scores = [sample_fbeta(y, apply_thresholds(p, targets, threshold=float(one)), beta=beta) for one in GRID]
    found = best_threshold(y, p, vocabulary=vocabulary, beta=beta)
    best = [one for one, score in zip(GRID, scores, strict=True) if score >= max(scores) - 1e-12]
    assert found in best
    assert abs(found - isolated_threshold(beta)) == pytest.approx(
        min(abs(one - isolated_threshold(beta)) for one in best)
    )


def test_a_chunk_border_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are counted in chunks, which nobody sees."""
    y, p = draw(CHUNK + 5, WEATHER, seed=1)
    whole = best_threshold(y, p, vocabulary=WEATHER, beta=2.0)
    monkeypatch.setattr(module, "CHUNK", 100)
    assert best_threshold(y, p, vocabulary=WEATHER, beta=2.0) == whole


@settings(max_examples=30, deadline=None)
@given(vocabulary=VOCABULARY, beta=BETA, seed=st.integers(0, 99))
def test_a_labels_own_threshold_is_the_best_one_by_one(vocabulary: Vocabulary, beta: float, seed: int) -> None:
    """While all other labels keep the common threshold, none of the grid scores better for it."""
    y, p = draw(60, vocabulary, seed)
    fitted, targets = module._Own.fit(y, p, vocabulary, beta), vocabulary.targets("all")
    assert fitted.common == best_threshold(y, p, vocabulary=vocabulary, beta=beta)
    for j in range(len(vocabulary.exclusive), len(vocabulary.labels)):
        scores = {}
        for one in GRID:
            tried = np.full(p.shape[1], fitted.common)
            tried[j] = one
            scores[float(one)] = sample_fbeta(y, apply_thresholds(p, targets, threshold=tried), beta=beta)
        assert scores[float(fitted.own[j])] == pytest.approx(max(scores.values()), abs=1e-12)


def test_a_label_with_few_positives_stays_at_the_common_threshold() -> None:
    """Its weight is n / (n + prior); without any positive, or with a prior that nothing weighs against, it is 0."""
    fitted = module._Own(common=0.2, own=np.array([0.6, 0.6, 0.6]), positives=np.array([0, 10, 990]))
    assert fitted.shrunk(10.0) == pytest.approx([0.2, 0.4, 0.2 + 0.4 * 0.99])
    assert fitted.shrunk(float("inf")) == pytest.approx([0.2, 0.2, 0.2])


def test_labels_of_another_calibration_get_thresholds_of_their_own() -> None:
    """One label's probabilities are twice too small, and its threshold is about half of the others'."""
    rng = np.random.default_rng(5)
    true = rng.beta(0.5, 1.5, size=(6000, 5))
    y = rng.random(true.shape) < true
    p = true.copy()
    p[:, 2] /= 2
    found = label_thresholds(y, p, np.arange(6000) % 4, vocabulary=FREE, beta=2.0)
    assert set(found) == set(FREE.labels)
    others = [value for label, value in found.items() if label != "c"]
    assert found["c"] < 0.7 * min(others)


def test_where_labels_are_alike_none_gets_far_from_the_common_threshold() -> None:
    """Few chips and no difference between the labels: what looks best for each is luck."""
    rng = np.random.default_rng(6)
    p = rng.beta(0.5, 1.5, size=(200, 5))
    y = rng.random(p.shape) < p
    fitted = module._Own.fit(y, p, FREE, 2.0)
    found = label_thresholds(y, p, np.arange(200) % 4, vocabulary=FREE, beta=2.0)
    assert max(abs(one - fitted.common) for one in found.values()) < np.abs(fitted.own - fitted.common).max()


def test_a_lone_fold_is_cut_for_what_is_chosen_inside_it() -> None:
    """With two folds the others are one; thresholds are found all the same, of a lone chip too."""
    y, p = draw(300, WEATHER, seed=2)
    found = label_thresholds(y, p, np.zeros(300, dtype=np.int64), vocabulary=WEATHER, beta=2.0)
    assert set(found) == {"a", "b", "c"}
    assert label_thresholds(y[:1], p[:1], np.zeros(1, dtype=np.int64), vocabulary=WEATHER, beta=2.0)
