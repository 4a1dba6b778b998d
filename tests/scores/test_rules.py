"""The fixed rule keeps the vocabulary's rules, and its threshold is the isolated label's best."""

from dataclasses import replace

import numpy as np
import pytest

from igarape.labels import Targets
from igarape.scores.rules import ISOLATED, apply_thresholds, fixed, isolated_threshold, label_columns

SKY = Targets(("clear", "cloudy", "road", "water"), exclusive=("clear", "cloudy"), alone=("cloudy",))
GROUND = Targets(("road", "water", "mine"))


def test_the_threshold_is_that_of_one_isolated_label() -> None:
    """Answering a label of probability p wins 1 / 5 of F2 at least where p reaches 1 / (1 + 2 ** 2)."""
    assert pytest.approx(0.2) == ISOLATED
    assert [isolated_threshold(beta) for beta in (0.5, 1.0, 2.0)] == pytest.approx([0.8, 0.5, 0.2])


def test_the_most_probable_label_of_the_group_is_answered_and_no_other() -> None:
    """However improbable it is; free labels are answered from the threshold up."""
    answer = apply_thresholds(np.array([[0.1, 0.05, 0.2, 0.19]]), SKY, threshold=ISOLATED)
    assert answer.tolist() == [[True, False, True, False]]


def test_nothing_stands_beside_a_label_that_stands_alone() -> None:
    """A cloudy chip shows no road, however probable that seems."""
    answer = apply_thresholds(np.array([[0.3, 0.6, 0.9, 0.9]]), SKY, threshold=ISOLATED)
    assert answer.tolist() == [[False, True, False, False]]


def test_without_a_group_the_top_label_is_answered_when_none_reaches_the_threshold() -> None:
    """An empty answer scores nothing."""
    answer = apply_thresholds(np.array([[0.01, 0.15, 0.02], [0.5, 0.1, 0.3]]), GROUND, threshold=ISOLATED)
    assert answer.tolist() == [[False, True, False], [True, False, True]]


def test_each_label_may_have_a_threshold_of_its_own() -> None:
    """That of the group's labels says nothing."""
    answer = apply_thresholds(np.array([[0.3, 0.1, 0.4, 0.4]]), SKY, threshold=np.array([1.0, 0.0, 0.5, 0.3]))
    assert answer.tolist() == [[True, False, False, True]]


def test_thresholds_are_compared_in_the_precision_of_what_is_answered() -> None:
    """One for all and one a label: 0.7 in float32 lies below 0.7 in float64, and reaches 0.7 all the same."""
    p = np.full((1, 3), 0.7, np.float32)
    for threshold in (0.7, np.full(3, 0.7)):
        assert apply_thresholds(p, GROUND, threshold=threshold).all()


def test_the_fixed_rule_is_that_threshold() -> None:
    """Of some labels only, a chip may hold none: nothing is answered for it."""
    p = np.array([[0.01, 0.15, 0.02], [0.5, 0.1, 0.3]])
    assert (fixed(p, GROUND) == apply_thresholds(p, GROUND, threshold=ISOLATED)).all()
    assert fixed(p, replace(GROUND, partial=True)).tolist() == [[False] * 3, [True, False, True]]


def test_the_columns_of_group_and_free_labels_are_all_the_labels() -> None:
    """Each label is in the group or free; those that stand alone are in the group."""
    group, free, alone = label_columns(SKY)
    assert sorted([*group, *free]) == [0, 1, 2, 3]
    assert set(alone) <= set(group)
