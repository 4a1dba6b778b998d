"""Courses of looks, for tests."""

from typing import Any

import numpy as np

from igarape.sites.change import Integers, Rates
from igarape.sites.evidence import Doubt, Emission, Floats, evidence
from igarape.sites.timing import Course

DOUBT = Doubt(bound=4.0, shared=0.25, haze=0.5, seen=0.8)
EMISSION = Emission(np.array([0.1]), np.array([3.0]))
RATES = Rates(np.array([0.2]), np.array([0.3]), np.array([0.7]), 0.6)
BASELINE = 300


def course(days: Integers, p: Floats, cloud: Floats | None = None, **changes: Any) -> Course:
    """Give a course of looks with these answers, all of them under a clear sky unless cloud says otherwise."""
    cloud = np.zeros(len(days)) if cloud is None else cloud
    log, ratio = evidence(p[:, None], cloud, np.zeros(len(days)), emission=EMISSION, doubt=DOUBT, alone=False)
    facts: dict[str, Any] = {"rates": RATES, "baseline": BASELINE}
    return Course(days=days, log=log[..., 0], ratio=ratio[:, 0], **(facts | changes))


def random_course(seed: int, looks: int = 12) -> Course:
    """Give a course of random looks over three years."""
    rng = np.random.default_rng(seed)
    days = np.sort(rng.choice(1000, looks, replace=False))
    return course(days, rng.beta(0.4, 0.6, looks), rng.uniform(0, 0.5, looks))
