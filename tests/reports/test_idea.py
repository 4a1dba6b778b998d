"""Whether an idea is better: known answers alone, in the blend, and on each label; never by the hold-out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawing import singly

from igarape.config.params import Params, read_params
from igarape.errors import InputError
from igarape.labels import Vocabulary
from igarape.predictions import prediction_table
from igarape.reports.idea import F2, MAP, RARE, Idea, Rows, blended, judge, weigh_idea
from igarape.scores.metrics import mean_average_precision, sample_f2
from igarape.scores.rules import fixed

VOCABULARY = Vocabulary(exclusive=(), alone=(), common=("tree", "pond"), rare=("kiln", "mine"))
N = 300


@pytest.fixture(scope="module")
def params() -> Params:
    """Give the settings, with the learners of these tests and few resamples."""
    whole = read_params(Path(__file__).parents[2] / "params.yaml")
    small = whole.evaluate.model_copy(update={"resamples": 100})
    return whole.model_copy(update={"experiments": ("plain", "other"), "evaluate": small})


@pytest.fixture(scope="module")
def rows() -> Rows:
    """Give chips in four folds, and a fifth of them held out; the last label holds on none."""
    rng = np.random.default_rng(1)
    y = rng.random((N, 4)) < (0.5, 0.4, 0.2, 0.0)
    folds = pd.DataFrame({"image_id": [f"chip-{row:03d}" for row in range(N)], "fold": np.arange(N) % 5 - 1})
    return Rows(folds, y, VOCABULARY, list(folds["image_id"]))


def answers(
    rows: Rows, name: str, spread: float, *, seed: int, labels: tuple[str, ...] = VOCABULARY.labels
) -> pd.DataFrame:
    """Let a learner know the truth, but for noise; of the held-out chips it says the contrary."""
    noise = np.random.default_rng(seed).normal(0, spread, rows.y.shape)
    truth = np.where(rows.inside[:, None], rows.y, ~rows.y)
    p = 1 / (1 + np.exp(2 - 4 * truth - noise))
    columns = [VOCABULARY.labels.index(label) for label in labels]
    ids, folds = list(rows.folds["image_id"]), rows.folds["fold"].to_numpy()
    return prediction_table(ids, folds, learner=name, labels=labels, p=p[:, columns].astype(np.float32))


def weigh(rows: Rows, params: Params, tables: dict[str, pd.DataFrame], name: str = "idea") -> Idea:
    """Weigh an idea against plain."""
    return weigh_idea(name, "plain", tables=tables, rows=rows, params=params, report=lambda *_: None)


@pytest.fixture(scope="module")
def tables(rows: Rows) -> dict[str, pd.DataFrame]:
    """Give two learners that know some, and an idea that knows much more."""
    spreads = {"plain": 3.0, "other": 3.0, "idea": 1.0}
    return {name: answers(rows, name, spread, seed=seed) for seed, (name, spread) in enumerate(spreads.items())}


def test_an_idea_that_knows_more_is_better_alone_and_in_the_blend(
    rows: Rows, params: Params, tables: dict[str, pd.DataFrame]
) -> None:
    """Each figure is that of the chips in the folds; what is held out would say the contrary."""
    idea = weigh(rows, params, tables)
    assert (idea.chips, idea.base) == (240, ("plain", "other"))
    one, other = idea.alone
    y = rows.y[rows.inside]
    for name, judged in (("idea", one), ("plain", other)):
        p = tables[name].filter(like="p_").to_numpy()[rows.inside]
        assert judged.figures[F2] == pytest.approx(sample_f2(y, fixed(p, VOCABULARY.targets("all"))))
        assert judged.figures[MAP] == pytest.approx(mean_average_precision(y, p))
    gains = one.beyond(other)
    assert list(gains) == [F2, MAP, RARE] and all(gain.verdict == "up" for gain in gains.values())
    assert gains[F2].mean == pytest.approx(one.figures[F2] - other.figures[F2])
    assert [row.label for row in idea.labels] == ["tree", "pond", "kiln"]
    assert gains[MAP].mean == pytest.approx(np.mean([row.difference.mean for row in idea.labels]))
    assert idea.beside and idea.beside[F2].verdict == "up" and idea.instead and idea.instead[MAP].verdict == "up"


def test_the_same_learner_again_brings_nothing(rows: Rows, params: Params, tables: dict[str, pd.DataFrame]) -> None:
    """All differences of a twin are nothing, but for what one learner more moves the blend; in its place, none."""
    twin = tables | {"idea": tables["plain"]}
    idea = weigh(rows, params, twin)
    assert all(gain == (0, 0, 0) for gain in idea.alone[0].beyond(idea.alone[1]).values())
    assert idea.instead and all(abs(gain.mean) < 1e-6 for gain in idea.instead.values())


def test_what_is_held_out_takes_no_part(rows: Rows, params: Params, tables: dict[str, pd.DataFrame]) -> None:
    """Other answers to it, and another truth, change nothing."""
    changed = {name: table.copy() for name, table in tables.items()}
    for table in changed.values():
        table.loc[~rows.inside, table.filter(like="p_").columns] = np.float32(0.5)
    truth = np.where(rows.inside[:, None], rows.y, ~rows.y)
    before, after = weigh(rows, params, tables), weigh(replace(rows, y=truth), params, changed)
    assert before.beside == after.beside and before.instead == after.instead and before.labels == after.labels


def test_a_listed_idea_is_laid_beside_the_others(rows: Rows, params: Params, tables: dict[str, pd.DataFrame]) -> None:
    """The blend that it is to help is the one without it; one that is against a stranger takes nobody's place."""
    listed = params.model_copy(update={"experiments": ("plain", "other", "idea")})
    assert weigh(rows, listed, tables).base == ("plain", "other")
    assert weigh(rows, params.model_copy(update={"experiments": ("other",)}), tables).instead is None


def test_learners_of_some_labels_are_compared_by_those(
    rows: Rows, params: Params, tables: dict[str, pd.DataFrame]
) -> None:
    """By average precision: the F2 of some labels tells where probabilities lie. A blend of them alone there is not."""
    rare = tables | {"idea": answers(rows, "idea", 1.0, seed=9, labels=VOCABULARY.rare)}
    idea = weigh(rows, params, rare)
    assert list(idea.alone[0].beyond(idea.alone[1])) == [MAP]
    assert [row.label for row in idea.labels] == ["kiln"]
    assert idea.beside and list(idea.beside) == [F2, MAP, RARE] and idea.instead
    alone = params.model_copy(update={"experiments": ("idea",)})
    lonely = weigh(rows, alone, rare)
    assert (lonely.base, lonely.blend, lonely.beside, lonely.instead) == ((), None, None, None)
    only = weigh(rows, params.model_copy(update={"experiments": ("plain",)}), rare)
    assert only.beside and only.instead is None  # rare labels only would be left


def test_labels_that_occur_nowhere_cannot_be_compared(
    rows: Rows, params: Params, tables: dict[str, pd.DataFrame]
) -> None:
    """Nor can learners that have none in common."""
    mine = {name: answers(rows, name, 1.0, seed=3, labels=("mine",)) for name in ("plain", "idea")}
    with pytest.raises(InputError, match="mine: which idea and plain both predict, hold on no chip"):
        weigh(rows, params, tables | mine)
    apart = {"plain": answers(rows, "plain", 1.0, seed=3, labels=("tree",)), "idea": mine["idea"]}
    with pytest.raises(InputError, match="idea and plain predict no label in common"):
        weigh(rows, params, tables | apart)


def test_the_blend_answers_the_chips_in_the_folds(rows: Rows, params: Params, tables: dict[str, pd.DataFrame]) -> None:
    """A study asks for it by itself."""
    known = {name: tables[name] for name in ("plain", "other")}
    p = blended(known, rows, params, lambda *_: None)
    assert p.shape == (240, 4)
    judged = judge(
        rows.y[rows.inside],
        {"it": p},
        targets=VOCABULARY.targets("all"),
        rare=("kiln",),
        draws=singly(p, resamples=10, seed=0),
    )["it"]
    assert judged.figures[F2] > 0.5
