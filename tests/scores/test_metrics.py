"""The scores are sklearn's, and cannot be called the wrong way round."""

import warnings

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, fbeta_score, precision_recall_fscore_support

from igarape.errors import InputError
from igarape.labels import Booleans
from igarape.scores.metrics import (
    BINS,
    Floats,
    average_precision,
    brier,
    calibration_error,
    f2_per_sample,
    fbeta_per_sample,
    label_scores,
    mean_average_precision,
    reliability,
    sample_f2,
    sample_fbeta,
)


def draw(n: int, labels: int, seed: int) -> tuple[Booleans, Floats]:
    """Draw truth and coarse probabilities, so that ties occur."""
    rng = np.random.default_rng(seed)
    p = rng.random((n, labels)).round(1)
    return rng.random((n, labels)) < p * 0.5, p


def test_f2_is_sklearns() -> None:
    """The mean over chips equals fbeta_score(average="samples", zero_division=0), chips without labels included."""
    y, p = draw(400, 6, seed=1)
    predicted = p > 0.7
    assert (~y.any(axis=1)).any()
    assert (~predicted.any(axis=1)).any()
    expected = fbeta_score(y, predicted, beta=2, average="samples", zero_division=0)
    assert sample_f2(y, predicted) == pytest.approx(expected, abs=1e-12)
    assert f2_per_sample(y, predicted).shape == (400,)


@pytest.mark.parametrize("beta", [0.5, 1.0, 3.0])
def test_fbeta_is_sklearns(beta: float) -> None:
    """F2 is one of them."""
    y, p = draw(400, 6, seed=1)
    expected = fbeta_score(y, p > 0.7, beta=beta, average="samples", zero_division=0)
    assert sample_fbeta(y, p > 0.7, beta=beta) == pytest.approx(expected, abs=1e-12)
    assert (fbeta_per_sample(y, p > 0.7, beta=2.0) == f2_per_sample(y, p > 0.7)).all()


def test_f2_known_answers() -> None:
    """One of two labels found and nothing wrong: 5/9; one right and one wrong: 5/6; nothing at all: 0."""
    y = np.array([[True, True, False], [True, False, False], [False, False, False]])
    predicted = np.array([[True, False, False], [True, True, False], [False, False, False]])
    assert f2_per_sample(y, predicted) == pytest.approx([5 / 9, 5 / 6, 0])


def test_the_order_of_arguments_matters_and_is_guarded() -> None:
    """F2 is not symmetric; a probability in the truth's place, or in the answer's, is a TypeError."""
    y, p = draw(50, 4, seed=2)
    predicted = p > 0.2
    assert sample_f2(y, predicted) != pytest.approx(sample_f2(predicted, y))
    with pytest.raises(TypeError, match="swapped"):
        sample_f2(y, p)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="swapped"):
        average_precision(p, y)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="swapped"):
        average_precision(y, predicted)  # type: ignore[arg-type]


def test_average_precision_is_sklearns() -> None:
    """Each label's value equals average_precision_score, with ties, in float32 too."""
    y, p = draw(300, 5, seed=3)
    expected = [average_precision_score(y[:, j], p[:, j]) for j in range(5)]
    assert average_precision(y, p) == pytest.approx(expected, abs=1e-12)
    assert average_precision(y, p.astype(np.float32)) == pytest.approx(expected, abs=1e-12)
    assert mean_average_precision(y, p) == pytest.approx(np.mean(expected))


def test_a_label_without_positives_has_no_average_precision() -> None:
    """It is NaN in the list, left out of the mean, and without any positive there is no mean."""
    y, p = draw(60, 3, seed=4)
    y[:, 1] = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        each = average_precision(y, p)
        assert np.isnan(each).tolist() == [False, True, False]
        assert mean_average_precision(y, p) == pytest.approx((each[0] + each[2]) / 2)
    with pytest.raises(InputError, match="none of 3 labels"):
        mean_average_precision(np.zeros_like(y), p)


def test_label_scores_are_sklearns() -> None:
    """Precision, recall and F2 of each label; a label never answered and never true has zeros."""
    y, p = draw(200, 5, seed=5)
    y[:, 2], p[:, 2] = False, 0
    predicted = p > 0.4
    precision, recall, f2, _ = precision_recall_fscore_support(y, predicted, beta=2, zero_division=0)
    ours = label_scores(y, predicted)
    assert ours.precision == pytest.approx(precision)
    assert ours.recall == pytest.approx(recall)
    assert ours.f2 == pytest.approx(f2)


def test_bad_shapes_and_nan_are_refused() -> None:
    """Other shapes, no rows, or NaN: an error that names what was found."""
    y, p = draw(10, 3, seed=9)
    with pytest.raises(InputError, match="one shape"):
        average_precision(y, p[:, :2])
    with pytest.raises(InputError, match="one shape"):
        sample_f2(y[:0], y[:0])
    p[0, 0] = np.nan
    with pytest.raises(InputError, match="NaN"):
        average_precision(y, p)


def test_calibration_has_known_answers() -> None:
    """The Brier score is a squared error; the calibration error the distance of a bin's mean from its share."""
    y = np.array([[1, 0], [0, 0], [1, 1], [0, 1]], dtype=np.bool_)
    p = np.array([[0.9, 0.1], [0.9, 0.1], [0.5, 1.0], [0.5, 1.0]])
    assert brier(y, p) == pytest.approx([(0.01 + 0.81 + 0.25 + 0.25) / 4, (0.01 + 0.01) / 4])
    assert calibration_error(y, p) == pytest.approx([0.4 * 0.5, 0.1 * 0.5])
    count, said, true = reliability(y, p)
    assert count.shape == (BINS, 2) and count.sum(axis=0).tolist() == [4, 4]
    assert (count[-1, 1], said[-1, 1], true[-1, 1]) == (2, 1, 1)


def test_the_brier_score_of_many_chips_is_exact() -> None:
    """A sum of a million small numbers in single precision is off by a hundredth of itself."""
    p = np.full((1_000_000, 1), 0.1, dtype=np.float32)
    assert brier(np.zeros(p.shape, dtype=np.bool_), p)[0] == pytest.approx(0.01, rel=1e-6)


def test_honest_probabilities_are_calibrated_and_sure_ones_are_not() -> None:
    """Truth that follows its probability has an error near 0, however often it is drawn."""
    rng = np.random.default_rng(8)
    p = rng.random((20_000, 1))
    y = rng.random(p.shape) < p
    assert calibration_error(y, p)[0] < 0.02
    assert calibration_error(y, np.where(p > 0.5, 0.99, 0.01))[0] > 0.2
