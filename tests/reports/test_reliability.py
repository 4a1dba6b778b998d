"""Reliability: figures with known answers."""

import numpy as np
import pytest

from igarape.reports.reliability import reliable

Y = np.array([[1, 0], [0, 0], [1, 1], [0, 1]], dtype=np.bool_)
P = np.array([[0.9, 0.1], [0.9, 0.1], [0.5, 0.5], [0.5, 0.5]])


def test_the_figures_are_of_their_rows_before_and_after() -> None:
    """Out of fold nine in ten is said and half is true; after, half is said of all; nothing else moves."""
    found = reliable(Y, P, np.full((4, 2), 0.5), inside=np.array([True, True, False, False]), kinds={"a": "platt"})
    assert found.figures["oof_before"] == {
        "ece": pytest.approx((0.4 + 0.1) / 2),
        "brier": pytest.approx(((0.01 + 0.81) / 2 + 0.01) / 2),
    }
    assert found.figures["oof_after"] == {"ece": pytest.approx((0 + 0.5) / 2), "brier": pytest.approx(0.25)}
    assert found.figures["holdout_before"] == found.figures["holdout_after"]
    assert found.kinds == {"a": "platt"}


def test_the_bins_are_of_all_labels_together() -> None:
    """Those that hold answers, with how many; a probability of 1 lies in the last one."""
    found = reliable(Y, P, np.where(Y, 1.0, 0.02), inside=np.array([True, True, True, False]), kinds={})
    low, high = found.bins["oof"]
    assert low.said == pytest.approx(0.02)
    assert (low.true, low.answers) == (0, 3)
    assert (high.said, high.true, high.answers) == (1, 1, 3)
    assert [one.answers for one in found.bins["holdout"]] == [1, 1]
