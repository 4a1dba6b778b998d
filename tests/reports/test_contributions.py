"""SHAP values that add up to what they explain, and a weighted sum's with a known answer."""

import numpy as np
import pytest
from opinions import LABELS, LEARNERS, boosted, draw

from igarape.ensemble.linear import Linear, logit, mean_weights, stack_columns
from igarape.ensemble.stacker import Stacker
from igarape.reports.contributions import CHIPS, NAMED, contributions, shap


def test_the_values_of_trees_add_up_to_their_correction() -> None:
    """Chip by chip, but for the mean correction, which no feature makes."""
    p, y, _ = draw(300, seed=1)
    stacker = boosted(p, y, learners=LEARNERS, labels=LABELS)
    laid = stack_columns(p, stacker.learners)
    features = logit(laid).astype(np.float32)
    for boosters in stacker.boosters.values():
        correction = np.mean([each.inplace_predict(features, predict_type="margin") for each in boosters], axis=0)
        rest = correction - shap(boosters, laid).sum(axis=1)
        assert rest == pytest.approx(rest.mean(), abs=1e-4)


def test_a_weighted_sum_moves_by_its_weights() -> None:
    """Twice a logit moves its label by twice its mean distance from the mean, and the other labels by nothing."""
    p, _, _ = draw(200, seed=2)
    weights = np.zeros((len(stack_columns(p, LEARNERS)[0]), len(LABELS)))
    weights[1, 1] = 2.0  # plain on dock
    stacker = Stacker("blend", LABELS, dict(LEARNERS), Linear("logits", weights, np.ones(len(LABELS))))
    found = contributions(stacker, p)
    values = logit(p["plain"][:, 1])
    assert found.linear[1, 0] == pytest.approx(2 * np.abs(values - values.mean()).mean())
    assert found.linear.sum() == found.linear[1, 0] and not found.trees.any()
    assert (found.features, found.learners, found.scale, found.chips) == ({}, tuple(LEARNERS), "logits", 200)
    turned = contributions(stacker, dict(reversed(p.items())))  # as they are listed, however the stack sorts them
    assert turned.learners == tuple(LEARNERS)[::-1] and (turned.linear == found.linear[:, ::-1]).all()


def test_what_trees_look_at_is_found() -> None:
    """Only deep knows of dock: it moves the trees of that label most, by what it says of dock."""
    p, y, _ = draw(600, seed=3)
    rng = np.random.default_rng(4)
    p["plain"] = rng.random(p["plain"].shape, dtype=np.float32)
    found = contributions(boosted(p, y, learners=LEARNERS, labels=LABELS), p)
    dock = LABELS.index("dock")
    assert found.trees[dock].argmax() == found.learners.index("deep")
    first = found.features["dock"][0]
    assert (first.learner, first.label) == ("deep", "dock") and len(found.features["dock"]) <= NAMED
    assert 0 < first.size <= found.trees[dock].max() * 1.01


def test_probabilities_are_told_from_logits_and_few_chips_are_enough() -> None:
    """The mean's sum is one of probabilities; of many chips some are looked at."""
    p, _, _ = draw(CHIPS + 500, seed=5)
    found = contributions(Stacker("mean", LABELS, dict(LEARNERS), mean_weights(LEARNERS, LABELS)), p)
    assert (found.scale, found.chips, found.method) == ("probabilities", CHIPS, "mean")
    assert found.linear.max() < 1
