"""filter_step: one new date of a large site, 24,000 tiles and 13 labels, taken in by the filter; beside RADD's rule.

`python bench filter_step` prints processor seconds. The peer is RADD's rule on the same scores, which keeps one number.
"""

import time
from collections.abc import Callable
from datetime import date

import numpy as np

from igarape.sites.alerts import Rules
from igarape.sites.change import Rates
from igarape.sites.evidence import Doubt, Emission, Floats, separation
from igarape.sites.looks import Day
from igarape.sites.site_draft import ALERTS, EVIDENCE
from igarape.sites.state import Engine, State

TILES, LABELS, SEED = 24_000, 13, 7
FIRST = date(2024, 1, 1).toordinal()


def run() -> dict[str, object]:
    """Return the processor seconds of a date, by our filter and by RADD's rule."""
    engine, state = _engine(), None
    days = [_day(number, number * 200) for number in range(3)]
    state = State.begin(TILES, engine)
    for day in days[:2]:
        state.look(day, engine)
    ours = _seconds(lambda: state.look(days[2], engine))
    peer = _seconds(lambda: _radd(np.full((TILES, LABELS), 0.5), days[2].p))
    return {"ours": ours, "peer": peer, "ratio": ours / peer, "unit": "processor seconds a date", "n": TILES * LABELS}


def _engine() -> Engine:
    """Return the settings of a site of so many labels."""
    each = np.full(LABELS, 0.05)
    doubt = Doubt(EVIDENCE.bound, EVIDENCE.shared, EVIDENCE.haze, EVIDENCE.seen)
    emission = Emission(np.full(LABELS, 0.1), separation(np.full(LABELS, 0.98)))
    return Engine(
        emission,
        Rates(emission.prevalence, each, each, EVIDENCE.other),
        doubt,
        Rules(**ALERTS.model_dump()),
        FIRST,
        FIRST + 365,
        alone=True,
    )


def _day(seed: int, after: int) -> Day:
    """Return looks at all tiles."""
    rng = np.random.default_rng([SEED, seed])
    cloud = rng.uniform(0, 0.5, TILES)
    p = rng.beta(0.3, 1.2, (TILES, LABELS))
    return Day(
        FIRST + after,
        np.arange(TILES),
        p,
        cloud,
        0.2 * (1 - cloud),
        np.ones(TILES, np.bool_),
        np.zeros(TILES, np.int64),
        cloudy=0,
    )


def _radd(before: Floats, p: Floats) -> Floats:
    """Return the posterior of RADD's rule after a look."""
    clipped = np.clip(p, 0.1, 0.9)
    return np.asarray(before * clipped / (before * clipped + (1 - before) * (1 - clipped)), np.float64)


def _seconds(what: Callable[[], object]) -> float:
    """Return the processor seconds of a call."""
    start = time.process_time()
    what()
    return time.process_time() - start
