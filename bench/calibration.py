"""calibration: whether the filter's probabilities and dates hold, on simulated places.

`python bench/calibration.py` prints the tables of docs/alerts.md: how many alerts are false and how many their list
expects, on places that change as often as the filter takes for granted, and on places that never change; how often a
probability is right, by its size; how often a change lies in its interval of dates. --seed N simulates other places,
--alike 1 such whose new grounds are like all others.
"""

import argparse
from itertools import pairwise
from typing import NamedTuple

import change
import numpy as np
from change import AUC, BASELINE, CLOUD, EVERY, OTHER, PLACES, RATES, SEED, YEARS, Looks, course, followed, scores
from scipy.stats import poisson

from igarape.sites.alerts import Event, Status
from igarape.sites.evidence import ALIKE, Floats
from igarape.sites.frequency import change_ratio, rescaled
from igarape.sites.site_draft import ALERTS
from igarape.sites.timing import change_days, change_interval, gap, shortest

EDGES = (0.0, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 1.0)
DATED = 1500  # changes whose intervals are looked at
COUNTS = 0.95  # of those of a Poisson distribution


def wandering(seed: int, *, auc: float = AUC, never: bool = False, alike: float = ALIKE) -> tuple[Looks, np.ndarray]:
    """Simulate places where a label comes and goes as often as the filter takes for granted, or never does.

    Returns the looks, and whether the label is there, (places, dates).
    """
    rng = np.random.default_rng(seed)
    days = np.arange(0, YEARS * 365, EVERY)
    there = np.empty((PLACES, len(days)), dtype=np.bool_)
    there[:, 0] = rng.random(PLACES) < RATES.begins[0]
    chances = RATES.moves(np.array([float(EVERY)]))[:, 1, 0, 0]
    for number in range(1, len(days)):
        now = there[:, number - 1]
        there[:, number] = now if never else rng.random(PLACES) < chances[now.astype(int)]
    ratio = scores(rng, there, auc=auc, other=OTHER, alike=alike)
    nothing = np.full(PLACES, change.NEVER)
    return Looks(days, nothing, ratio, rng.random(there.shape) >= CLOUD, auc), there


def run() -> dict[str, object]:
    """Return the share of changes in their intervals, beside what these say they hold."""
    looks, there = wandering(SEED)
    found = dated(looks, there)
    return {
        "ours": found.inside,
        "peer": found.said,
        "ratio": found.inside / found.said,
        "unit": "changes in their interval",
        "n": len(found.lengths),
    }


def is_false(event: Event, there: np.ndarray) -> bool:
    """Say whether on the day of an event the state is not what it says, or is as when the baseline ended."""
    before, now = there[event.tile, BASELINE // EVERY], there[event.tile, event.day // EVERY]
    return bool(before == now or now == bool(event.direction))


def counted(events: list[Event], status: Status, there: np.ndarray, factor: Floats) -> tuple[int, int, float]:
    """Return how many alerts reached a status, how many of these were false, and how many were expected to be.

    factor: of frequency.change_ratio.
    """
    some = [event for event in events if event.status == status]
    p = np.array([event.probability for event in some])
    right = rescaled(p, factor[[event.direction for event in some], 0])
    return len(some), sum(is_false(event, there) for event in some), float((1 - right).sum())


def reliability(looks: Looks, there: np.ndarray) -> list[str]:
    """Return a row for each bin of the probability, at the last date, that a label has appeared or vanished."""
    belief, _ = followed(looks)
    p = belief.changed(np.arange(PLACES))[..., 0]
    last = np.minimum(belief.seen, looks.days[-1]) // EVERY
    now, before = there[np.arange(PLACES), last], there[:, BASELINE // EVERY]
    true = np.stack([~before & now, before & ~now])
    rows = []
    for low, high in pairwise(EDGES):
        which = (p >= low) & ((p < high) | (high == 1))
        rows.append(f"| {low:g} to {high:g} | {which.sum()} | {p[which].mean():.4f} | {true[which].mean():.4f} |")
    return rows


class Dated(NamedTuple):
    """How many changes lie in their intervals, and how many these say they hold; the lengths of these in days.

    shortest, gaps: how many lie in the two parts of an interval, the shortest run of days that holds 0.9, and the gap
    between two looks.
    """

    inside: float
    said: float
    shortest: float
    gaps: float
    lengths: list[int]


def dated(looks: Looks, there: np.ndarray) -> Dated:
    """Compare dates with the truth, of places whose newest state is known and not the baseline's: their last change."""
    belief, _ = followed(looks)
    p = belief.changed(np.arange(PLACES))[..., 0].max(axis=0)
    changed = there[:, BASELINE // EVERY] != there[:, -1]
    inside, said, short, gaps, lengths = [], [], [], [], []
    for row in np.flatnonzero(changed & (p >= ALERTS.confirmed))[:DATED].tolist():
        appeared = bool(there[row, -1])
        first = int(np.flatnonzero(there[row] != there[row, -1])[-1]) + 1
        when = np.arange(looks.days[first - 1] + 1, looks.days[first] + 1)  # the change is on one of these days
        found = change_interval(course(looks, row), appeared=appeared)
        days, by = change_days(course(looks, row), appeared=appeared)
        low, high = (days[place] for place in shortest(by))
        inside.append(np.mean((found.first <= when) & (when <= found.last)))
        short.append(np.mean((low <= when) & (when <= high)))
        before, after = gap(course(looks, row), found.day, appeared=appeared)
        gaps.append(np.mean((when > (before or 0)) & (when <= (after or when[-1]))))
        said.append(found.held)
        lengths.append(found.last - found.first)
    return Dated(float(np.mean(inside)), float(np.mean(said)), float(np.mean(short)), float(np.mean(gaps)), lengths)


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(
        description="Whether probabilities and dates of changes hold, on simulated places."
    )
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--alike", type=float, default=ALIKE, help="1: what is new is no more alike than the rest.")
    asked = parser.parse_args()
    seed, alike = asked.seed, asked.alike
    print("| places | AUC | alerts | told | false | expected | 95 % of counts |\n|---|---|---|---|---|---|---|")
    for name, never in (("change as often as assumed", False), ("never change", True)):
        for auc in (AUC, 0.93):
            looks, there = wandering(seed, auc=auc, never=never, alike=alike)
            belief, events = followed(looks)
            factor = change_ratio(belief, rates=RATES, baseline=BASELINE)
            for status in (Status.CANDIDATE, Status.CONFIRMED):
                told, false, expected = counted(events, status, there, factor)
                low, high = poisson.interval(COUNTS, expected)
                kind = status.name.lower()
                print(f"| {name} | {auc} | {kind} | {told} | {false} | {expected:.1f} | {low:.0f} to {high:.0f} |")
    print("\n| probability of a change | places | mean | true |\n|---|---|---|---|")
    looks, there = wandering(seed, alike=alike)
    print("\n".join(reliability(looks, there)))
    print("\n| AUC | changes | in their interval | expected | in the shortest of 0.9 | in the gap | days |")
    print("|---|---|---|---|---|---|---|")
    for auc in (AUC, 0.93):
        found = dated(*wandering(seed, auc=auc, alike=alike))
        shares = " | ".join(f"{share:.3f}" for share in found[:4])
        print(f"| {auc} | {len(found.lengths)} | {shares} | {np.median(found.lengths):.0f} |")


if __name__ == "__main__":
    main()
