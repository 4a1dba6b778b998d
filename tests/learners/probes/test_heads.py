"""The head of a probe: what scikit-learn answers on standardised features, as one dense layer."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from igarape.labels import Booleans
from igarape.learners.probes.heads import LEAST, Table, fit_head

RNG = np.random.default_rng(0)
FEATURES: Table = (RNG.normal(size=(300, 8)) * np.linspace(0.5, 1.5, 8) + 3).astype(np.float32)
TRUTH: Booleans = FEATURES[:, :2] + RNG.normal(size=(300, 2)) > [3.0, 4.5]


@pytest.mark.parametrize(("l2", "balance", "importance"), [(1.0, 0.0, None), (30.0, 1.0, "balanced")])
def test_a_head_answers_as_scikit_learn_does(l2: float, balance: float, importance: str | None) -> None:
    """On standardised features; balance 1 is its class_weight balanced, but for a factor on l2."""
    head = fit_head(FEATURES, TRUTH, l2=l2, balance=balance)
    standard = StandardScaler().fit_transform(FEATURES.astype(np.float64))
    for label, holds in enumerate(TRUTH.T):
        # "balanced" divides both sides by twice their share: ours counts those that do not hold once.
        factor = len(holds) / (2 * (~holds).sum()) if importance else 1.0
        model = LogisticRegression(C=1 / l2 / factor, class_weight=importance, max_iter=1000).fit(standard, holds)
        expected = model.predict_proba(standard)[:, 1]
        np.testing.assert_allclose(head.answer(FEATURES)[:, label], expected, atol=1e-4 if importance else 1e-5)


def test_what_can_be_told_by_a_line_is_learned() -> None:
    """Each chip is on the right side of a half."""
    truth = FEATURES[:, :3] > FEATURES.mean(axis=0)[:3]
    head = fit_head(FEATURES, truth, l2=1e-3, balance=0.0)
    assert ((head.answer(FEATURES) > 0.5) == truth).all()


@pytest.mark.parametrize(("holds", "share"), [(False, 1 / 302), (True, 301 / 302)])
def test_a_label_that_cannot_be_learned_is_answered_with_its_smoothed_share(holds: bool, share: float) -> None:
    """As if one more chip held it and one did not; whatever the chip looks like."""
    truth = np.column_stack([TRUTH[:, 0], np.full(300, holds)])
    p = fit_head(FEATURES, truth, l2=1.0, balance=1.0).answer(FEATURES)
    np.testing.assert_allclose(p[:, 1], share, rtol=1e-5)
    assert np.ptp(p[:, 0]) > 0.1


def test_balance_counts_the_few_that_hold_a_label_more() -> None:
    """So they are answered with more."""
    rare = FEATURES[:, :1] > 4.0
    means = [fit_head(FEATURES, rare, l2=10.0, balance=each).answer(FEATURES).mean() for each in (0.0, 0.5, 1.0)]
    assert means == sorted(means) and means[2] > 2 * means[0]


def test_more_l2_is_less_sure() -> None:
    """With a strong penalty all is answered with the label's share."""
    head = fit_head(FEATURES, TRUTH, l2=1e6, balance=0.0)
    np.testing.assert_allclose(head.answer(FEATURES), np.broadcast_to(TRUTH.mean(axis=0), TRUTH.shape), atol=1e-2)


def test_a_channel_that_never_fired_does_not_decide() -> None:
    """It is scaled by a share of the mean deviation: 20 standard deviations of the others, not 20,000 of its own."""
    quiet = (RNG.random((300, 1)) * 1e-5).astype(np.float32)
    table = np.concatenate([FEATURES, quiet], axis=1)
    head = fit_head(table, TRUTH, l2=10.0, balance=0.0)
    fired = table.copy()
    fired[:, 8] += FEATURES.std(axis=0).mean() * LEAST
    assert np.abs(head.answer(fired) - head.answer(table)).max() < 1e-3


def test_features_without_any_difference_answer_the_shares() -> None:
    """Nothing is divided by zero."""
    head = fit_head(np.ones_like(FEATURES), TRUTH, l2=1.0, balance=0.0)
    np.testing.assert_allclose(head.answer(np.ones_like(FEATURES))[0], TRUTH.mean(axis=0), atol=1e-3)
