"""The figures that every training is watched by."""

import numpy as np
import pytest

from igarape.scores.validation import score


def test_the_score_of_a_perfect_answer() -> None:
    """No loss, and both figures 1."""
    y = np.array([[True, False], [False, True]])
    figures = score(y.astype(np.float32), y)
    assert figures == pytest.approx({"val_loss": 0.0, "val_f2": 1.0, "val_map": 1.0}, abs=1e-6)


def test_the_loss_is_the_mean_binary_cross_entropy() -> None:
    """Known answer; a probability of 0 for what is true costs much, not infinitely much."""
    y = np.array([[True, False]])
    assert score(np.array([[0.8, 0.4]], np.float32), y)["val_loss"] == pytest.approx(
        -np.log([0.8, 0.6]).mean(), rel=1e-5
    )
    assert 5 < score(np.array([[0.0, 0.0]], np.float32), y)["val_loss"] < 10


def test_the_f2_is_over_the_chips_that_hold_any_label() -> None:
    """A rare-label learner is not punished for the many chips that have none of its labels."""
    y = np.array([[True], [False], [False]])
    assert score(np.array([[0.21], [0.0], [0.0]], np.float32), y)["val_f2"] == 1.0
    assert score(np.array([[0.19], [0.0], [0.0]], np.float32), y)["val_f2"] == 0.0


def test_where_no_watched_chip_holds_any_label_the_loss_alone_is_told() -> None:
    """A few watched chips without a rare label are no reason to stop a training."""
    figures = score(np.full((4, 2), 0.1, np.float32), np.zeros((4, 2), dtype=np.bool_))
    assert figures == pytest.approx({"val_loss": -np.log(0.9)}, rel=1e-5)
