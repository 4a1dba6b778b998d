"""The decision rules keep the vocabulary's rules, learn only from other folds, and the expected-F2 set is the best."""

from itertools import product
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from igarape.ensemble.decision import CHUNK, RULES, Rule, cross_fit_rules, expected_f2, fit_rule
from igarape.errors import InputError
from igarape.labels import Booleans, Vocabulary
from igarape.scores.metrics import Floats, sample_f2
from igarape.scores.rules import above

WEATHER = Vocabulary(exclusive=("sun", "fog", "night"), alone=("night",), common=("a", "b"), rare=("c",))
FREE = Vocabulary(exclusive=(), alone=(), common=("a", "b", "c"), rare=("d", "e"))
TOGETHER = Vocabulary(exclusive=("sun", "fog"), alone=(), common=("a", "b"), rare=("c", "d"))
TWO_ALONE = Vocabulary(exclusive=("sun", "night", "storm"), alone=("night", "storm"), common=("a", "b"), rare=())
ONLY_ALONE = Vocabulary(exclusive=("night", "storm"), alone=("night", "storm"), common=("a",), rare=())
ONLY_GROUP = Vocabulary(exclusive=("sun", "fog"), alone=(), common=(), rare=())
VOCABULARIES = [WEATHER, FREE, TOGETHER, TWO_ALONE, ONLY_ALONE, ONLY_GROUP]
AMAZON = Vocabulary(
    exclusive=("w0", "w1", "w2", "w3"), alone=("w2",), common=tuple(f"c{i}" for i in range(7)), rare=tuple("rstuvx")
)


def every_set(size: int) -> Booleans:
    """Enumerate all label sets."""
    return np.array(list(product((False, True), repeat=size)), dtype=np.bool_)


def worlds(p: Floats, vocabulary: Vocabulary) -> tuple[Booleans, Floats]:
    """Enumerate the label sets that can be true with their probabilities, label by label and without any formula."""
    labels = vocabulary.labels
    group = np.array([p[labels.index(label)] for label in vocabulary.exclusive])
    group = group / group.sum() if group.sum() > 0 else np.full(len(group), 1 / max(1, len(group)))
    weather = dict(zip(vocabulary.exclusive, group, strict=True))
    together = 1 - sum(weather[label] for label in vocabulary.alone)
    sets, chances = [], []
    for held in every_set(len(labels)):
        tags = {label for label, flag in zip(labels, held, strict=True) if flag}
        if vocabulary.contradiction(held) not in (None, "has no tag") or (vocabulary.exclusive and not tags):
            continue
        chance = float(np.prod([weather[label] for label in tags & set(weather)]))
        if not tags & set(vocabulary.alone):
            for label in set(labels) - set(weather):
                q = min(1.0, p[labels.index(label)] / together) if together > 1e-12 else p[labels.index(label)]
                chance *= q if label in tags else 1 - q
        sets.append(held)
        chances.append(chance)
    return np.array(sets), np.array(chances)


def expectations(p: Floats, vocabulary: Vocabulary, candidates: Booleans) -> Floats:
    """Compute each candidate's expected F2 by summing over all worlds."""
    sets, chances = worlds(p, vocabulary)
    assert chances.sum() == pytest.approx(1)
    hits = (candidates[:, None] & sets[None]).sum(axis=2)
    size = 4 * sets.sum(axis=1)[None] + candidates.sum(axis=1)[:, None]
    result: Floats = (5 * hits / np.maximum(size, 1)) @ chances
    return result


def draw(n: int, vocabulary: Vocabulary, seed: int) -> tuple[Booleans, Floats]:
    """Draw chips that keep the vocabulary's rules, and probabilities that know something of them."""
    rng = np.random.default_rng(seed)
    p = rng.beta(0.4, 0.8, size=(n, len(vocabulary.labels)))
    y = rng.random(p.shape) < p
    for row, flags in enumerate(y):
        if vocabulary.exclusive:
            flags[: len(vocabulary.exclusive)] = False
            flags[p[row, : len(vocabulary.exclusive)].argmax()] = True
        if any(flags[vocabulary.labels.index(label)] for label in vocabulary.alone):
            flags[len(vocabulary.exclusive) :] = False
    return y, p


@pytest.mark.parametrize("vocabulary", VOCABULARIES, ids=lambda v: "-".join(v.labels))
def test_expected_f2_finds_the_best_of_all_sets(vocabulary: Vocabulary) -> None:
    """No set of labels that the vocabulary allows has a greater expected F2 than the answer."""
    size = len(vocabulary.labels)
    allowed = np.array([held for held in every_set(size) if vocabulary.contradiction(held) is None])
    rng = np.random.default_rng(1)
    p = np.concatenate([rng.random((40, size)), rng.beta(0.2, 0.5, (40, size)), rng.beta(0.5, 5, (20, size))])
    answers = expected_f2(p, vocabulary)
    for row, answer in zip(p, answers, strict=True):
        best = expectations(row, vocabulary, allowed).max()
        assert expectations(row, vocabulary, answer[None])[0] == pytest.approx(best, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    p=arrays(np.float64, (3, 6), elements=st.sampled_from([0.0, 1e-9, 0.1, 0.2, 0.5, 0.9, 1.0])),
    name=st.sampled_from(RULES),
    which=st.sampled_from(VOCABULARIES),
)
def test_every_answer_is_allowed(p: Floats, name: str, which: Vocabulary) -> None:
    """Whatever the probabilities, zeros and ones included: one label of the group, or at least one label at all."""
    p = p[:, : len(which.labels)]
    rule = Rule(name, None if name == "expected_f2" else 0.2, which)
    assert [which.contradiction(answer) for answer in rule.apply(p)] == [None] * len(p)


def test_a_faint_label_is_answered_rather_than_nothing() -> None:
    """Below every threshold, the most probable label is answered."""
    p = np.array([[0.01, 0.03, 0.02, 0.0, 0.0]])
    for name in RULES:
        rule = Rule(name, None if name == "expected_f2" else 0.2, FREE)
        assert FREE.decode(rule.apply(p)[0]).split()[0] in "abc"
        assert rule.apply(p)[0, 1]


def test_known_answers() -> None:
    """One isolated label is answered beside a sure one from 0.2 on or so; night rules out what else looks probable."""
    p = np.array([[0.9, 0.1, 0.0, 0.9, 0.19, 0.21], [0.1, 0.0, 0.9, 0.8, 0.5, 0.5]], dtype=np.float32)
    assert [WEATHER.decode(row) for row in above(p, WEATHER.targets("all"), threshold=0.2)] == ["sun a c", "night"]
    assert WEATHER.decode(expected_f2(p, WEATHER)[1]) == "night"


def test_a_chunk_border_changes_nothing() -> None:
    """A chip gets the same answer alone and among many."""
    _, p = draw(CHUNK + 3, WEATHER, seed=3)
    together = expected_f2(p, WEATHER)
    for row in (0, CHUNK - 1, CHUNK, CHUNK + 2):
        assert (expected_f2(p[row : row + 1], WEATHER)[0] == together[row]).all()


def test_expected_f2_beats_the_thresholds_when_probabilities_are_right() -> None:
    """On labels drawn from the very probabilities, the expected-F2 sets score best."""
    rng = np.random.default_rng(4)
    p = rng.beta(0.5, 1.5, size=(4000, 5))
    y = rng.random(p.shape) < p
    y, p = y[y.any(axis=1)], p[y.any(axis=1)]
    scores = {name: sample_f2(y, fit_rule(name, y, p, vocabulary=FREE).apply(p)) for name in RULES}
    assert scores["expected_f2"] > scores["threshold"] >= scores["fixed"]


def test_the_fitted_threshold_follows_miscalibration() -> None:
    """Probabilities that are twice too small get half the threshold; the fixed rule stays at 0.2."""
    rng = np.random.default_rng(5)
    true = rng.beta(0.5, 1.5, size=(4000, 5))
    y = rng.random(true.shape) < true
    straight, halved = (fit_rule("threshold", y, p, vocabulary=FREE).threshold for p in (true, true / 2))
    assert straight is not None
    assert halved is not None
    assert halved == pytest.approx(straight / 2, abs=0.02)
    assert fit_rule("fixed", y, true / 2, vocabulary=FREE).threshold == pytest.approx(0.2)


def test_of_equal_thresholds_the_one_nearest_to_the_theory_is_taken() -> None:
    """Where sure probabilities leave a plateau, the threshold does not sit on its edge."""
    y = np.array([[True, False, True, False, False]] * 4)
    assert fit_rule("threshold", y, y.astype(np.float64), vocabulary=FREE).threshold == pytest.approx(0.2)


def test_each_row_is_answered_by_a_rule_fitted_on_other_folds() -> None:
    """Turning over the truth of a fold changes no answer of that fold, and that of the hold-out none at all."""
    y, p = draw(600, WEATHER, seed=6)
    folds = np.arange(600) % 4 - 1
    answers = cross_fit_rules(y, p, folds, vocabulary=WEATHER)
    for fold in (-1, 0, 1, 2):
        turned = np.where((folds == fold)[:, None], ~y, y)
        again = cross_fit_rules(turned, p, folds, vocabulary=WEATHER)
        rows = slice(None) if fold == -1 else folds == fold
        assert all((again[name][rows] == answers[name][rows]).all() for name in RULES)
    by_hand = fit_rule("threshold", y[folds >= 0], p[folds >= 0], vocabulary=WEATHER).apply(p[folds == -1])
    assert (answers["threshold"][folds == -1] == by_hand).all()


def test_a_lone_fold_has_nothing_to_learn_from() -> None:
    """With one fold there are no other rows: an error, not a rule fitted on its own rows."""
    y, p = draw(20, WEATHER, seed=7)
    with pytest.raises(InputError, match="at least 2 folds"):
        cross_fit_rules(y, p, np.zeros(20, dtype=np.int64), vocabulary=WEATHER)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_survives_json(name: str) -> None:
    """Written and read, a rule answers the same."""
    y, p = draw(300, AMAZON, seed=8)
    rule = fit_rule(name, y, p, vocabulary=AMAZON)
    assert Rule.from_json(rule.to_json(), AMAZON) == rule


def test_bad_input_is_refused() -> None:
    """An unknown rule, columns of another vocabulary and probabilities that are none each say what is wrong."""
    y, p = draw(5, FREE, seed=9)
    with pytest.raises(InputError, match="did you mean expected_f2"):
        fit_rule("expectedf2", y, p, vocabulary=FREE)
    with pytest.raises(InputError, match=r"expected probabilities of shape \(chips, 6\), found \(5, 5\)"):
        Rule("fixed", 0.2, WEATHER).apply(p)
    for bad in (np.nan, 1.5, -0.1):
        with pytest.raises(InputError, match=r"in 0\.\.1"):
            Rule("expected_f2", None, FREE).apply(np.full((1, 5), bad))


def test_large_sets_take_seconds() -> None:
    """A fifth of Planet's chips with its 17 labels takes 0.3 s on one core; the bound is for a busy machine."""
    _, p = draw(8000, AMAZON, seed=10)
    start = perf_counter()
    answers = expected_f2(p, AMAZON)
    assert perf_counter() - start < 3
    assert {AMAZON.contradiction(answer) for answer in np.unique(answers, axis=0)} == {None}
