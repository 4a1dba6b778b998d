"""The set of labels that is answered is the best of all, for any beta; and it is found quickly."""

from itertools import product
from time import perf_counter

import numpy as np
import pytest
from decisions import AMAZON, VOCABULARIES, WEATHER, draw
from hypothesis import given, settings
from hypothesis import strategies as st

from igarape.ensemble.best_sets import CHUNK, best_sets
from igarape.labels import Booleans, Vocabulary
from igarape.scores.metrics import Floats

CHANCES = st.one_of(st.sampled_from([0.0, 1e-9, 0.1, 0.2, 0.5, 0.9, 1.0]), st.floats(0, 1))


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


def expectations(p: Floats, vocabulary: Vocabulary, candidates: Booleans, beta: float = 2.0) -> Floats:
    """Compute each candidate's expected F-beta by summing over all worlds."""
    sets, chances = worlds(p, vocabulary)
    assert chances.sum() == pytest.approx(1)
    hits = (candidates[:, None] & sets[None]).sum(axis=2)
    size = beta**2 * sets.sum(axis=1)[None] + candidates.sum(axis=1)[:, None]
    result: Floats = ((1 + beta**2) * hits / np.where(hits > 0, size, 1)) @ chances
    return result


def allowed(vocabulary: Vocabulary) -> Booleans:
    """Enumerate the label sets that may be answered."""
    sets = every_set(len(vocabulary.labels))
    return np.array([held for held in sets if vocabulary.contradiction(held) is None])


@st.composite
def cases(draw: st.DrawFn) -> tuple[Vocabulary, Floats]:
    """Make a vocabulary of up to ten labels, with or without a group and labels that stand alone, and a chip."""
    grouped, free = draw(st.integers(0, 4)), draw(st.integers(0, 6))
    if grouped + free == 0:
        free = 1
    names = tuple(f"g{number}" for number in range(grouped))
    alone = names[: draw(st.integers(0, grouped))]
    vocabulary = Vocabulary(names, alone, tuple(f"f{number}" for number in range(free)), ())
    size = grouped + free
    return vocabulary, np.array(draw(st.lists(CHANCES, min_size=size, max_size=size)))


@settings(max_examples=150, deadline=None)
@given(case=cases(), beta=st.one_of(st.sampled_from([0.5, 1.0, 2.0, 4.0]), st.floats(0.5, 4)))
def test_no_allowed_set_is_better(case: tuple[Vocabulary, Floats], beta: float) -> None:
    """By the sum over all that can be true, for any vocabulary, any probabilities and any beta."""
    vocabulary, p = case
    answer = best_sets(p[None], vocabulary, beta=beta)
    assert vocabulary.contradiction(answer[0]) is None
    best = expectations(p, vocabulary, allowed(vocabulary), beta).max()
    assert expectations(p, vocabulary, answer, beta)[0] == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("vocabulary", VOCABULARIES, ids=lambda v: "-".join(v.labels))
def test_the_best_of_all_sets_is_found_among_many_chips(vocabulary: Vocabulary, beta: float) -> None:
    """A chip's answer is its own, whichever stand beside it."""
    size, candidates = len(vocabulary.labels), allowed(vocabulary)
    rng = np.random.default_rng(1)
    p = np.concatenate([rng.random((10, size)), rng.beta(0.2, 0.5, (10, size)), rng.beta(0.5, 5, (10, size))])
    for row, answer in zip(p, best_sets(p, vocabulary, beta=beta), strict=True):
        best = expectations(row, vocabulary, candidates, beta).max()
        assert expectations(row, vocabulary, answer[None], beta)[0] == pytest.approx(best, abs=1e-9)


def test_recall_asks_for_more_labels() -> None:
    """The greater beta is, the more is answered."""
    _, p = draw(500, WEATHER, seed=3)
    counts = [best_sets(p, WEATHER, beta=beta).sum() for beta in (0.5, 1.0, 2.0, 4.0)]
    assert counts == sorted(set(counts))


def test_a_chunk_border_changes_nothing() -> None:
    """A chip gets the same answer alone and among many."""
    _, p = draw(CHUNK + 3, WEATHER, seed=3)
    together = best_sets(p, WEATHER, beta=2.0)
    for row in (0, CHUNK - 1, CHUNK, CHUNK + 2):
        assert (best_sets(p[row : row + 1], WEATHER, beta=2.0)[0] == together[row]).all()


def test_large_sets_take_seconds() -> None:
    """A fifth of Planet's chips with its 17 labels takes 0.03 s on one core; the bound is for a busy machine."""
    _, p = draw(8000, AMAZON, seed=10)
    start = perf_counter()
    answers = best_sets(p, AMAZON, beta=2.0)
    assert perf_counter() - start < 1
    assert {AMAZON.contradiction(answer) for answer in np.unique(answers, axis=0)} == {None}
