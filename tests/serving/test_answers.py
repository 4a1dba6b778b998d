"""What an answer is: a row with tags, alerts, the F2 that they may expect, what is odd about the picture."""

from typing import Any

import numpy as np
import pytest

from igarape.chips.pictures import Pixels
from igarape.config.documents import OperatingPoint
from igarape.ensemble.decision import Rule
from igarape.errors import InputError
from igarape.labels import Vocabulary
from igarape.serving.answers import FAR, answer_table, checked, columns, detailed, is_number, warning
from igarape.tables import Probabilities

WORDS = Vocabulary(("sun", "fog"), (), ("tree", "old road"), ())
RULE = Rule("fixed", WORDS, 2.0, threshold=0.2)
P: Probabilities = np.array([[1, 0, 0, 1], [0, 1, 0, 0]], dtype=np.float32)


def alert(threshold: float) -> OperatingPoint:
    """Return an operating point."""
    return OperatingPoint(
        asked=0.8,
        threshold=threshold,
        positives=3,
        precision=None,
        precision_interval=None,
        recall=0.5,
        recall_interval=(0.1, 0.9),
    )


def test_a_picture_as_it_should_be_has_no_warning(images: list[Pixels]) -> None:
    """Of the size that is wanted, with something to see, and usual: or nobody knows what is."""
    assert warning(images[0], sent=(images[0].shape[1], images[0].shape[0]), ood=FAR) == ""
    assert warning(images[0], sent=None, ood=None) == ""


def test_a_flat_a_resized_and_a_strange_picture_are_said(images: list[Pixels]) -> None:
    """In the order in which the eye meets them, in one text."""
    flat, image = np.full((8, 8, 3), 7, dtype=np.uint8), images[0][:16, :16]
    assert warning(flat, sent=(8, 8), ood=0.1) == "the picture shows one colour only"
    resized = "the picture is 40 x 20 pixels and was resized to 16 x 16"
    far = "the picture is far from the training data, farther than 99.8% of the hold-out"
    assert warning(image, sent=(40, 20), ood=0.1) == resized
    assert warning(image, sent=None, ood=0.998) == far
    assert warning(flat, sent=(40, 20), ood=1.0) == (
        "the picture shows one colour only; the picture is 40 x 20 pixels and was resized to 8 x 8; "
        "the picture is far from the training data, farther than 100.0% of the hold-out"
    )


def test_a_row_has_the_columns_that_are_promised() -> None:
    """Texts and numbers are told apart by the columns' names; what is sure may expect all of F2."""
    table = answer_table(P, ["odd", ""], rule=RULE, alerts={})
    assert list(table.columns) == columns(WORDS, alerts=False)
    assert list(table.columns[:3]) == ["tags", "expected_f2", "warning"]
    assert list(table["tags"]) == ["sun,old road", "fog"] and list(table["warning"]) == ["odd", ""]
    assert list(table["expected_f2"]) == [1.0, 1.0]
    assert [is_number(name) for name in table.columns] == [table[name].dtype == np.float32 for name in table.columns]
    alerted = answer_table(P, ["", ""], rule=RULE, alerts={"old road": alert(0.5)})
    assert list(alerted.columns) == columns(WORDS, alerts=True) and list(alerted["alerts"]) == ["old road", ""]


def test_the_expected_f2_is_that_of_the_tags() -> None:
    """A label that holds every second time: (5 / 6 + 0.5) / 2 of one that surely holds beside it."""
    p: Probabilities = np.array([[1, 0, 0, 0.5]], dtype=np.float32)
    (expected,) = answer_table(p, [""], rule=RULE, alerts={})["expected_f2"]
    assert expected == pytest.approx((1 + 5 / 6) / 2, abs=1e-4)


def test_labels_come_as_lists_with_alerts_where_there_are_any() -> None:
    """A label may hold a blank; the probabilities are those of the rows."""
    first, second = detailed(answer_table(P, ["odd", ""], rule=RULE, alerts={}), ["a.jpg", None], vocabulary=WORDS)
    assert first == {
        "name": "a.jpg",
        "tags": ["sun", "old road"],
        "expected_f2": 1.0,
        "warning": "odd",
        "probabilities": {"sun": 1.0, "fog": 0.0, "tree": 0.0, "old road": 1.0},
    }
    assert second["tags"] == ["fog"] and second["name"] is None
    alerted = answer_table(P, ["", ""], rule=RULE, alerts={"old road": alert(0.5)})
    assert [each["alerts"] for each in detailed(alerted, [None, None], vocabulary=WORDS)] == [["old road"], []]


@pytest.mark.parametrize("wrong", [np.zeros((9, 9, 3)), np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), "a"])
def test_what_are_no_pixels_is_told(wrong: Any) -> None:
    """Floats of 0 to 1 would be answered as black; a stack of pictures in one array is fine."""
    fine = np.zeros((2, 9, 9, 3), np.uint8)
    assert len(checked(fine)) == len(checked(each for each in fine)) == 2 and checked([]) == []
    with pytest.raises(InputError, match=r"picture 1: expected RGB as an array of uint8.*found (float64|uint8|str) \("):
        checked([fine[0], wrong])
