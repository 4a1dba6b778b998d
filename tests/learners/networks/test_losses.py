"""The losses: known answers."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf
import tiny

from igarape.config.hyperparameters import NetworkValues, words
from igarape.errors import InputError
from igarape.labels import Booleans
from igarape.learners.networks.losses import make_loss

SURE = 1e-6
COUNTED = ("class_balanced", "distribution_balanced", "logit_adjusted")


def learned(held: npt.ArrayLike, rows: int) -> Booleans:
    """Give the truth of rows to learn from: the first ones hold each label, as many as are said."""
    return np.less(np.arange(rows)[:, None], held)


def losses(
    name: str, y: Any, p: Any, *, smoothing: float = 0.0, exclusive: int = 0, rows: Booleans | None = None
) -> npt.NDArray[np.float32]:
    """Return the loss of each chip, where half of the chips to learn from hold each label, or as rows says."""
    labels = len(y[0])
    truth = learned([5] * labels, 10) if rows is None else rows
    loss = make_loss(name, smoothing=smoothing, targets=tiny.targets(labels, exclusive), y=truth)
    return np.asarray(loss(np.array(y, np.float32), np.array(p, np.float32)))


def loss(name: str, y: float, p: float, *, smoothing: float = 0.0) -> float:
    """Return the loss of one label."""
    return float(losses(name, [[y]], [[p]], smoothing=smoothing)[0])


@pytest.mark.parametrize("name", words(NetworkValues.model_fields["loss"]))
def test_a_loss_falls_towards_the_truth_and_is_finite_at_the_ends(name: str) -> None:
    """From all wrong over undecided to all right; a probability of 0 for what is true costs much, but not all."""
    y = np.array([[1, 0, 1, 0]])
    wrong, undecided, right = (float(losses(name, y, p, exclusive=2)[0]) for p in (1.0 - y, 0 * y + 0.5, 1.0 * y))
    assert wrong > undecided > right >= 0
    assert np.isfinite(wrong)
    assert right < SURE + 1e-5


@pytest.mark.parametrize(("y", "p"), [(1, 0.8), (0, 0.2), (1, 0.1), (0, 0.9)])
def test_bce_is_the_negative_logarithm_of_the_truths_probability(y: float, p: float) -> None:
    """Binary cross-entropy."""
    assert loss("bce", y, p) == pytest.approx(-np.log(p if y else 1 - p), rel=1e-5)


@pytest.mark.parametrize(("y", "p"), [(1, 0.8), (0, 0.2), (1, 0.1), (0, 0.9)])
def test_focal_weighs_by_the_square_of_what_is_missing(y: float, p: float) -> None:
    """Lin et al., ICCV 2017, with gamma 2: what is nearly right counts little."""
    true = p if y else 1 - p
    assert loss("focal", y, p) == pytest.approx(-((1 - true) ** 2) * np.log(true), rel=1e-5)


def test_smoothing_moves_the_best_answer_off_0_and_1() -> None:
    """With smoothing 0.2 the loss of a true label is least at 0.9, of a false one at 0.1."""
    grid = np.arange(1, 100) / 100
    for y, best in ((1, 0.9), (0, 0.1)):
        assert grid[np.argmin([loss("bce", y, p, smoothing=0.2) for p in grid])] == pytest.approx(best)


def test_labels_count_alike() -> None:
    """A chip's loss is the mean over its labels, and each chip has its own."""
    y, p = [[1, 0], [0, 0]], [[0.8, 0.3], [0.4, 0.6]]
    expected = [np.mean([loss("bce", a, b) for a, b in zip(*rows, strict=True)]) for rows in zip(y, p, strict=True)]
    np.testing.assert_allclose(losses("bce", y, p), expected, rtol=1e-5)


@pytest.mark.parametrize(("p", "expected"), [(0.04, 0.0), (0.3, -(0.25**4) * np.log(0.75))])
def test_asymmetric_loss_forgets_what_is_known_to_be_absent(p: float, expected: float) -> None:
    """Ridnik et al., ICCV 2021: below the margin an absent label costs nothing, above it by the fourth power."""
    assert loss("asl", 0, p) == pytest.approx(expected, abs=1e-6)
    assert loss("asl", 1, p) == pytest.approx(-(1 - p) * np.log(p), rel=1e-5)


def test_soft_f2_is_one_minus_the_f2_of_certain_answers() -> None:
    """Up to the 1 that is added on both sides of the fraction: 1 hit of 2 labels, with 3 answers."""
    assert float(losses("soft_f2", [[1, 1, 0, 0]], [[1, 0, 1, 1]])[0]) == pytest.approx(1 - 6 / 12, rel=1e-5)
    assert float(losses("soft_f2", [[0, 0]], [[0.5, 0.5]])[0]) == pytest.approx(0.5, rel=1e-5)


def test_softmax_is_the_cross_entropy_of_the_group_beside_the_others() -> None:
    """Two labels of the group share the chip; a chip with none of them counts by its other labels alone."""
    p = [[0.7, 0.2, 0.1, 0.6]]
    for group, of_group in (([1, 0, 0], -np.log(0.7)), ([1, 1, 0], -np.log(0.7) / 2 - np.log(0.2) / 2), ([0] * 3, 0.0)):
        found = float(losses("softmax", [[*group, 1]], p, exclusive=3)[0])
        assert found == pytest.approx((of_group - np.log(0.6)) / 4, rel=1e-5)


Y = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 0, 0]])
P = np.array([[0.9, 0.2, 0.01], [0.3, 0.6, 0.7], [0.5, 0.1, 0.2], [0.8, 0.05, 0.4]])
HELD, ROWS = np.array([40, 8, 2]), 100


def test_class_balanced_weighs_presence_and_absence_by_their_effective_numbers() -> None:
    """Cui et al., CVPR 2019: (1 - beta) / (1 - beta^n), with beta 0.999; the two weights of a label add up to two."""
    weight = {n: (1 - 0.999) / (1 - 0.999**n) for n in (2, 8, 40, 60, 92, 98)}
    expected = []
    for truths, answers in zip(Y, P, strict=True):
        terms = []
        for holds, p, n in zip(truths, answers, HELD, strict=True):
            share = 2 * weight[n if holds else ROWS - n] / (weight[n] + weight[ROWS - n])
            terms.append(-share * np.log(p if holds else 1 - p))
        expected.append(np.mean(terms))
    np.testing.assert_allclose(losses("class_balanced", Y, P, rows=learned(HELD, ROWS)), expected, rtol=1e-4)


def test_distribution_balanced_is_rebalanced_and_tolerates_what_is_absent() -> None:
    """Wu et al., ECCV 2020, with their settings for COCO; a chip without labels is drawn for one of its own."""
    without, expected = 60, []
    for truths, answers in zip(Y, P, strict=True):
        repeated = sum(1 / n for holds, n in zip(truths, HELD, strict=True) if holds) or 1 / without
        terms = []
        for holds, p, n in zip(truths, answers, HELD, strict=True):
            rebalanced = 0.1 + 1 / (1 + np.exp(-10 * (1 / n / repeated - 0.2)))
            bias = -np.log(ROWS / n - 1)
            z = np.log(p / (1 - p)) + 0.05 * bias
            terms.append(rebalanced * (np.log(1 + np.exp(-z)) if holds else np.log(1 + np.exp(2 * z)) / 2))
        expected.append(np.mean(terms))
    np.testing.assert_allclose(losses("distribution_balanced", Y, P, rows=learned(HELD, ROWS)), expected, rtol=1e-5)


def test_logit_adjusted_adds_the_prior_to_the_logit() -> None:
    """Menon et al., ICLR 2021: what learns is the logit without the prior odds' logarithm."""
    odds = P / (1 - P) * HELD / (ROWS - HELD)
    expected = -np.log(np.where(Y, odds / (1 + odds), 1 / (1 + odds))).mean(axis=1)
    np.testing.assert_allclose(losses("logit_adjusted", Y, P, rows=learned(HELD, ROWS)), expected, rtol=1e-5)


def gradient(name: str, y: Any, p: Any, rows: Booleans) -> npt.NDArray[np.float32]:
    """Return how the chips' losses change with the probabilities."""
    loss = make_loss(name, smoothing=0.0, targets=tiny.targets(len(y[0])), y=rows)
    answers = tf.constant(p, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(answers)
        total = tf.reduce_sum(loss(tf.constant(y, tf.float32), answers))
    return np.asarray(tape.gradient(total, answers))


@pytest.mark.parametrize("name", ["class_balanced", "logit_adjusted"])
def test_labels_that_half_of_the_chips_hold_need_no_balance(name: str) -> None:
    """Then the loss and its gradient are those of cross-entropy."""
    half = learned([50] * 3, 100)
    np.testing.assert_allclose(losses(name, Y, P, rows=half), losses("bce", Y, P), rtol=1e-5)
    np.testing.assert_allclose(gradient(name, Y, P, half), gradient("bce", Y, P, half), rtol=1e-4)


@pytest.mark.parametrize("name", ["class_balanced", "logit_adjusted"])
def test_the_fewer_chips_hold_a_label_the_more_a_missed_one_counts_beside_a_false_one(name: str) -> None:
    """At undecided answers; without balance both count alike."""
    ratios = []
    for held in (50, 20, 5, 1):
        missed, false = (gradient(name, [[y]], [[0.5]], learned([held], 100))[0, 0] for y in (1, 0))
        ratios.append(abs(missed / false))
    assert ratios[0] == pytest.approx(1, rel=1e-4)
    assert ratios == sorted(ratios) and ratios[-1] > 20


def test_a_chip_drawn_for_a_rare_label_counts_less_for_the_frequent_one_that_it_holds_too() -> None:
    """Else drawing it as often as it counts would make the frequent label more frequent still."""
    rows = learned(HELD, ROWS)
    alone, beside = (gradient("distribution_balanced", [y], [[0.5] * 3], rows)[0, 0] for y in ([1, 0, 0], [1, 0, 1]))
    assert abs(beside) < abs(alone) / 3


@pytest.mark.parametrize("name", COUNTED)
@pytest.mark.parametrize("held", [0, 10])
def test_a_label_that_no_chip_or_each_holds_has_a_finite_loss_and_gradient(name: str, held: int) -> None:
    """As a fold may be without one of the few."""
    rows = learned([held], 10)
    assert np.isfinite(losses(name, [[1], [0]], [[0.0], [1.0]], rows=rows)).all()
    assert np.isfinite(gradient(name, [[1], [0]], [[0.3], [0.6]], rows)).all()


@pytest.mark.parametrize("name", COUNTED)
def test_losses_that_count_labels_bear_smoothed_targets(name: str) -> None:
    """With smoothing the loss of a true label is least below 1, wherever that lies."""
    grid = np.arange(1, 100) / 100
    found = [float(losses(name, [[1]], [[p]], smoothing=0.2)[0]) for p in grid]
    assert 0.5 < grid[np.argmin(found)] < 0.97


@pytest.fixture
def plugins(plugin_folder: Path) -> None:
    """Lay losses of the user's into a project's folder."""
    text = "from keras import ops\n\ndef off(y, p):\n    return ops.mean(ops.abs(y - p), axis=-1)\n\n"
    text += "def one(y, p):\n    return ops.mean(y)\n\ndef broken(y, p):\n    return y.nothing\n"
    (plugin_folder / "my_penalties.py").write_text(text, encoding="utf-8")


def test_a_loss_may_be_the_users(plugins: None) -> None:
    """It sees targets, smoothed as for ours, and probabilities."""
    np.testing.assert_allclose(losses("my_penalties:off", [[1, 0], [0, 1]], [[0.5, 0.5], [0, 1]]), [0.5, 0], atol=1e-6)
    assert loss("my_penalties:off", 1, 1, smoothing=0.2) == pytest.approx(0.1, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "message"),
    [("one", r"gave \w+ of shape \(\); expected def one\(y, p\)"), ("broken", "line 10: AttributeError")],
)
def test_a_loss_that_gives_no_number_a_chip_is_an_error_with_its_file(plugins: None, name: str, message: str) -> None:
    """And how it should be written."""
    with pytest.raises(InputError, match=rf"loss: my_penalties:{name}: my_penalties\.py: {message}"):
        loss(f"my_penalties:{name}", 1, 0.5)
