"""The head of a probe: what scikit-learn answers on standardised features, or prototypes, as one dense layer."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from igarape.labels import Booleans
from igarape.learners.probes.heads import LEAST, Table, _directions, _likeness, fit_head, fit_label, fit_prototypes

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
        model = LogisticRegression(C=1 / l2 / factor, class_weight=importance, tol=1e-8, max_iter=1000)
        model.fit(standard, holds)
        expected = model.predict_proba(standard)[:, 1]
        np.testing.assert_allclose(head.answer(FEATURES)[:, label], expected, atol=1e-5)


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


def cosine(table: Table, mean: Table) -> Table:
    """Return the cosine of each row to a vector."""
    return np.asarray(table @ mean / np.linalg.norm(table, axis=1) / np.linalg.norm(mean))


def test_a_prototype_answers_by_how_much_nearer_a_chip_is_to_those_that_hold_the_label() -> None:
    """By angle, seen from the mean of all: the logit is a rising line over the difference of the two cosines."""
    chips = RNG.normal(size=(50, 8)).astype(np.float32) + 3
    centred, new = FEATURES - FEATURES.mean(axis=0), chips - FEATURES.mean(axis=0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    p = fit_prototypes(FEATURES, TRUTH, l2=1.0, balance=0.0).answer(chips).astype(np.float64)
    for label, holds in enumerate(TRUTH.T):
        nearer = cosine(new, unit[holds].mean(axis=0)) - cosine(new, unit[~holds].mean(axis=0))
        line = np.polynomial.Polynomial.fit(nearer, np.log(p[:, label] / (1 - p[:, label])), 1).convert()
        assert line.coef[1] > 0.1
        np.testing.assert_allclose(1 / (1 + np.exp(-line(nearer))), p[:, label], atol=1e-4)


def test_a_chip_has_no_part_in_the_mean_that_it_is_compared_with() -> None:
    """As if each were left out in turn; a mean of nobody else is like nothing, and so is a chip at the centre."""
    table = _directions(RNG.normal(size=(40, 5)))
    table[7] = 0
    for members in (np.arange(40) < 3, np.arange(40) >= 3, np.arange(40) == 4):
        expected = []
        for row in range(40):
            others = table[members & (np.arange(40) != row)]
            total = others.sum(axis=0)
            expected.append(table[row] @ total / np.linalg.norm(total) if len(others) else 0.0)
        np.testing.assert_allclose(_likeness(table, members), expected, atol=1e-9)


def test_probabilities_of_prototypes_are_shares_though_few_chips_hold_the_label() -> None:
    """Five chips of 300 are no surer of each other than their features allow: on noise all have about the share."""
    noise = np.random.default_rng(3).normal(size=(300, 60)).astype(np.float32)
    p = fit_prototypes(noise, (np.arange(300) < 5)[:, None], l2=1.0, balance=0.0).answer(noise)
    assert p.mean() < 0.05 and p[:5].max() < 0.3


def test_chips_that_are_less_alike_than_others_tell_nothing() -> None:
    """Two that lie on opposite sides of all others: a new chip near to one of them is not answered with less."""
    table = np.concatenate([[[9, 0], [-9, 0]], RNG.normal(size=(58, 2)) * [0.1, 1] + [0, 3]]).astype(np.float32)
    p = fit_prototypes(table, (np.arange(60) < 2)[:, None], l2=1.0, balance=0.0).answer(table)
    np.testing.assert_allclose(p, 2 / 60, rtol=0.01)


@pytest.mark.parametrize("holds", [False, True])
def test_a_prototype_without_contrast_is_answered_with_its_smoothed_share(holds: bool) -> None:
    """As by regressions; and where no feature differs, each label with its share."""
    head = fit_prototypes(FEATURES, np.full((300, 1), holds), l2=1.0, balance=0.0)
    np.testing.assert_allclose(head.answer(FEATURES), 301 / 302 if holds else 1 / 302, rtol=1e-5)
    same = np.ones_like(FEATURES)
    shares = fit_prototypes(same, TRUTH, l2=1.0, balance=0.0).answer(same)[0]
    np.testing.assert_allclose(shares, TRUTH.mean(axis=0), atol=1e-3)


@pytest.mark.parametrize("balance", [0.0, 1.0])
def test_a_regression_ends_at_its_least_cost_however_many_chips_there_are(balance: float) -> None:
    """The gradient of the summed cost is next to nothing there, so that l2 counts; a mean's would be small anywhere."""
    rng = np.random.default_rng(5)
    table = rng.normal(size=(5000, 40)) / 10
    holds = table @ rng.normal(size=40) + rng.normal(size=5000) / 5 > 1
    weights, bias = fit_label(table, holds, l2=0.01, balance=balance)
    importance = np.where(holds, ((~holds).sum() / holds.sum()) ** balance, 1.0)
    error = importance * (1 / (1 + np.exp(-table @ weights - bias)) - holds)
    assert np.abs(table.T @ error + 0.01 * weights).max() < 0.01
    assert abs(error.sum()) < 0.01
