"""The decision rules keep the vocabulary's rules, learn only from other folds, and each has its own answers."""

import numpy as np
import pytest
from decisions import AMAZON, FREE, VOCABULARIES, WEATHER, draw
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from igarape.ensemble.decision import RULES, Rule, cross_fit_rule, fit_rule
from igarape.errors import InputError
from igarape.labels import Booleans, Vocabulary
from igarape.scores.metrics import Floats, sample_f2, sample_fbeta
from igarape.scores.rules import apply_thresholds
from igarape.tables import Folds


def rule_of(name: str, vocabulary: Vocabulary) -> Rule:
    """Give a rule of each kind, with a threshold of 0.2 where it has one."""
    return Rule(
        name,
        vocabulary,
        2.0,
        threshold=0.2 if name in {"fixed", "threshold"} else None,
        thresholds=dict.fromkeys(vocabulary.common + vocabulary.rare, 0.2) if name == "per_label" else {},
    )


def folds_of(y: Booleans) -> Folds:
    """Deal rows into three folds."""
    return np.arange(len(y)) % 3


def test_cuts_are_where_a_free_label_begins_to_be_answered() -> None:
    """Of the rules that have thresholds; a label of the exclusive group has none."""
    which = VOCABULARIES[0]
    free = [label for label in which.labels if label not in which.exclusive]
    assert Rule("fixed", which, 2.0, threshold=0.2).cuts == dict.fromkeys(free, 0.2)
    thresholds = {label: 0.1 + 0.1 * place for place, label in enumerate(free)}
    rule = Rule("per_label", which, 2.0, thresholds=thresholds)
    assert rule.cuts == thresholds and Rule("expected", which, 2.0).cuts == {}
    for label, cut in rule.cuts.items():
        p = np.zeros((2, len(which.labels)))
        p[:, 0] = 1
        p[:, which.labels.index(label)] = cut, cut - 1e-9
        assert rule.apply(p)[:, which.labels.index(label)].tolist() == [True, False]


@settings(max_examples=60, deadline=None)
@given(
    p=arrays(np.float64, (3, 6), elements=st.sampled_from([0.0, 1e-9, 0.1, 0.2, 0.5, 0.9, 1.0])),
    name=st.sampled_from(RULES),
    which=st.sampled_from(VOCABULARIES),
)
def test_every_answer_is_allowed(p: Floats, name: str, which: Vocabulary) -> None:
    """Whatever the probabilities, zeros and ones included: one label of the group, or at least one label at all."""
    p = p[:, : len(which.labels)]
    rule = rule_of(name, which)
    assert [which.contradiction(answer) for answer in rule.apply(p)] == [None] * len(p)


def test_a_faint_label_is_answered_rather_than_nothing() -> None:
    """Below every threshold, the most probable label is answered."""
    p = np.array([[0.01, 0.03, 0.02, 0.0, 0.0]])
    for name in RULES:
        rule = rule_of(name, FREE)
        assert FREE.decode(rule.apply(p)[0]).split()[0] in "abc"
        assert rule.apply(p)[0, 1]


def test_known_answers() -> None:
    """One isolated label is answered beside a sure one from 0.2 on or so; night rules out what else looks probable."""
    p = np.array([[0.9, 0.1, 0.0, 0.9, 0.19, 0.21], [0.1, 0.0, 0.9, 0.8, 0.5, 0.5]], dtype=np.float32)
    assert [WEATHER.decode(row) for row in apply_thresholds(p, WEATHER.targets("all"), threshold=0.2)] == [
        "sun a c",
        "night",
    ]
    assert WEATHER.decode(rule_of("expected", WEATHER).apply(p)[1]) == "night"


def test_expected_beats_the_thresholds_when_probabilities_are_right() -> None:
    """On labels drawn from the very probabilities, the sets with the greatest expected F2 score best."""
    rng = np.random.default_rng(4)
    p = rng.beta(0.5, 1.5, size=(4000, 5))
    y = rng.random(p.shape) < p
    y, p = y[y.any(axis=1)], p[y.any(axis=1)]
    scores = {
        name: sample_f2(y, fit_rule(name, y, p, folds_of(y), vocabulary=FREE, beta=2.0).apply(p)) for name in RULES
    }
    assert scores["expected"] > scores["threshold"] >= scores["fixed"]


def test_the_fitted_threshold_follows_miscalibration() -> None:
    """Probabilities that are twice too small get half the threshold; the fixed rule stays at 0.2."""
    rng = np.random.default_rng(5)
    true = rng.beta(0.5, 1.5, size=(4000, 5))
    y = rng.random(true.shape) < true
    straight, halved = (
        fit_rule("threshold", y, p, folds_of(y), vocabulary=FREE, beta=2.0).threshold for p in (true, true / 2)
    )
    assert straight is not None
    assert halved is not None
    assert halved == pytest.approx(straight / 2, abs=0.02)
    assert fit_rule("fixed", y, true / 2, folds_of(y), vocabulary=FREE, beta=2.0).threshold == pytest.approx(0.2)


def test_of_equal_thresholds_the_one_nearest_to_the_theory_is_taken() -> None:
    """Where sure probabilities leave a plateau, the threshold does not sit on its edge."""
    y = np.array([[True, False, True, False, False]] * 4)
    assert fit_rule(
        "threshold", y, y.astype(np.float64), folds_of(y), vocabulary=FREE, beta=2.0
    ).threshold == pytest.approx(0.2)


@pytest.mark.parametrize("name", ["threshold", "per_label"])
def test_what_is_at_the_threshold_is_answered_as_while_it_was_fitted(name: str) -> None:
    """In p's own precision: 0.7 in float32 lies below 0.7 in float64."""
    y = np.random.default_rng(8).random((300, len(FREE.labels))) < 0.4
    p = np.where(y, 0.7, 0.695).astype(np.float32)
    y[np.arange(300), p.argmax(axis=1)] = True  # so that no chip is without a label
    rule = fit_rule(name, y, p, folds_of(y), vocabulary=FREE, beta=2.0)
    assert sample_f2(y, rule.apply(p)) > 0.999


@pytest.mark.parametrize("name", RULES)
def test_each_row_is_answered_by_a_rule_fitted_on_other_folds(name: str) -> None:
    """Turning over the truth of a fold changes no answer of that fold, and that of the hold-out none at all."""
    y, p = draw(600, WEATHER, seed=6)
    folds = np.arange(600) % 4 - 1
    answers = cross_fit_rule(name, y, p, folds, vocabulary=WEATHER, beta=1.5)
    for fold in (-1, 0, 1, 2):
        turned = np.where((folds == fold)[:, None], ~y, y)
        again = cross_fit_rule(name, turned, p, folds, vocabulary=WEATHER, beta=1.5)
        rows = slice(None) if fold == -1 else folds == fold
        assert (again[rows] == answers[rows]).all()
    known = folds >= 0
    by_hand = fit_rule(name, y[known], p[known], folds[known], vocabulary=WEATHER, beta=1.5).apply(p[~known])
    assert (answers[~known] == by_hand).all()


@pytest.mark.parametrize("beta", [0.5, 1.0, 4.0])
def test_each_rule_is_made_for_its_beta(beta: float) -> None:
    """What is fitted is not beaten under F-beta by the same rule made for F2; the fixed one fits nothing."""
    rng = np.random.default_rng(12)
    p = rng.beta(0.5, 1.5, size=(4000, 5))
    y = rng.random(p.shape) < p
    y, p = y[y.any(axis=1)], p[y.any(axis=1)]
    for name in set(RULES) - {"fixed"}:
        ours, other = (
            sample_fbeta(y, fit_rule(name, y, p, folds_of(y), vocabulary=FREE, beta=made).apply(p), beta=beta)
            for made in (beta, 2.0)
        )
        assert ours > other, name
    assert fit_rule("fixed", y, p, folds_of(y), vocabulary=FREE, beta=beta).threshold == 1 / (1 + beta**2)


def test_a_lone_fold_has_nothing_to_learn_from() -> None:
    """With one fold there are no other rows: an error, not a rule fitted on its own rows."""
    y, p = draw(20, WEATHER, seed=7)
    with pytest.raises(InputError, match="at least 2 folds"):
        cross_fit_rule("fixed", y, p, np.zeros(20, dtype=np.int64), vocabulary=WEATHER, beta=2.0)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_survives_json(name: str) -> None:
    """Written and read, a rule answers the same."""
    y, p = draw(300, AMAZON, seed=8)
    rule = fit_rule(name, y, p, folds_of(y), vocabulary=AMAZON, beta=2.0)
    assert Rule.from_json(rule.to_json(), AMAZON) == rule


def test_bad_input_is_refused() -> None:
    """An unknown rule, columns of another vocabulary and probabilities that are none each say what is wrong."""
    y, p = draw(5, FREE, seed=9)
    with pytest.raises(InputError, match="did you mean expected"):
        fit_rule("expected_f2", y, p, folds_of(y), vocabulary=FREE, beta=2.0)
    with pytest.raises(InputError, match=r"expected probabilities of shape \(chips, 6\), found \(5, 5\)"):
        Rule("fixed", WEATHER, 2.0, threshold=0.2).apply(p)
    for bad in (np.nan, 1.5, -0.1):
        with pytest.raises(InputError, match=r"in 0\.\.1"):
            Rule("expected", FREE, 2.0).apply(np.full((1, 5), bad))
