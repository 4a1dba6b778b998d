"""Precision-recall curves: their ends, their points, and how many these may be."""

import numpy as np
import pytest
from sklearn.metrics import precision_recall_curve

from igarape.config.documents import OperatingPoint
from igarape.reports.curves import POINTS, Point, curves
from igarape.scores.metrics import average_precision

ALERT = OperatingPoint(
    asked=0.8,
    threshold=0.25,
    positives=9,
    precision=0.75,
    precision_interval=None,
    recall=0.5,
    recall_interval=None,
)


def test_a_perfect_label_runs_along_the_top() -> None:
    """Precision 1 at each recall, the last of which is 1; a label that never occurs has no curve."""
    y = np.array([[1, 0], [0, 0], [1, 0], [0, 0]], dtype=np.bool_)
    p = np.where(y, 0.9, 0.2)
    p[2, 0] = 0.8
    (found,) = curves(y, p, answers=y, alerts={}, labels=("a", "b"))
    assert (found.label, found.chips, found.average_precision) == ("a", 2, 1)
    assert found.points == (Point(0.5, 1), Point(1, 1))
    assert found.answers == Point(1, 1) and found.alert is None


def test_a_curve_is_scikit_learns_thinned() -> None:
    """Each point is the best one of its recall there; few are enough for many chips, and both ends are there."""
    rng = np.random.default_rng(1)
    y = rng.random((3000, 1)) < 0.3
    p = np.clip(0.4 * y + rng.random(y.shape) * 0.6, 0, 1)
    (found,) = curves(y, p, answers=p > 0.5, alerts={}, labels=("a",))
    precision, recall, _ = precision_recall_curve(y[:, 0], p[:, 0])
    best = {round(at, 9): max(precision[np.isclose(recall, at)]) for at in (point.recall for point in found.points)}
    assert all(point.precision == pytest.approx(best[round(point.recall, 9)]) for point in found.points)
    assert len(found.points) == POINTS and found.points[-1].recall == 1
    assert found.points[0].recall == pytest.approx(1 / y.sum())
    assert found.average_precision == average_precision(y, p)[0]


def test_answers_and_alerts_stand_where_they_are() -> None:
    """Recall and precision of the answers, and of the alert; what answers nothing, or never alerts, has no place."""
    y = np.array([[1], [1], [0], [0]], dtype=np.bool_)
    p = np.array([[0.9], [0.4], [0.6], [0.1]])
    (found,) = curves(y, p, answers=p > 0.5, alerts={"a": ALERT}, labels=("a",))
    assert (found.answers, found.alert) == (Point(0.5, 0.5), Point(0.5, 0.75))
    silent = ALERT.model_copy(update={"precision": None})
    (found,) = curves(y, p, answers=p > 2, alerts={"a": silent}, labels=("a",))
    assert (found.answers, found.alert) == (None, None)
