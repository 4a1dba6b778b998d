"""bootstrap: 10,000 paired resamples of 8,000 chips, against scipy.stats.bootstrap with the same kind of interval."""

import time

import numpy as np
from scipy.stats import bootstrap

from igarape.scores.comparison import paired_bootstrap
from igarape.scores.draws import Draws

CHIPS, RESAMPLES, SEED = 8_000, 10_000, 5


def run() -> dict[str, object]:
    """Return the seconds of both, and the intervals that they found."""
    rng = np.random.default_rng(SEED)
    a, b = rng.beta(9, 1, CHIPS), rng.beta(9, 1.1, CHIPS)
    start = time.perf_counter()
    _, *ours_interval = paired_bootstrap(a, b, Draws(np.arange(CHIPS), resamples=RESAMPLES, seed=SEED))
    ours = time.perf_counter() - start
    start = time.perf_counter()
    # A batch at a time: all resamples at once would take 640 MB.
    found = bootstrap((a - b,), np.mean, n_resamples=RESAMPLES, method="percentile", batch=100, rng=SEED)
    peer = time.perf_counter() - start
    row = {"ours": ours, "peer": peer, "ratio": peer / ours, "unit": "s", "n": CHIPS}
    return row | {"intervals": {"ours": ours_interval, "peer": list(map(float, found.confidence_interval))}}


if __name__ == "__main__":
    print(run())
