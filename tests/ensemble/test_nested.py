"""What is chosen inside the folds knows nothing of the others."""

from dataclasses import replace

import numpy as np
import pytest
from opinions import LABELS, draw, known

from igarape.ensemble.linear import logit, sigmoid
from igarape.ensemble.nested import PENALTIES, Blends, parts_of, splits
from igarape.errors import InputError


def test_the_hold_out_is_in_no_part() -> None:
    """Five folds are five parts."""
    p, y, folds = draw(60, seed=1, folds=5)
    assert known(p, y, folds).all == {0, 1, 2, 3, 4}
    assert (folds[known(p, y, folds).rows(frozenset({0, 3}))] % 3 == 0).all()


@pytest.mark.parametrize(("folds", "parts"), [(2, 6), (3, 6), (4, 4), (7, 7)])
def test_few_folds_are_cut_into_parts(folds: int, parts: int) -> None:
    """Each of one fold, as large as the others; four folds and more stay as they are."""
    _, _, numbers = draw(840, seed=1, folds=folds)
    cut = parts_of(numbers, np.arange(len(numbers)))
    assert sorted({*cut.tolist()}) == list(range(-1, parts))
    for part in range(parts):
        assert len({*numbers[cut == part].tolist()}) == 1
    sizes = np.bincount(cut[cut >= 0])
    assert sizes.max() - sizes.min() <= 1


def test_a_group_lies_in_one_part() -> None:
    """Where a fold has fewer groups than parts, its rows are dealt one by one, as no part may be empty."""
    scenes = np.repeat(np.arange(40), 6)
    numbers = scenes % 3 - 1
    cut = parts_of(numbers, scenes)
    assert sorted({*cut.tolist()}) == [-1, 0, 1, 2, 3, 4, 5]
    assert all(len({*cut[scenes == scene].tolist()}) == 1 for scene in range(40))
    few = parts_of(numbers, np.where(numbers == 0, 0, scenes))
    assert (few[numbers != 0] == cut[numbers != 0]).all() and {*few[numbers == 0].tolist()} == {0, 1, 2}


def test_one_fold_is_refused() -> None:
    """The error says what to raise."""
    with pytest.raises(InputError, match=r"at least 2 folds, found 1\. Raise split\.folds"):
        parts_of(np.array([0, 0, -1]), np.arange(3))


def test_a_split_is_a_part_and_the_others() -> None:
    """Each once."""
    zero, two = frozenset({0}), frozenset({2})
    assert list(splits(zero | two)) == [(zero, two), (two, zero)]


def test_margins_are_by_blends_of_the_other_parts() -> None:
    """A part's truth turned round leaves its own margins as they are, and changes the others'."""
    p, y, folds = draw(300, seed=2)
    within = frozenset({0, 1, 3})
    turned = np.where((folds == 1)[:, None], ~y, y)
    before, after = (Blends(known(p, truth, folds)).margins(within, 1.0) for truth in (y, turned))
    rows = folds[np.isin(folds, list(within))] == 1
    assert (before[rows] == after[rows]).all()
    assert (before[~rows] != after[~rows]).all(axis=1).mean() > 0.9


def test_the_pull_knows_nothing_of_what_lies_outside() -> None:
    """Another truth there, the same penalty and the same blend."""
    p, y, folds = draw(300, seed=3)
    within = frozenset({0, 1, 2})
    outside = ~np.isin(folds, list(within))
    one, two = (Blends(known(p, np.where(outside[:, None], flip ^ y, y), folds)) for flip in (False, True))
    assert one.penalty(within) == two.penalty(within)
    assert (one.chosen(within).weights == two.chosen(within).weights).all()


def test_the_pull_is_strong_where_labels_agree_and_weak_where_they_do_not() -> None:
    """Where one learner is right about two labels, and another about the other two, sharing weights costs much."""
    p, _, folds = draw(2000, seed=4)
    two = {name: p[name] for name in ("plain", "deep")}
    logits, chance = np.stack([logit(each) for each in two.values()]), np.random.default_rng(40).random((2000, 4))
    chosen = {}
    for name, shares in {"agreed": [[0.5] * 4] * 2, "apart": [[1, 1, 0, 0], [0, 0, 1, 1]]}.items():
        y = chance < sigmoid((logits * np.array(shares)[:, None]).sum(axis=0))
        blends = Blends(replace(known(p, y, folds), p=np.hstack([*two.values()]), learners=dict.fromkeys(two, LABELS)))
        chosen[name] = blends.penalty(blends.known.all)
    assert chosen == {"agreed": max(PENALTIES), "apart": min(PENALTIES)}


def test_where_one_pull_is_given_nothing_is_chosen() -> None:
    """Its blends are those that are fitted under it among others, however these were started."""
    p, y, folds = draw(400, seed=6)
    given, chosen = Blends(known(p, y, folds), penalties=(1.0,)), Blends(known(p, y, folds))
    within = given.known.all
    assert given.penalty(within) == 1.0
    chosen.penalty(within)
    assert given.margins(within) == pytest.approx(chosen.margins(within, 1.0), abs=1e-6)
    assert given.chosen(within).weights == pytest.approx(chosen.fit(within, 1.0).weights, abs=1e-6)


def test_why_nothing_can_be_learned_is_said() -> None:
    """No positive, or no negative."""
    p, y, folds = draw(100, seed=5)
    y[:, 0], y[:, 1] = True, folds == 0
    given = known(p, y, folds)
    assert given.one_sided(given.all, 0) == "every of 80 rows has it"
    assert given.one_sided(given.all - {0}, 1) == "none of 60 rows has it"
    assert given.one_sided(given.all, 1) is None
