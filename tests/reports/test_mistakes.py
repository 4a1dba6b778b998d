"""Mistakes with known answers: what they cost, and what is taken for what."""

import numpy as np
import pytest
from decisions import WEATHER
from drawing import singly

from igarape.labels import Vocabulary
from igarape.reports.mistakes import WIDEST, Group, Swap, error_budget, group_table, swaps
from igarape.scores.metrics import sample_f2

LABELS = WEATHER.labels  # sun, fog, night; a, b; c
Y = np.array([[1, 0, 0, 1, 0, 0], [1, 0, 0, 1, 0, 0], [0, 1, 0, 0, 1, 1], [0, 0, 1, 0, 0, 0]], dtype=np.bool_)
# a is taken for b on two chips; fog is missed, sun wrongly answered; c is missed; night is right everywhere.
ANSWERS = np.array([[1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 1, 0], [0, 0, 1, 0, 0, 0]], dtype=np.bool_)


def test_a_perfect_label_costs_nothing_and_the_dearest_comes_first() -> None:
    """What is won is the F2 of the answers with that one label as it is, less theirs."""
    found = error_budget(Y, ANSWERS, labels=LABELS, draws=singly(Y, resamples=100, seed=1))
    costs = {cost.label: cost for cost in found}
    assert costs["night"].gain == (0, 0, 0) and (costs["night"].missed, costs["night"].wrong) == (0, 0)
    assert found[0].label == "a" and (found[0].missed, found[0].wrong) == (2, 0)
    assert (costs["b"].missed, costs["b"].wrong) == (0, 2)
    perfect = ANSWERS.copy()
    perfect[:, 3] = Y[:, 3]
    assert found[0].gain.mean == pytest.approx(sample_f2(Y, perfect) - sample_f2(Y, ANSWERS))
    assert found[0].gain.low <= found[0].gain.mean <= found[0].gain.high
    assert [cost.gain.mean for cost in found] == sorted((cost.gain.mean for cost in found), reverse=True)


def test_answers_without_a_mistake_leave_nothing_to_win() -> None:
    """No label costs anything, and none is taken for another."""
    assert {cost.gain for cost in error_budget(Y, Y, labels=LABELS, draws=singly(Y, resamples=50, seed=1))} == {
        (0.0, 0.0, 0.0)
    }
    assert swaps(Y, Y, WEATHER) == []


def test_a_label_that_is_missed_where_another_is_added_is_taken_for_it() -> None:
    """Largest number first, with its share, and how often the other is added elsewhere; the group has its own table."""
    found = swaps(Y, ANSWERS, WEATHER)
    assert found == [Swap("a", "b", 2, 1.0, 0.0), Swap("c", "sun", 1, 1.0, 0.0)]
    free = Vocabulary(exclusive=(), alone=(), common=LABELS, rare=())
    assert Swap("fog", "sun", 1, 1.0, 0.0) in swaps(Y, ANSWERS, free)


def test_what_is_added_everywhere_is_no_sign_of_a_mix_up() -> None:
    """Then share and elsewhere are alike."""
    y = np.zeros((8, 2), dtype=np.bool_)
    y[:4, 0] = True
    answers = np.stack([np.zeros(8), np.arange(8) % 2 == 0], axis=1).astype(np.bool_)
    assert swaps(y, answers, Vocabulary((), (), ("a", "b"), ())) == [Swap("a", "b", 2, 0.5, 0.5)]


def test_the_group_is_counted_true_against_answered() -> None:
    """Chips with none of its labels, or with two, are left out and counted."""
    broken = np.concatenate([Y, [[0, 0, 0, 1, 0, 0], [1, 1, 0, 0, 0, 0]]]).astype(np.bool_)
    found = group_table(broken, np.concatenate([ANSWERS, ANSWERS[:2]]), WEATHER)
    assert isinstance(found, Group)
    assert found.labels == ("sun", "fog", "night") and found.left_out == 2
    assert found.counts.tolist() == [[2, 0, 0], [1, 0, 0], [0, 0, 1]]


def test_a_group_too_large_for_a_table_stands_among_the_swaps() -> None:
    """And without a group there is no table."""
    many = Vocabulary(exclusive=tuple(f"w{i}" for i in range(WIDEST + 1)), alone=(), common=(), rare=())
    y, answers = np.eye(WIDEST + 1, dtype=np.bool_), np.eye(WIDEST + 1, dtype=np.bool_)[::-1]
    assert group_table(y, answers, many) is None
    assert len(swaps(y, answers, many)) == WIDEST  # the middle one is right
    assert group_table(Y, ANSWERS, Vocabulary((), (), LABELS, ())) is None
