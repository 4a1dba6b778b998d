"""Whether an idea is better, in words and as MLflow keeps it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tiny
from drawing import singly

from igarape.config.documents import LearnerManifest
from igarape.reports.idea import Idea, Judged
from igarape.reports.idea_text import Steps, figures_of, in_words
from igarape.reports.trained import Trained
from igarape.reports.worth import LabelWorth
from igarape.scores.comparison import Difference
from igarape.scores.ranking import Ranked
from igarape.tracking.costs import Costs, Made

UP, DOWN, OPEN = Difference(0.02, 0.01, 0.03), Difference(-0.02, -0.03, -0.01), Difference(0.0, -0.01, 0.01)


def judged(level: float, *, partial: bool = False) -> Judged:
    """Judge what scores the same on all chips, and on all labels, in each draw."""
    precision = Ranked(np.full(3, level), np.full((5, 3), level), 8)
    return Judged(
        None if partial else np.full(8, level),
        precision,
        () if partial else (2,),
        singly(range(8), resamples=20, seed=0),
    )


def trained(name: str, zoom: float, found: float) -> Trained:
    """Give a network with a zoom, whose search has found a rate of dropout."""
    experiment = tiny.tiny({"zoom": zoom})
    values = tiny.HYPERPARAMETERS | {"zoom": zoom, "dropout": found}
    known: Any = {"name": name, "chips": "raw", "size": 32, "scope": "all", "labels": ("a",), "tta": False, "folds": ()}
    return Trained(
        experiment, LearnerManifest(**known, f2=0.5, map=0.5, settings={"hyperparameters": values}), pd.DataFrame()
    )


LEARNERS = {"plain": trained("plain", 0.0, 0.1), "zoomed": trained("zoomed", 0.3, 0.2)}
MADE: dict[str, Steps] = {
    "plain": {"search": None, "train": Made({"train.budget": "0.4"}, Costs(100.4, 180.6))},
    "zoomed": {"search": Made({}, None), "train": Made({"train.budget": "0.4"}, Costs(110.0, 200.0))},
}
LABELS = tuple(
    LabelWorth(label, 12, 0.5, 0.5 + gain, Difference(gain, gain - 0.01, gain + 0.01))
    for label, gain in {"tree": 0.03, "pond": -0.2, "kiln": 0.1, "mine": 0.05, "fog": 0.01, "sun": 0.0}.items()
)
IDEA = Idea(
    name="zoomed",
    against="plain",
    chips=1200,
    alone=(judged(0.75), judged(0.5)),
    labels=LABELS,
    base=("plain", "trees"),
    blend=judged(0.8),
    beside={"F2": OPEN, "mAP": UP, "mAP of rare labels": DOWN},
    instead={"F2": DOWN, "mAP": OPEN, "mAP of rare labels": OPEN},
)


def test_the_first_lines_say_whether_it_is_better() -> None:
    """Alone, and in the blend; by F2."""
    first = in_words(IDEA, LEARNERS, MADE).splitlines()
    assert first[0] == "zoomed against plain, on 1,200 chips out of fold; in brackets 95 % intervals"
    assert first[1] == "alone, zoomed is better than plain: F2 +0.2500 (+0.2500 to +0.2500)"
    assert first[2] == "whether the blend gains by zoomed is open: F2 0.0000 (-0.0100 to +0.0100)"
    worse = replace(IDEA, alone=IDEA.alone[::-1], beside={"F2": DOWN})
    assert in_words(worse, LEARNERS, MADE).splitlines()[1:3] == [
        "alone, zoomed is worse than plain: F2 -0.2500 (-0.2500 to -0.2500)",
        "the blend loses by zoomed: F2 -0.0200 (-0.0300 to -0.0100)",
    ]


def test_what_changes_nothing_is_not_called_open() -> None:
    """Where not one draw of the chips tells the two apart, that is an answer."""
    level = replace(IDEA, alone=(judged(0.5), judged(0.5)), beside={"F2": Difference(0, 0, 0)})
    assert in_words(level, LEARNERS, MADE).splitlines()[1:3] == [
        "alone, zoomed scores the same as plain: F2 0.0000 (0.0000 to 0.0000)",
        "the blend scores the same with zoomed: F2 0.0000 (0.0000 to 0.0000)",
    ]


def test_labels_are_named_from_the_most_helped_and_the_most_harmed() -> None:
    """Three of each at most, and none that stays as it is; with the chips that have it."""
    lines = [line.split() for line in in_words(IDEA, LEARNERS, MADE).splitlines()]
    first = [words[0] for words in lines if words and words[0] in {"tree", "pond", "kiln", "mine", "fog", "sun"}]
    assert first == ["kiln", "mine", "tree", "pond"]
    assert ["pond", "0.5000", "0.3000", "-0.2000", "(-0.2100", "to", "-0.1900),", "on", "12", "chips"] in lines
    unharmed = replace(IDEA, labels=LABELS[:1])
    assert "labels harmed most: none" in in_words(unharmed, LEARNERS, MADE)


def test_the_blend_settings_and_costs_are_told() -> None:
    """What the YAML changes, what each search has found besides, and what is not on record."""
    said = in_words(IDEA, LEARNERS, MADE)
    for part in (
        "the blend of plain, trees\n",
        "\n  as it is               0.8000  ",
        "with zoomed beside     0.0000 (-0.0100 to +0.0100)   +0.0200 (+0.0100 to +0.0300)",
        "in the place of plain  -0.0200",
        "settings that differ\n    hyperparameters.zoom  0.0 -> 0.3\n",
        "and what the search of each has found\n    dropout  0.1 -> 0.2\n",
        "plain: search not on record, train 100 s (processor time 181 s)",
        "zoomed: search not on record, train 110 s (processor time 200 s)",
    ):
        assert part in said
    assert "params.yaml has changed" not in said
    alone = replace(IDEA, base=(), blend=None, beside=None, instead=None)
    assert "no blend: the learners that params.yaml lists" in in_words(alone, LEARNERS, MADE)


def test_learners_that_were_not_trained_alike_are_told() -> None:
    """A budget that has changed between two trainings is no merit of the idea."""
    other: dict[str, Steps] = MADE | {"zoomed": {"search": None, "train": Made({"train.budget": "1.0"}, None)}}
    said = in_words(IDEA, LEARNERS, other)
    assert "params.yaml has changed between the two" in said and "train: train.budget  0.4 -> 1.0" in said
    kinds = LEARNERS | {"plain": replace(LEARNERS["plain"], experiment=tiny.tabular())}
    assert "another kind of learner, tabular -> network" in in_words(IDEA, kinds, MADE)


def test_learners_of_some_labels_are_told_by_average_precision() -> None:
    """Their F2 is not named, and the blend's is."""
    some = replace(IDEA, alone=(judged(0.5, partial=True), judged(0.75, partial=True)))
    first = in_words(some, LEARNERS, MADE).splitlines()
    assert first[1].startswith("alone, zoomed is worse than plain: mAP -0.2500")
    assert first[2].startswith("by the 3 labels that both predict; F2") and "F2 0.0000" in first[3]


@pytest.mark.parametrize(("figure", "value"), [("oof_f2", 0.75), ("alone/map", 0.25), ("beside/rare_map_low", -0.03)])
def test_mlflow_keeps_each_figure(figure: str, value: float) -> None:
    """By names that are those of other steps."""
    assert figures_of(IDEA)[figure] == pytest.approx(value)
    assert "instead/f2" not in figures_of(replace(IDEA, instead=None))
