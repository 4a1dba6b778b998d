"""Vocabularies, and chips that keep their rules, for tests of what decides."""

import numpy as np

from igarape.labels import Booleans, Vocabulary
from igarape.scores.metrics import Floats

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
