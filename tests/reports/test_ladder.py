"""The ladder: differences with known answers, and words that say what their intervals say."""

import numpy as np
import pytest
from drawing import singly

from igarape.labels import Targets
from igarape.reports.ladder import Ladder, build_ladder, ladder_lines
from igarape.scores.comparison import Difference

TARGETS = Targets(("tree", "pond"))


def opinions(rng: np.random.Generator, error: float) -> tuple[np.ndarray, np.ndarray]:
    """Draw truth, and probabilities that are wrong as often as error says."""
    y = rng.random((400, 2)) < 0.5
    return y, np.where(y ^ (rng.random(y.shape) < error), 0.9, 0.05).astype(np.float32)


def test_each_rung_is_compared_with_the_best_learner() -> None:
    """A perfect stack is above it, the best learner itself level, noise below; the rule has a rung of its own."""
    rng = np.random.default_rng(1)
    y, good = opinions(rng, 0.1)
    noise = rng.random(y.shape, dtype=np.float32)
    ladder = build_ladder(
        y,
        learners={"poor": noise, "good": good},
        stackers={"single": good, "blend": np.where(y, 0.9, 0.05), "xgboost": noise},
        decided={"blend, fixed": y},
        targets=TARGETS,
        draws=singly(y, resamples=200, seed=1),
    )
    assert ladder.best == "good"
    assert {name: rung.verdict for name, rung in ladder.rungs.items()} == {
        "single": "same",
        "blend": "up",
        "xgboost": "down",
        "blend, fixed": "up",
    }
    assert ladder.rungs["single"] == (0, 0, 0)
    assert ladder.trees is not None and ladder.trees.verdict == "down"
    assert set(ladder.learners) == {"poor"} and ladder.learners["poor"] == ladder.rungs["xgboost"]
    assert ladder.to_json()["single"] == dict.fromkeys(("mean", "low", "high", "map", "map_low", "map_high"), 0)


def test_rankings_are_compared_as_decisions_are() -> None:
    """In mean average precision: stackers and learners against the same best learner; a rule ranks nothing."""
    rng = np.random.default_rng(3)
    y, good = opinions(rng, 0.1)
    noise = rng.random(y.shape, dtype=np.float32)
    ladder = build_ladder(
        y,
        learners={"poor": noise, "good": good},
        stackers={"good": noise, "single": good, "blend": np.where(y, 0.9, 0.05)},
        decided={"blend, fixed": y},
        targets=TARGETS,
        draws=singly(y, resamples=200, seed=1),
    )
    told = {name: difference.verdict for name, difference in ladder.maps.items()}
    assert told == {"good": "down", "single": "same", "blend": "up"}
    assert ladder.maps["single"] == (0, 0, 0)
    assert set(ladder.learner_maps) == {"poor"} and ladder.learner_maps["poor"] == ladder.maps["good"]
    assert set(ladder.to_json()["blend, fixed"]) == {"mean", "low", "high"}


def test_without_a_learner_of_all_labels_there_is_nothing_to_climb_from() -> None:
    """And without trees nothing is said of them."""
    y, p = opinions(np.random.default_rng(2), 0.1)
    ladder = build_ladder(
        y,
        learners={},
        stackers={"mean": p},
        decided={},
        targets=TARGETS,
        draws=singly(y, resamples=100, seed=1),
    )
    assert (ladder.best, ladder.rungs, ladder.trees) == (None, {}, None)
    assert ladder_lines(ladder, stacker="mean", kept=(), labels=2) == []


@pytest.mark.parametrize(
    ("difference", "stack", "trees"),
    [
        (Difference(0.01, 0.001, 0.02), "The stack beats", "XGBoost beats the blend"),
        (Difference(0.01, -0.001, 0.02), "The stack cannot be told from", "XGBoost does not beat the blend"),
        (Difference(-0.01, -0.02, -0.001), "The stack is worse than", "XGBoost is worse than the blend"),
        (Difference(0, 0, 0), "The stack scores the same as", "XGBoost scores the same as the blend"),
    ],
)
def test_the_words_follow_the_interval(difference: Difference, stack: str, trees: str) -> None:
    """Whether it lies above 0, holds it, lies below, or is 0; with the figures, and how many labels have trees."""
    words = ladder_lines(Ladder("good", {"blend": difference}, difference), stacker="blend", kept=["tree"], labels=3)
    assert words[0].startswith(stack) and f"blend against good, F2 {difference} out of fold" in words[0]
    assert words[1].startswith(trees) and "trees correct 2 of 3 labels" in words[1]
    alone = Ladder("good", {"single": Difference(0, 0, 0)}, None)
    assert ladder_lines(alone, stacker="single", kept=[], labels=3) == [
        "The stack that is used, single, is its best learner alone: good."
    ]
