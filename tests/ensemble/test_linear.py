"""Weighted sums of what learners predict: each row by itself, and the same from the disk."""

import numpy as np
import pytest
from opinions import LABELS, LEARNERS, draw

from igarape.ensemble.linear import (
    Linear,
    columns,
    log_loss,
    logit,
    mean_weights,
    own_columns,
    sigmoid,
    single_weights,
    split_columns,
    stack_columns,
)
from igarape.errors import InputError


def test_the_columns_are_those_of_the_learners_in_their_order() -> None:
    """The rare learner's come last, and each label knows where it is predicted."""
    p, _, _ = draw(5, seed=1)
    assert columns(LEARNERS)[-2:] == [("rare", "tank"), ("rare", "blow down/1")]
    assert (stack_columns(p, LEARNERS)[:, 8:] == p["rare"]).all()
    assert all((again == p[name]).all() for name, again in split_columns(stack_columns(p, LEARNERS), LEARNERS).items())
    assert own_columns(LEARNERS, "tank") == [3, 7, 8]
    assert own_columns(LEARNERS, "sea") == [0, 4]


def test_the_mean_is_over_those_who_predict_the_label() -> None:
    """A label that the rare learner predicts too is averaged over three, the others over two."""
    p, _, _ = draw(40, seed=1)
    mean = mean_weights(LEARNERS, LABELS).margin(stack_columns(p, LEARNERS))
    assert mean[:, 0] == pytest.approx((p["plain"][:, 0] + p["deep"][:, 0]) / 2)
    assert mean[:, 3] == pytest.approx((p["plain"][:, 3] + p["deep"][:, 3] + p["rare"][:, 0]) / 3)


def test_one_learner_is_answered_as_it_is() -> None:
    """Whatever the others say."""
    p, _, _ = draw(40, seed=2)
    assert (single_weights("deep", LEARNERS, LABELS).margin(stack_columns(p, LEARNERS)) == p["deep"]).all()


def test_a_row_is_answered_alone_as_among_others() -> None:
    """To the last bit, on either scale."""
    p, _, _ = draw(64, seed=3)
    rng = np.random.default_rng(3)
    for scale in ("logits", "probabilities"):
        linear = Linear(scale, rng.normal(size=(10, 4)), rng.normal(size=4))
        every = linear.margin(stack_columns(p, LEARNERS))
        alone = np.concatenate([linear.margin(stack_columns(p, LEARNERS)[row : row + 1]) for row in range(64)])
        assert (every == alone).all()
        loaded = Linear.from_json(linear.to_json())
        assert (loaded.margin(stack_columns(p, LEARNERS)) == every).all()


def test_answers_are_probabilities() -> None:
    """A sum of logits through the sigmoid, one of probabilities cut at 0 and 1; certainty has a finite logit."""
    sums = np.array([[-800.0, 0.0, 0.3, 800.0]])
    assert Linear("logits", np.zeros((1, 4)), np.zeros(4)).answer(sums) == pytest.approx(
        np.array([[0, 0.5, 1 / (1 + np.exp(-0.3)), 1]])
    )
    assert Linear("probabilities", np.zeros((1, 4)), np.zeros(4)).answer(sums).tolist() == [[0, 0, 0.3, 1]]
    assert np.isfinite(logit(np.array([0.0, 1.0]))).all()
    assert sigmoid(logit(np.array([0.2, 0.9]))) == pytest.approx(np.array([0.2, 0.9]))


def test_the_log_loss_is_that_of_the_probability() -> None:
    """-log p of what is true, -log(1 - p) of what is not."""
    p = np.array([0.2, 0.9])
    assert log_loss(logit(p), np.array([1.0, 0.0])) == pytest.approx(-np.log([0.2, 0.1]))


def test_other_learners_and_shapes_are_refused() -> None:
    """The error names them."""
    p, _, _ = draw(20, seed=4)
    with pytest.raises(InputError, match=r"expected predictions by .*'rare'"):
        stack_columns({"plain": p["plain"], "deep": p["deep"]}, LEARNERS)
    with pytest.raises(InputError, match=r"rare: expected probabilities of shape \(20, 2\), found \(20, 4\)"):
        stack_columns({**p, "rare": p["plain"]}, LEARNERS)
    with pytest.raises(InputError, match=r"scale: expected one of .*'logits'.*, found 'pounds'"):
        Linear.from_json({"scale": "pounds", "weights": [], "bias": []})
