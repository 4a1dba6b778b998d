"""The two figures of whatever predicts: known answers."""

import numpy as np
import pytest

from igarape.errors import InputError
from igarape.labels import Vocabulary
from igarape.scores.figures import figures
from igarape.scores.metrics import mean_average_precision

VOCABULARY = Vocabulary(exclusive=("sun", "fog"), alone=("fog",), common=("tree",), rare=("kiln", "mine"))
LABELS = VOCABULARY.labels
TRUTH = np.array([VOCABULARY.encode(tags) for tags in (["sun", "tree"], ["fog"], ["sun", "kiln"], ["sun", "mine"])])


def test_a_perfect_prediction_scores_1() -> None:
    """Both figures."""
    perfect = figures(TRUTH, TRUTH.astype(np.float32), labels=LABELS, vocabulary=VOCABULARY)
    assert perfect == {"f2": 1.0, "map": 1.0}


def test_a_learner_of_all_labels_answers_one_label_of_the_group() -> None:
    """The top of the group alone counts, even where both lie above the threshold; a free label needs 0.2."""
    p = TRUTH.astype(np.float32)
    p[:, :2] = np.where(TRUTH[:, :2], 0.6, 0.5)
    p[:, 2:] = np.where(TRUTH[:, 2:], 0.21, 0.19)
    assert figures(TRUTH, p, labels=LABELS, vocabulary=VOCABULARY)["f2"] == 1.0
    p[0, 2] = 0.19
    missed = 5 * 1 * 0.5 / (4 * 1 + 0.5)  # precision 1, recall 1/2 on the first chip
    assert figures(TRUTH, p, labels=LABELS, vocabulary=VOCABULARY)["f2"] == pytest.approx((3 + missed) / 4)


def test_a_learner_of_the_rare_labels_is_scored_on_the_chips_that_hold_one() -> None:
    """At the threshold 0.2; chips without a rare label would all score 0."""
    y = TRUTH[:, 3:]
    p = np.where(y, 0.2, 0.1).astype(np.float32)
    scores = figures(y, p, labels=("kiln", "mine"), vocabulary=VOCABULARY)
    assert scores["f2"] == 1.0
    p[2] = (0.1, 0.3)
    assert figures(y, p, labels=("kiln", "mine"), vocabulary=VOCABULARY)["f2"] == 0.5


def test_the_map_is_over_all_chips() -> None:
    """Average precision ranks every chip, those without a rare label too."""
    y, p = TRUTH[:, 3:], np.array([[0.9, 0.1], [0.1, 0.1], [0.5, 0.1], [0.1, 0.7]], dtype=np.float32)
    scores = figures(y, p, labels=("kiln", "mine"), vocabulary=VOCABULARY)
    assert scores["map"] == mean_average_precision(y, p) == pytest.approx((0.5 + 1.0) / 2)


def test_labels_that_hold_nowhere_have_no_figure() -> None:
    """A clear error in place of a score."""
    nothing = np.zeros((4, 2), dtype=np.bool_)
    with pytest.raises(InputError):
        figures(nothing, np.zeros((4, 2), np.float32), labels=("kiln", "mine"), vocabulary=VOCABULARY)
