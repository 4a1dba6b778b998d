"""The two figures of whatever predicts: known answers."""

import numpy as np
import pytest

from igarape.errors import InputError
from igarape.labels import Targets, Vocabulary
from igarape.scores.figures import f2_by_chip, figures, validation_figures
from igarape.scores.metrics import mean_average_precision

VOCABULARY = Vocabulary(exclusive=("sun", "fog"), alone=("fog",), common=("tree",), rare=("kiln", "mine"))
ALL, RARE = VOCABULARY.targets("all"), VOCABULARY.targets("rare")
TRUTH = np.array([VOCABULARY.encode(tags) for tags in (["sun", "tree"], ["fog"], ["sun", "kiln"], ["sun", "mine"])])


def test_a_perfect_prediction_scores_1() -> None:
    """Both figures."""
    perfect = figures(TRUTH, TRUTH.astype(np.float32), targets=ALL)
    assert perfect == {"f2": 1.0, "map": 1.0}


def test_a_learner_of_all_labels_answers_one_label_of_the_group() -> None:
    """The top of the group alone counts, even where both lie above the threshold; a free label needs 0.2."""
    p = TRUTH.astype(np.float32)
    p[:, :2] = np.where(TRUTH[:, :2], 0.6, 0.5)
    p[:, 2:] = np.where(TRUTH[:, 2:], 0.21, 0.19)
    assert figures(TRUTH, p, targets=ALL)["f2"] == 1.0
    p[0, 2] = 0.19
    missed = 5 * 1 * 0.5 / (4 * 1 + 0.5)  # precision 1, recall 1/2 on the first chip
    assert figures(TRUTH, p, targets=ALL)["f2"] == pytest.approx((3 + missed) / 4)


def test_a_learner_of_the_rare_labels_is_scored_on_the_chips_that_hold_one() -> None:
    """At the threshold 0.2; chips without a rare label would all score 0."""
    y = TRUTH[:, 3:]
    p = np.where(y, 0.2, 0.1).astype(np.float32)
    scores = figures(y, p, targets=RARE)
    assert scores["f2"] == 1.0
    p[2] = (0.1, 0.3)
    assert figures(y, p, targets=RARE)["f2"] == 0.5


def test_the_map_is_over_all_chips() -> None:
    """Average precision ranks every chip, those without a rare label too."""
    y, p = TRUTH[:, 3:], np.array([[0.9, 0.1], [0.1, 0.1], [0.5, 0.1], [0.1, 0.7]], dtype=np.float32)
    scores = figures(y, p, targets=RARE)
    assert scores["map"] == mean_average_precision(y, p) == pytest.approx((0.5 + 1.0) / 2)


def test_labels_that_hold_nowhere_have_no_figure() -> None:
    """A clear error in place of a score."""
    nothing = np.zeros((4, 2), dtype=np.bool_)
    with pytest.raises(InputError):
        figures(nothing, np.zeros((4, 2), np.float32), targets=RARE)


@pytest.mark.parametrize("targets", [ALL, RARE], ids=["all", "rare"])
def test_a_training_is_watched_by_what_the_report_judges_by(targets: Targets) -> None:
    """One F2 and one mAP, whoever asks; what chips are compared by has that mean."""
    y = TRUTH[:, -len(targets.labels) :]
    p = np.random.default_rng(0).random(y.shape, dtype=np.float32)
    judged, watched = figures(y, p, targets=targets), validation_figures(y, p, targets=targets)
    assert judged == {name.removeprefix("val_"): value for name, value in watched.items() if name != "val_loss"}
    assert f2_by_chip(y, p, targets=targets).mean() == judged["f2"]


def test_the_loss_is_the_mean_binary_cross_entropy() -> None:
    """Known answer; a probability of 0 for what is true costs much, not infinitely much."""
    y = np.array([[True, False]])
    two = Targets(("kiln", "mine"))
    loss = validation_figures(y, np.array([[0.8, 0.4]], np.float32), targets=two)["val_loss"]
    assert loss == pytest.approx(-np.log([0.8, 0.6]).mean(), rel=1e-5)
    assert 5 < validation_figures(y, np.zeros((1, 2), np.float32), targets=two)["val_loss"] < 10


def test_where_no_watched_chip_holds_any_label_the_loss_alone_is_told() -> None:
    """A few watched chips without a rare label are no reason to stop a training."""
    watched = validation_figures(np.zeros((4, 2), dtype=np.bool_), np.full((4, 2), 0.1, np.float32), targets=RARE)
    assert watched == pytest.approx({"val_loss": -np.log(0.9)}, rel=1e-5)


def test_answers_that_are_no_numbers_are_a_training_that_has_diverged() -> None:
    """The search calls that trial failed, and a cross-fit says what to narrow."""
    with pytest.raises(FloatingPointError, match="diverged"):
        validation_figures(TRUTH, np.full(TRUTH.shape, np.nan, np.float32), targets=ALL)
