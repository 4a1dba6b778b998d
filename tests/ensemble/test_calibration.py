"""Calibration finds what is wrong with probabilities, on rows it was not fitted on, and leaves alone what is right."""

import numpy as np
import pytest

from igarape.ensemble.calibration import calibrate, fit_calibrator
from igarape.ensemble.calibrator import KINDS
from igarape.ensemble.linear import logit, sigmoid
from igarape.labels import Booleans
from igarape.scores.metrics import Floats, average_precision, brier, calibration_error


def honest(n: int, seed: int, labels: int = 1) -> tuple[Booleans, Floats]:
    """Draw probabilities, and truth that follows them."""
    rng = np.random.default_rng(seed)
    p = rng.beta(0.6, 0.9, (n, labels))
    return rng.random(p.shape) < p, p


def folds(n: int) -> np.ndarray:
    """Return five folds and a hold-out."""
    return np.arange(n) % 6 - 1


def apart(n: int) -> list[str]:
    """Return a group for each chip."""
    return [str(row) for row in range(n)]


def test_what_is_right_is_left_alone() -> None:
    """Honest probabilities keep their value; with few chips too."""
    for n in (60, 3000):
        y, p = honest(n, seed=1, labels=3)
        fitted = calibrate(y, p, folds(n), groups=apart(n))
        assert [calibrator.kind for calibrator in fitted.calibrators] == ["none"] * 3
        assert fitted.p == pytest.approx(p, abs=1e-6)


@pytest.mark.parametrize(("scale", "shift"), [(2.5, 0.0), (0.4, 0.0), (1.0, 1.5), (1.8, -1.0)])
def test_what_is_too_sure_or_shifted_is_mended(scale: float, shift: float) -> None:
    """The error falls far, out of fold and on the hold-out, and the order of answers stays."""
    y, p = honest(6000, seed=2)
    wrong = sigmoid(scale * logit(p) + shift)
    fitted = calibrate(y, wrong, folds(6000), groups=apart(6000))
    assert fitted.calibrators[0].kind != "none"
    for rows in (folds(6000) >= 0, folds(6000) < 0):
        assert calibration_error(y[rows], fitted.p[rows])[0] < calibration_error(y[rows], wrong[rows])[0] / 2
        assert brier(y[rows], fitted.p[rows])[0] < brier(y[rows], wrong[rows])[0]
    order = np.argsort(wrong[:, 0][folds(6000) < 0])
    assert (np.diff(fitted.p[:, 0][folds(6000) < 0][order]) >= 0).all()
    assert average_precision(y, fitted.p)[0] > average_precision(y, wrong)[0] - 0.01


@pytest.mark.parametrize("seed", [4, 13])
def test_chips_of_one_scene_are_no_more_certain_than_one_of_them(seed: int) -> None:
    """Honest probabilities of scenes that have a label or not: taken one by one, their chips would mend them."""
    scenes = np.repeat(np.arange(60), 12)
    y, p = honest(60, seed)
    for groups, mended in ((list(map(str, scenes)), False), (apart(len(scenes)), True)):
        (calibrator,) = calibrate(y[scenes], p[scenes], scenes % 6 - 1, groups=groups).calibrators
        assert (calibrator.kind != "none") == mended


def test_no_row_is_calibrated_by_its_own_truth() -> None:
    """Turned round in one fold, that fold's answers stay; the hold-out's truth has no say at all."""
    y, p = honest(1200, seed=3)
    wrong, numbers = sigmoid(3 * logit(p)), folds(1200)
    before = calibrate(y, wrong, numbers, groups=apart(1200))
    for fold in (2, -1):
        rows = numbers == fold
        after = calibrate(np.where(rows[:, None], ~y, y), wrong, numbers, groups=apart(1200))
        assert (after.p[rows] == before.p[rows]).all()
        assert (after.p[~rows] == before.p[~rows]).all() == (fold == -1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_label_that_no_chip_has_or_every_one_gets_a_finite_map(kind: str) -> None:
    """It is drawn to the probability as it is, and never says 0 or 1 for sure."""
    p = np.linspace(0.01, 0.99, 40)
    for y in (np.zeros(40, dtype=np.bool_), np.ones(40, dtype=np.bool_)):
        answers = fit_calibrator(kind, y, p).apply(p)
        assert np.isfinite(answers).all() and (answers > 0).all() and (answers < 1).all()


def test_many_chips_are_fitted_as_few_are_not() -> None:
    """The pull to the probability as it is fades with the chips: the scale that was laid on comes back."""
    scales = []
    for n in (20, 20_000):
        y, p = honest(n, seed=4)
        scales.append(fit_calibrator("platt", y[:, 0], sigmoid(2 * logit(p[:, 0]))).values[0])
    assert abs(scales[1] - 0.5) < 0.03 < abs(scales[0] - 0.5)
