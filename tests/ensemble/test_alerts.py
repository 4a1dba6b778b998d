"""Alerts: the lowest threshold with the precision asked for, and figures of thresholds that never saw the chip."""

import numpy as np
import pytest
from decisions import FREE
from hypothesis import given, settings
from hypothesis import strategies as st

from igarape.config.documents import OperatingPoint
from igarape.ensemble.alerts import check_alerts, fit_alerts, operating_point
from igarape.ensemble.decision import raised_alerts
from igarape.errors import InputError
from igarape.labels import Booleans
from igarape.scores.metrics import Floats
from igarape.tables import Folds


def label(n: int, seed: int) -> tuple[Booleans, Floats, Folds]:
    """Draw a label's truth, probabilities with ties that know something of it, and folds."""
    rng = np.random.default_rng(seed)
    p = rng.beta(0.4, 1.0, n).round(2)
    return rng.random(n) < p, p, np.arange(n) % 3


def singly(y: Booleans) -> list[str]:
    """Give each chip a group of its own."""
    return [str(row) for row in range(len(y))]


def point_of(y: Booleans, p: Floats, folds: Folds, *, precision: float, seed: int) -> OperatingPoint | None:
    """Find the operating point of a label whose chips do not belong together."""
    return operating_point(y, p, folds, groups=singly(y), precision=precision, seed=seed)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 999), precision=st.sampled_from([0.1, 0.5, 0.8, 1.0]))
def test_it_is_the_lowest_threshold_with_that_precision(seed: int, precision: float) -> None:
    """Of all values that probabilities take; none at all where none of them has it."""
    y, p, folds = label(40, seed)
    precisions = {float(one): y[p >= one].mean() for one in p}
    enough = [one for one, reached in precisions.items() if reached >= precision]
    point = point_of(y, p, folds, precision=precision, seed=1)
    assert (point and point.threshold) == (min(enough) if enough else None)


def test_the_figures_are_of_thresholds_that_never_saw_the_chip() -> None:
    """Each fold is answered from the threshold of the others; the threshold that is kept is that of all."""
    y, p, folds = label(600, seed=4)
    answered = np.zeros(600, dtype=np.bool_)
    for fold in range(3):
        others = point_of(y[folds != fold], p[folds != fold], folds[folds != fold], precision=0.7, seed=1)
        assert others is not None
        answered[folds == fold] = p[folds == fold] >= others.threshold
    point = point_of(y, p, folds, precision=0.7, seed=1)
    assert point is not None and point.asked == 0.7 and point.positives == y.sum()
    assert point.precision == pytest.approx(y[answered].mean())
    assert point.recall == pytest.approx(answered[y].mean())
    for value, interval in ((point.precision, point.precision_interval), (point.recall, point.recall_interval)):
        assert value is not None and interval is not None
        assert interval[0] < value < interval[1]


def test_the_intervals_are_those_of_chips_drawn_one_by_one() -> None:
    """Drawing kinds of chips is drawing chips."""
    y, p, folds = label(400, seed=5)
    point = point_of(y, p, np.where(folds == 0, 0, 1), precision=0.6, seed=2)
    assert point is not None and point.recall_interval is not None
    rng, found, n = np.random.default_rng(3), round(point.recall * y.sum()), int(y.sum())
    kinds = np.repeat([0, 1, 2], [found, n - found, 400 - n])
    drawn = [kinds[rng.integers(400, size=400)] for _ in range(4000)]
    recalls = [(one == 0).sum() / (one < 2).sum() for one in drawn]
    assert point.recall_interval == pytest.approx(np.percentile(recalls, (2.5, 97.5)), abs=0.02)


def test_chips_that_belong_together_are_drawn_together() -> None:
    """Four copies of each chip tell no more than one: the intervals are as wide, and not half as wide."""
    y, p, folds = label(200, seed=5)
    rows = np.repeat(np.arange(200), 4)
    once = point_of(y, p, folds, precision=0.6, seed=1)
    copies = y[rows], p[rows], folds[rows]
    together = operating_point(*copies, groups=[str(row) for row in rows], precision=0.6, seed=1)
    alone = point_of(*copies, precision=0.6, seed=1)
    for figure in ("precision_interval", "recall_interval"):
        widths = [np.diff(getattr(point, figure))[0] for point in (once, together, alone)]
        assert widths[1] == pytest.approx(widths[0], rel=0.05)
        assert widths[2] == pytest.approx(widths[0] / 2, rel=0.15)


def test_the_hold_out_has_no_part() -> None:
    """Whatever it is, threshold and figures are the same."""
    y, p, folds = label(300, seed=6)
    held = np.where(folds == 2, -1, folds)
    point = point_of(y, p, held, precision=0.6, seed=1)
    assert point == point_of(np.where(held < 0, ~y, y), np.where(held < 0, 1 - p, p), held, precision=0.6, seed=1)
    assert point == point_of(y[held >= 0], p[held >= 0], held[held >= 0], precision=0.6, seed=1)


def test_a_precision_that_only_one_fold_reaches_may_answer_nothing() -> None:
    """Then there is no precision out of fold, and the recall is 0."""
    y, p = np.array([True, False, False, False]), np.array([0.9, 0.5, 0.6, 0.8])
    point = point_of(y, p, np.array([0, 0, 1, 1]), precision=1.0, seed=1)
    assert point is not None and point.threshold == 0.9
    assert (point.precision, point.precision_interval, point.recall) == (None, None, 0.0)


def test_alerts_come_in_the_order_of_labels_and_go_off_from_the_threshold_on() -> None:
    """Whatever tags the rule gives."""
    rng = np.random.default_rng(7)
    p = rng.beta(0.4, 1.0, (300, 5)).astype(np.float32)
    y = rng.random(p.shape) < p
    points = fit_alerts(
        y, p, np.arange(300) % 3, wanted={"d": 0.6, "a": 0.8}, groups=singly(y), vocabulary=FREE, seed=1
    )
    assert list(points) == ["a", "d"]
    answers = raised_alerts(p, points, FREE)
    assert not answers[:, [1, 2, 4]].any()
    for column, name in ((0, "a"), (3, "d")):
        assert (answers[:, column] == (p[:, column] >= points[name].threshold)).all()
        assert y[answers[:, column], column].mean() >= points[name].asked


def test_what_cannot_be_asked_is_one_error() -> None:
    """A label that is not known, a precision that is never reached, a label that no chip has."""
    y, p = np.zeros((8, 5), dtype=np.bool_), np.tile(np.linspace(0.1, 0.8, 8)[:, None], 5)
    y[[2, 5, 6], 0] = True
    folds = np.arange(8) % 2
    with pytest.raises(InputError, match=r"decide\.alert: 'aa' is no label .*, or name another; did you mean a\?$"):
        check_alerts({"aa": 0.5}, FREE)
    with pytest.raises(
        InputError,
        match=r"decide\.alert: a: precision 0\.9 is never reached out of fold\. The best is 0\.667, from 0\.6000 on, "
        r"with recall 0\.667 of 3 chips\..*dvc repro decide",
    ):
        fit_alerts(y, p, folds, wanted={"a": 0.9}, groups=singly(y), vocabulary=FREE, seed=1)
    with pytest.raises(InputError, match=r"b: precision 0\.1 is never reached: no chip in the folds has the label"):
        fit_alerts(y, p, folds, wanted={"b": 0.1}, groups=singly(y), vocabulary=FREE, seed=1)
