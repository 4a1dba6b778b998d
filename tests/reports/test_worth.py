"""What a learner is worth, and raw chips against others: differences with known answers."""

from typing import Any

import numpy as np
import pytest
from drawing import singly

from igarape.config.documents import LearnerManifest
from igarape.labels import Booleans, Vocabulary
from igarape.reports.worth import compare_views, rare_worth, same_but_chips, worths
from igarape.scores.metrics import Floats, average_precision, mean_average_precision

VOCABULARY = Vocabulary(exclusive=(), alone=(), common=("tree", "pond"), rare=("kiln", "mine"))
DRAWS = singly(range(400), resamples=200, seed=1)


def draw() -> tuple[Booleans, Floats, Floats]:
    """Draw truth, in which nothing is a mine, and probabilities that know much of it, and little."""
    rng = np.random.default_rng(1)
    y = rng.random((400, 4)) < (0.5, 0.3, 0.1, 0.0)
    much, little = (1 / (1 + np.exp(2 - 4 * y - rng.normal(0, spread, y.shape))) for spread in (0.7, 3.0))
    return y, much, little


def manifest(name: str, chips: Any, scope: Any = "all", **settings: Any) -> LearnerManifest:
    """Give the manifest of a learner with some settings besides the usual ones."""
    whole = {"backbone": "plain", "chips": chips, "hyperparameters": {"dropout": 0.2}} | settings
    labels = VOCABULARY.targets(scope).labels
    return LearnerManifest(
        name=name,
        chips=chips,
        size=32,
        scope=scope,
        labels=labels,
        tta=False,
        f2=0.5,
        map=0.5,
        settings=whole,
        folds=(),
    )


def test_a_learner_is_worth_what_is_lost_without_it() -> None:
    """One without which the blend is the same is worth exactly nothing; one without which it knows little, much."""
    y, much, little = draw()
    found = worths(y, much, without={"twin": much, "star": little}, targets=VOCABULARY.targets("all"), draws=DRAWS)
    assert list(found) == ["star", "twin"]
    assert found["twin"].f2 == found["twin"].map == (0, 0, 0)
    expected = mean_average_precision(y, much) - mean_average_precision(y, little)
    assert found["star"].map.mean == pytest.approx(expected)
    assert found["star"].map.low > 0 and found["star"].f2.low > 0
    assert set(found["star"].to_json()) == {"f2", "f2_low", "f2_high", "map", "map_low", "map_high"}
    assert found["star"].to_json()["map_low"] == found["star"].map.low
    assert worths(y, much, without={}, targets=VOCABULARY.targets("all"), draws=DRAWS) == {}


def test_a_pair_differs_in_its_chips_and_in_nothing_that_was_set() -> None:
    """What its search found may differ, and is named; another backbone or scope makes another learner."""
    learners = {
        "dehazed": manifest("dehazed", "dehazed"),
        "plain": manifest("plain", "raw"),
        "leafy": manifest("leafy", "nir", hyperparameters={"dropout": 0.4, "ema": 0.9}),
        "deep": manifest("deep", "dehazed", backbone="mobilenet"),
        "rare": manifest("rare", "dehazed", labels="rare"),
        "twin": manifest("twin", "raw"),
    }
    found = {(one, other): besides for one, other, besides in same_but_chips(learners)}
    assert found == {
        (one, other): besides
        for one in ("plain", "twin")
        for other, besides in (("dehazed", ()), ("leafy", ("dropout", "ema")))
    }


def test_each_label_that_occurs_is_compared() -> None:
    """By average precision, after less before; the same answers differ by nothing."""
    y, much, little = draw()
    manifests = {"plain": manifest("plain", "raw"), "dehazed": manifest("dehazed", "dehazed")}
    (found,) = compare_views(
        y, {"plain": little, "dehazed": much}, manifests=manifests, vocabulary=VOCABULARY, draws=DRAWS
    )
    assert (found.before, found.after, found.chips, found.besides) == ("plain", "dehazed", "dehazed", ())
    assert [row.label for row in found.labels] == ["tree", "pond", "kiln"]
    assert [row.chips for row in found.labels] == y.sum(axis=0)[:3].tolist()
    assert [row.after for row in found.labels] == average_precision(y, much)[:3].tolist()
    assert all(row.difference.mean == row.after - row.before for row in found.labels)
    assert found.worth.map.low > 0 and found.labels[0].difference.low > 0
    (same,) = compare_views(
        y, {"plain": much, "dehazed": much}, manifests=manifests, vocabulary=VOCABULARY, draws=DRAWS
    )
    assert same.worth.map == same.labels[2].difference == (0, 0, 0)


def test_learners_of_rare_labels_are_compared_by_these() -> None:
    """Where none of them occurs there is nothing to compare."""
    y, much, little = draw()
    manifests = {"few": manifest("few", "raw", "rare"), "clear": manifest("clear", "dehazed", "rare")}
    learners = {"few": little[:, 2:], "clear": much[:, 2:]}
    (found,) = compare_views(y, learners, manifests=manifests, vocabulary=VOCABULARY, draws=DRAWS)
    assert [row.label for row in found.labels] == ["kiln"]
    y[:, 2] = False
    assert compare_views(y, learners, manifests=manifests, vocabulary=VOCABULARY, draws=DRAWS) == []


def test_learners_of_rare_labels_are_worth_what_these_gain() -> None:
    """On average, and each that occurs; nothing is a mine."""
    y, much, little = draw()
    found = rare_worth(y, little, much, vocabulary=VOCABULARY, draws=DRAWS)
    assert found is not None
    before, after = (float(average_precision(y, p)[2]) for p in (little, much))
    assert (found.before, found.after, found.difference.mean) == pytest.approx((before, after, after - before))
    assert [row.label for row in found.labels] == ["kiln"] and found.labels[0].difference == found.difference
    assert found.to_json() == {"without": before, "with": after, **found.difference._asdict()}
    assert found.difference.low > 0
    same = rare_worth(y, much, much, vocabulary=VOCABULARY, draws=DRAWS)
    assert same is not None and same.difference == (0, 0, 0)
    y[:, 2] = False
    assert rare_worth(y, little, much, vocabulary=VOCABULARY, draws=DRAWS) is None
