"""decide: the label sets with the greatest expected F2 of Planet's 61,191 test chips, against a loop over the chips.

Processor time, so that a second core would count. The loop takes a sample of the chips; its time is scaled to all.
"""

import time
from collections.abc import Callable

import numpy as np

from igarape.ensemble.best_sets import best_sets
from igarape.labels import Booleans, Vocabulary
from igarape.scores.metrics import Floats, Reals

CHIPS, SAMPLE, ROUNDS = 61_191, 300, 3
BETA = 2.0
PLANET = Vocabulary(
    exclusive=("clear", "partly_cloudy", "cloudy", "haze"),
    alone=("cloudy",),
    common=tuple(f"common_{number}" for number in range(7)),
    rare=tuple(f"rare_{number}" for number in range(6)),
)


def run() -> dict[str, object]:
    """Return the seconds of both, the best of a few rounds, the chips, and how many of these the loop took."""
    p = chances(CHIPS)
    sample = p[:: CHIPS // SAMPLE][:SAMPLE]
    ours, answers = best_of(lambda: best_sets(p, PLANET, beta=BETA))
    looped, expected = best_of(lambda: np.array([best_set(one, BETA) for one in sample.astype(np.float64)]))
    if not (answers[:: CHIPS // SAMPLE][:SAMPLE] == expected).all():
        raise SystemExit("decide: the loop answers otherwise")
    peer = looped * CHIPS / SAMPLE
    return {"ours": ours, "peer": peer, "ratio": peer / ours, "unit": "s", "n": CHIPS, "sample": SAMPLE}


def chances(count: int) -> Reals:
    """Draw probabilities as a stack's: most are near 0, and the group's sum to 1."""
    rng = np.random.default_rng(0)
    weather = rng.dirichlet((1.4, 0.4, 0.1, 0.15), size=count)
    return np.concatenate([weather, rng.beta(0.3, 1.2, size=(count, 13))], axis=1).astype(np.float32)


def best_of(work: Callable[[], Booleans]) -> tuple[float, Booleans]:
    """Return the least processor time of a few rounds, and what the work answered."""
    seconds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        answers = work()
        seconds.append(time.process_time() - start)
    return min(seconds), answers


def best_set(p: Floats, beta: float) -> Booleans:
    """Answer for one chip (labels,), as one writes it down: for each k, every number of hits and of misses."""
    grouped, weight = len(PLANET.exclusive), beta**2
    cloudy = PLANET.exclusive.index("cloudy")
    weather = p[:grouped] / p[:grouped].sum()
    together = 1 - weather[cloudy]
    q = np.minimum(1, p[grouped:] / together)
    order = np.argsort(-q, kind="stable")
    top = max((one for one in range(grouped) if one != cloudy), key=lambda one: weather[one])
    gains = []
    for k in range(len(q) + 1):
        found, missed = holding(q[order[:k]]), holding(q[order[k:]])
        gain = 0.0
        for hits, chance in enumerate(found):
            for rest, other in enumerate(missed):
                size = weight * (1 + hits + rest) + 1 + k
                gain += chance * other * (weather[top] + together * hits) * (1 + weight) / size
        gains.append(gain)
    answer = np.zeros(len(p), dtype=np.bool_)
    if weather[cloudy] > max(gains):
        answer[cloudy] = True
    else:
        answer[top] = True
        answer[grouped + order[: int(np.argmax(gains))]] = True
    return answer


def holding(q: Floats) -> list[float]:
    """Return how probably 0, 1, ... of independent labels hold."""
    counts = [1.0]
    for one in q.tolist():
        lower, upper = [*counts, 0.0], [0.0, *counts]
        counts = [less * (1 - one) + more * one for less, more in zip(lower, upper, strict=True)]
    return counts


if __name__ == "__main__":
    print(run())
