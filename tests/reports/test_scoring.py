"""Scores on a published split: no test chip may have been trained on, by whatever is scored."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from opinions import LABELS, LEARNERS, VOCABULARY, boosted, draw

from igarape.chips.sources.published import Published
from igarape.config.documents import CALIBRATED, Decision, FoldFacts, LearnerManifest, RuleSettings, StackSummary
from igarape.ensemble.decision import fit_rule
from igarape.errors import InputError
from igarape.learners.audit import rows_hash
from igarape.predictions import prediction_table
from igarape.reports.scoring import Standing, score_split
from igarape.scores.figures import figures
from igarape.scores.metrics import mean_average_precision, sample_f2
from igarape.tables import PLACE, label_columns, write_table
from igarape.workspace import Workspace

COUNT = 250
LEARNED, Y, FOLDS = draw(COUNT, seed=4)
IDS = [f"chip_{row}" for row in range(COUNT)]
HELD = [name for name, fold in zip(IDS, FOLDS, strict=True) if fold < 0]
INSIDE = [name for name, fold in zip(IDS, FOLDS, strict=True) if fold >= 0]
SPLIT = Published(train=tuple(INSIDE), test=tuple(HELD))


def manifest(name: str) -> LearnerManifest:
    """Give the manifest of a learner that was cross-fitted as it should be."""
    others = [[one for one, k in zip(IDS, FOLDS, strict=True) if k >= 0 and k != fold] for fold in range(4)]
    return LearnerManifest(
        name=name,
        chips="raw",
        size=32,
        scope="rare" if name == "rare" else "all",
        labels=LEARNERS[name] if name != "rare" else VOCABULARY.rare,
        tta=False,
        f2=0.5,
        map=0.5,
        settings={},
        folds=tuple(FoldFacts(rows=len(rows), learned=rows_hash(rows)) for rows in others),
    )


@pytest.fixture
def here(tmp_path: Path) -> Workspace:
    """Give what a finished stream has written, of which scores are made."""
    here = Workspace(tmp_path)
    catalog = pd.DataFrame({"image_id": IDS, "split": "train", "shard": "s", "offset": 0, "length": 1, "group": IDS})
    assert list(catalog) == PLACE
    catalog[label_columns(LABELS)] = Y.astype(int)
    write_table(catalog, here.catalog())
    write_table(pd.DataFrame({"image_id": IDS, "fold": FOLDS}), here.folds)
    write_table(pd.DataFrame({"image_id": IDS, "group": IDS}), here.folder("split") / "groups.parquet")
    for name, p in LEARNED.items():
        own = manifest(name)
        sorted_p = p[:, ::-1] if name == "rare" else p  # in the order of the vocabulary
        write_table(prediction_table(IDS, FOLDS, learner=name, labels=own.labels, p=sorted_p), here.predictions(name))
        own.write(here.learner(name))
    boosted(LEARNED, Y, learners=LEARNERS, labels=LABELS).save(here.folder("stack") / "stacker")
    table = prediction_table(IDS, FOLDS, learner=CALIBRATED, labels=LABELS, p=LEARNED["plain"])
    write_table(table, here.folder("stack") / "predictions.parquet")
    StackSummary(chosen="xgboost", stackers={}, weights={}, kept={}, calibration={}).write(
        here.folder("stack") / "stack.json"
    )
    decide(here, FOLDS >= 0)
    return here


def decide(here: Workspace, rows: np.ndarray) -> None:
    """Fit the rule on rows, and write it."""
    p = LEARNED["plain"]
    rule = fit_rule("threshold", Y[rows], p[rows], FOLDS[rows], vocabulary=VOCABULARY, beta=2.0)
    Decision(rule=RuleSettings(**rule.to_json()), rules={}, alerts={}).write(here.folder("decide") / "rule.json")


def scored(here: Workspace, published: Published = SPLIT, experiment: str | None = None) -> Standing:
    """Score a split."""
    return score_split(here, published, vocabulary=VOCABULARY, experiment=experiment)


def test_the_stream_and_its_learners_are_scored_on_the_test_chips_alone(here: Workspace) -> None:
    """By their own metrics; a rare-label learner on its labels. All of the split's other chips were trained on."""
    found = scored(here)
    test = FOLDS < 0
    rule = fit_rule("threshold", Y[~test], LEARNED["plain"][~test], FOLDS[~test], vocabulary=VOCABULARY, beta=2.0)
    assert list(found.figures) == ["the stream (xgboost, calibrated; threshold)", *LEARNERS]
    assert found.figures["the stream (xgboost, calibrated; threshold)"] == {
        "f2": sample_f2(Y[test], rule.apply(LEARNED["plain"][test])),
        "map": mean_average_precision(Y[test], LEARNED["plain"][test]),
    }
    for name in ("plain", "deep"):
        expected = figures(Y[test], LEARNED[name][test], targets=VOCABULARY.targets("all"))
        assert found.figures[name] == pytest.approx(expected)
    rare = figures(Y[test][:, 2:], LEARNED["rare"][test][:, ::-1], targets=VOCABULARY.targets("rare"))
    assert found.figures["rare"] == pytest.approx(rare)
    assert (found.chips, found.labels, found.seen, found.asked, found.beyond, found.close) == (50, 4, 200, 200, 0, 0)


def test_a_learner_alone_needs_no_stack(here: Workspace) -> None:
    """It is scored as soon as it is trained."""
    whole = scored(here)
    for step in ("stack", "decide"):
        here.folder(step).rename(here.root / step)
    assert scored(here, experiment="deep").figures == {"deep": whole.figures["deep"]}


def test_some_of_the_hold_out_can_be_scored_in_any_order(here: Workspace) -> None:
    """And chips beyond the split that were trained on are counted: that is another training than the published one."""
    found = scored(here, Published(train=tuple(INSIDE[:150]), test=tuple(HELD[30:0:-1])))
    rows = [IDS.index(name) for name in HELD[1:31]]
    assert found.figures["deep"]["map"] == pytest.approx(mean_average_precision(Y[rows], LEARNED["deep"][rows]))
    assert (found.chips, found.seen, found.asked, found.beyond) == (30, 150, 150, 50)


def test_test_chips_that_look_like_trained_ones_are_counted(here: Workspace) -> None:
    """The split is somebody else's, so it may tear near-duplicates apart."""
    groups = [INSIDE[0] if name in {HELD[0], HELD[1]} else name for name in IDS]
    write_table(pd.DataFrame({"image_id": IDS, "group": groups}), here.folder("split") / "groups.parquet")
    assert scored(here).close == 2


@pytest.mark.parametrize("experiment", [None, "plain"])
def test_a_test_chip_that_was_trained_on_is_an_error_that_names_it(here: Workspace, experiment: str | None) -> None:
    """With its fold, how many there are, and how to train on that split."""
    leaked = Published(train=tuple(INSIDE[4:]), test=(*HELD, *INSIDE[:4]))
    with pytest.raises(InputError) as caught:
        scored(here, leaked, experiment)
    named = ", ".join(f"{name} (fold {FOLDS[IDS.index(name)]})" for name in INSIDE[:3])
    assert f"4 of the split's 54 test chips were trained on: {named} and 1 more. To train" in str(caught.value)


def test_a_test_chip_that_is_not_there_is_an_error(here: Workspace) -> None:
    """Scores on the rest are not the published ones'. A chip without labels is not there either."""
    with pytest.raises(InputError, match="2 of the split's 52 test chips are not among the labelled chips: x, y"):
        scored(here, replace(SPLIT, test=(*HELD, "x", "y")))


def redeal(here: Workspace, name: str, *, tables: bool) -> None:
    """Hold a chip out that was trained on; tables: and say so in all tables of predictions, as a forger would."""
    folds = np.where(np.array(IDS) == name, -1, FOLDS)
    write_table(pd.DataFrame({"image_id": IDS, "fold": folds}), here.folds)
    for path in here.root.glob("data/*/**/predictions.parquet") if tables else ():
        write_table(pd.read_parquet(path).assign(fold=folds), path)


@pytest.mark.parametrize("experiment", [None, "deep"])
def test_a_chip_that_was_held_out_only_after_the_training_is_a_leak(here: Workspace, experiment: str | None) -> None:
    """The predictions' folds tell; and where those were changed too, the hash of the rows that a model learned from."""
    leaked = Published(train=tuple(INSIDE[1:]), test=(*HELD, INSIDE[0]))
    redeal(here, INSIDE[0], tables=False)
    with pytest.raises(InputError, match=rf"{INSIDE[0]}: predicted as fold 0, but its fold is -1|its model learned"):
        scored(here, leaked, experiment)
    redeal(here, INSIDE[0], tables=True)
    if experiment is None:  # the rule is looked at first
        decide(here, (FOLDS >= 0) & (np.array(IDS) != INSIDE[0]))
    with pytest.raises(InputError, match=r"fold 1: its model learned from 150 rows that are not those of the other"):
        scored(here, leaked, experiment)


@pytest.mark.parametrize("name", list(LEARNERS))
def test_each_learner_of_the_stack_has_to_be_free_of_test_chips(here: Workspace, name: str) -> None:
    """One that saw the hold-out is named, though the others are honest."""
    own = manifest(name)
    facts = FoldFacts(rows=200, learned=rows_hash([*INSIDE, HELD[0]]))
    replaced = own.model_copy(update={"folds": (*own.folds[:2], facts, own.folds[3])})
    replaced.write(here.learner(name))
    with pytest.raises(InputError, match=rf"{name}: fold 2: its model learned from 200 rows.*train@{name}"):
        scored(here)


def test_a_learner_of_other_folds_is_refused(here: Workspace) -> None:
    """It has another number of models."""
    own = manifest("plain")
    own.model_copy(update={"folds": own.folds[:3]}).write(here.learner("plain"))
    with pytest.raises(InputError, match="plain: expected a model for each of 4 folds, found 3"):
        scored(here, experiment="plain")


@pytest.mark.parametrize("rows", [np.ones(COUNT, dtype=np.bool_), FOLDS < 0], ids=["all chips", "the test chips"])
def test_a_rule_that_was_fitted_on_test_chips_is_refused(
    here: Workspace,
    rows: np.ndarray,
) -> None:
    """It is fitted once more on the folds, and has to be the same."""
    decide(here, rows)
    with pytest.raises(InputError, match=r"rule\.json: the rule threshold was fitted on other rows than the folds'"):
        scored(here)


def test_shuffled_truth_scores_at_chance(here: Workspace) -> None:
    """What is printed is of the test chips' own labels."""
    catalog = pd.read_parquet(here.catalog())
    columns, test = label_columns(LABELS), FOLDS < 0
    shuffled: Callable[[np.ndarray], np.ndarray] = np.random.default_rng(0).permutation
    catalog.loc[test, columns] = shuffled(catalog.loc[test, columns].to_numpy())
    write_table(catalog, here.catalog())
    assert scored(here, experiment="deep").figures["deep"]["map"] < Y[test].mean() + 0.15
