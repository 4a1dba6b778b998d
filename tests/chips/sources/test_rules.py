"""Rules: found where real labels keep them, and not where chance does."""

import numpy as np
import pytest

from igarape.chips.sources.rules import broken_rows, exclusive_group, lone_labels
from igarape.labels import Booleans

LABELS = ["sun", "haze", "fog", "tree", "pond", "kiln"]


def weather(count: int, *, broken: int = 0, seed: int = 0) -> Booleans:
    """Draw chips of one weather each; in fog nothing else is seen. Some break the rule."""
    rng = np.random.default_rng(seed)
    y = np.zeros((count, 6), dtype=np.bool_)
    y[np.arange(count), rng.choice(3, count, p=[0.7, 0.2, 0.1])] = True
    y[:, 3:] = rng.random((count, 3)) < [0.6, 0.3, 0.02]
    y[y[:, 2], 3:] = False
    y[:broken, :2] = True
    return y


@pytest.mark.parametrize(("count", "broken"), [(120, 0), (120, 1), (4000, 0), (4000, 5)])
def test_the_group_of_which_exactly_one_holds_is_found(count: int, broken: int) -> None:
    """Whatever stands beside it, in the order of the labels; a few chips may break the rule."""
    y = weather(count, broken=broken)
    found = exclusive_group(y, LABELS)
    assert found and found.labels == ("sun", "haze", "fog") and found.needed <= count
    order = [4, 2, 0, 5, 1, 3]
    turned = exclusive_group(y[:, order], [LABELS[column] for column in order])
    assert turned and turned.labels == ("fog", "sun", "haze") and turned.needed == found.needed
    assert broken_rows(y, LABELS, found.labels) == list(range(broken))


def test_one_slip_of_few_chips_hides_no_rule() -> None:
    """Two weathers on one chip, or none; what stands alone is still found."""
    for slip in ((0, 2), ()):
        y = weather(120)
        y[7, :3] = False
        y[7, list(slip)] = True
        found = exclusive_group(y, LABELS)
        assert found and found.labels == ("sun", "haze", "fog") and found.needed <= 120
        assert lone_labels(y, LABELS, found.labels) == ("fog",) and broken_rows(y, LABELS, found.labels) == [7]


def test_on_few_chips_a_group_says_how_many_would_tell() -> None:
    """The same chips twice have the same group, which needs as many; where no labels share chips out there is none."""
    y = weather(30)
    near = exclusive_group(y, LABELS)
    assert near and near.labels == ("sun", "haze", "fog") and 30 < near.needed < 60
    twice = exclusive_group(np.tile(y, (2, 1)), LABELS)
    assert twice and twice.labels == near.labels and twice.needed == near.needed
    assert exclusive_group(np.tile([[True, False], [True, True]], (9, 1)), LABELS[:2]) is None


def test_the_label_that_stands_alone_is_found() -> None:
    """In a group only, and where it is not just rare."""
    y = weather(4000)
    assert lone_labels(y, LABELS, ("sun", "haze", "fog")) == ("fog",)
    assert lone_labels(y, LABELS, ()) == () and lone_labels(y[:5], LABELS, ("sun", "haze", "fog")) == ()


@pytest.mark.parametrize("seed", range(10))
def test_chance_is_no_rule(seed: int) -> None:
    """Labels that have nothing to do with each other, few chips or many, one label everywhere."""
    rng = np.random.default_rng(seed)
    for count in (20, 60, 500):
        y = rng.random((count, 6)) < rng.random(6) * 0.7
        y[:, 0] = True
        y[0, 1], y[0, 2:] = True, False
        found = exclusive_group(y, LABELS)
        assert found is None or found.needed > count


def test_where_each_chip_has_one_label_all_exclude_each_other() -> None:
    """As with a folder for each label; none of them is alone, since nothing could stand beside it."""
    y = np.eye(6, dtype=np.bool_)[np.arange(60) % 6]
    assert exclusive_group(y, LABELS) == (tuple(LABELS), 0) and lone_labels(y, LABELS, LABELS) == ()


def test_many_labels_are_looked_through_in_no_time() -> None:
    """Sixty-four labels on two thousand chips."""
    y = np.random.default_rng(1).random((2000, 64)) < 0.08
    assert exclusive_group(y, [f"l{number}" for number in range(64)]) is None
