"""The losses: known answers."""

import numpy as np
import pytest

from igarape.learners.losses import make_loss


def loss(name: str, y: float, p: float, *, smoothing: float = 0.0) -> float:
    """Return the loss of one label."""
    return float(make_loss(name, smoothing=smoothing)(np.array([[y]], np.float32), np.array([[p]], np.float32)))


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
    """The loss of a batch is the mean over chips and labels."""
    y, p = np.array([[1, 0], [0, 0]], np.float32), np.array([[0.8, 0.3], [0.4, 0.6]], np.float32)
    each = [loss("bce", a, b) for a, b in zip(y.ravel().tolist(), p.ravel().tolist(), strict=True)]
    assert float(make_loss("bce", smoothing=0.0)(y, p)) == pytest.approx(np.mean(each), rel=1e-5)
