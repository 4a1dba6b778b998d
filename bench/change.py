"""change: rules that turn looks into alerts, beside ours, on simulated places: errors in 1000 tile-label-years.

`python bench/change.py` prints the tables of docs/alerts.md: each rule on the same looks, with and without a drifting
sensor; labels of other AUCs. --seed N simulates other places, --alike 1 such whose new grounds are like all others.
Whether probabilities hold, bench/calibration.py tells. A label that appears is looked for, in three years with a look
every 10 days, 60 % of them cloud; the first year is baseline. A change within 60 days of it may have been there before,
and is not simulated. The ground changes in other ways too, and with each change its own effect on all its scores. The
scores are of the family that the filter assumes, which flatters it.
"""

import argparse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from igarape.labels import Booleans
from igarape.sites.alerts import Alerts, Event, Rules, Status
from igarape.sites.change import Belief, Integers, Rates
from igarape.sites.evidence import ALIKE, Doubt, Emission, Floats, evidence, separation
from igarape.sites.site_draft import ALERTS, EVIDENCE
from igarape.sites.timing import Course

PLACES, SEED = 20_000, 7
YEARS, EVERY, CLOUD, BASELINE, LATER = 3, 10, 0.6, 365, 60
CHANGES = 0.15  # a year, of the places that have not changed, from LATER days after the baseline on
AUC, PREVALENCE = 0.983, 0.1
SHARED, OTHER = 0.25, 0.5  # of the variance of scores: a ground's own; how often a year it changes otherwise
DRIFT, DRIFTS = 1.0, 730  # logits that a sensor is off by, from this day on
RATES = Rates(np.array([PREVALENCE]), np.array([0.05]), np.array([0.05]), OTHER)
RULES_OF_ALERTS = Rules(**ALERTS.model_dump())  # those of a site's draft
NEVER = 10**6

# Days and places of alerts, in order.
Alarms = list[tuple[int, int]]
# Of a date: the places that are seen, its day, how likely they have changed, and whether they say yes.
Step = tuple[Integers, int, Floats, Booleans]


@dataclass(frozen=True)
class Looks:
    """Simulated looks. days: (dates,). when: the day of each place's change, (places,); NEVER: none.

    ratio: logarithms of the likelihood ratios, (places, dates). clear: whether ground was seen, (places, dates).
    """

    days: Integers
    when: Integers
    ratio: Floats
    clear: Booleans
    auc: float


def simulate(
    seed: int,
    *,
    auc: float = AUC,
    drift: float = 0.0,
    changes: float = CHANGES,
    later: int = LATER,
    other: float = OTHER,
    alike: float = ALIKE,
) -> Looks:
    """Simulate looks at places, each of which changes at most once; other: other changes of ground a year."""
    rng = np.random.default_rng(seed)
    days = np.arange(0, YEARS * 365, EVERY)
    waits = rng.exponential(365 / changes, PLACES) if changes else np.full(PLACES, np.inf)
    when = BASELINE + later + np.minimum(waits, NEVER).astype(np.int64)
    there = days >= when[:, None]
    ratio = scores(rng, there, auc=auc, other=other, alike=alike) + drift * (days >= DRIFTS)
    return Looks(days, when, ratio, rng.random(there.shape) >= CLOUD, auc)


def scores(rng: np.random.Generator, there: Booleans, *, auc: float, other: float, alike: float) -> Floats:
    """Draw scores (places, dates) of places where a label is there or not; a ground's effect lasts until it changes.

    alike: so many times as wide are the effects of grounds that have changed and do not hold the label.
    """
    spread = float(separation(np.array(auc)))
    moved = np.zeros(there.shape, dtype=np.int64)
    moved[:, 1:] = there[:, 1:] != there[:, :-1]
    ground = (moved + rng.poisson(other * EVERY / 365, there.shape)).cumsum(axis=1)
    effects = rng.standard_normal((len(there), int(ground.max()) + 1))
    wide = np.where(there | (ground == 0), 1.0, alike)
    own = np.sqrt(SHARED) * wide * np.take_along_axis(effects, ground, axis=1)
    sky = np.sqrt(1 - SHARED) * rng.standard_normal(there.shape)
    return np.asarray(np.where(there, 1, -1) * spread**2 / 2 + spread * (own + sky), np.float64)


def filtered(looks: Looks, *, status: Status, shared: float = SHARED) -> Alarms:
    """Return the alarms of our rule: when an alert of a label that appeared was raised, or confirmed."""
    return appeared(followed(looks, shared=shared)[1], status)


def appeared(events: list[Event], status: Status) -> Alarms:
    """Return when alerts of a label that appeared reached a status first; some are confirmed as they are raised."""
    first: dict[tuple[int, int], int] = {}
    for event in events:
        if event.direction == 0 and status <= event.status <= Status.CONFIRMED:
            first.setdefault((event.tile, event.number), event.day)
    return [(day, tile) for (tile, _), day in first.items()]


def followed(looks: Looks, *, shared: float = SHARED) -> tuple[Belief, list[Event]]:
    """Return what our filter knows after all looks, and what it told of on the way."""
    belief = Belief.begin(len(looks.when), rates=RATES)
    steps = taken_in(belief, looks, doubt=Doubt(EVIDENCE.bound, shared, EVIDENCE.haze, EVIDENCE.seen))
    return belief, alerted(steps, len(looks.when), RULES_OF_ALERTS)


def taken_in(belief: Belief, looks: Looks, *, doubt: Doubt) -> Iterator[Step]:
    """Take in the looks, date by date."""
    for number, day in enumerate(looks.days.tolist()):
        rows = np.flatnonzero(looks.clear[:, number])
        log, ratio = _weighed(looks, rows, number, doubt)
        belief.look(rows, day, log, rates=RATES, baseline=BASELINE)
        yield rows, day, belief.changed(rows), ratio > 0


def alerted(steps: Iterable[Step], places: int, rules: Rules) -> list[Event]:
    """Return what is told of on the way."""
    alerts, events = Alerts.begin(places, 1), []
    for rows, day, changed, yes in steps:
        events += alerts.look(rows, day, changed, yes, rules=rules, trusted=np.ones(len(rows), np.bool_))
    return events


def _weighed(looks: Looks, rows: Integers, dates: int | Integers, doubt: Doubt) -> tuple[Floats, Floats]:
    """Weigh the looks at some places on a date, or on some dates, through the probabilities that a model answers."""
    emission = Emission(np.array([PREVALENCE]), separation(np.array([looks.auc])))
    p = expit(looks.ratio[rows, dates][:, None] + logit(PREVALENCE))
    nothing = np.zeros(len(p))
    return evidence(p, nothing, nothing, emission=emission, doubt=doubt, alone=False)


def k_of(looks: Looks, k: int, window: int) -> Alarms:
    """Return the alarms of GLAD's kind of rule: k of so many clear looks, the newest among them, say yes."""
    newest = np.zeros((window, len(looks.when)), dtype=np.bool_)
    on, alarms = np.zeros(len(looks.when), dtype=np.bool_), []
    for rows, number in _after(looks):
        newest[:, rows] = np.concatenate([newest[1:, rows], looks.ratio[None, rows, number] > 0])
        count = newest[:, rows].sum(axis=0)
        new = ~on[rows] & (count >= k) & newest[-1, rows]
        on[rows] = (on[rows] | new) & (count > 0)
        alarms += [(int(looks.days[number]), int(row)) for row in rows[new]]
    return alarms


def radd(looks: Looks, threshold: float = 0.975) -> Alarms:
    """Return the alarms of RADD's rule (Reiche and others 2015, 2021).

    Each look is clipped to .1 to .9. One of .5 or more flags, from the look before it as a prior; below .5 the flag
    falls; it is confirmed from the threshold on by a look that agrees.
    """
    before, posterior = np.full(len(looks.when), 0.5), np.full(len(looks.when), np.nan)
    done, alarms = np.zeros(len(looks.when), dtype=np.bool_), []
    for rows, number in _after(looks):
        p = np.clip(1 / (1 + np.exp(-looks.ratio[rows, number])), 0.1, 0.9)
        flagged = ~np.isnan(posterior[rows])
        prior = np.where(flagged, posterior[rows], before[rows])
        new = prior * p / (prior * p + (1 - prior) * (1 - p))
        posterior[rows] = np.where((new >= 0.5 - 1e-9) & (flagged | (p >= 0.5)), new, np.nan)
        before[rows] = p
        confirmed = ~done[rows] & (posterior[rows] >= threshold) & (p >= 0.5)
        done[rows] |= confirmed
        alarms += [(int(looks.days[number]), int(row)) for row in rows[confirmed]]
    return alarms


def _after(looks: Looks) -> list[tuple[Integers, int]]:
    """Return the places that are seen on each date after the baseline, and the date's number."""
    numbers = np.flatnonzero(looks.days > BASELINE).tolist()
    return [(np.flatnonzero(looks.clear[:, number]), number) for number in numbers]


def judged(alarms: Alarms, looks: Looks) -> dict[str, float]:
    """Return false alerts in 1000 tile-label-years, the share of changes found in a year, and the median delay.

    And errors: false alerts, and changes that are not found in a year, in 1000 tile-label-years.
    """
    first: dict[int, int] = {}
    for day, row in alarms:
        if day >= looks.when[row]:
            first.setdefault(row, day)
    false = sum(day < looks.when[row] for day, row in alarms)
    end = int(looks.days[-1])
    asked = np.flatnonzero(looks.when <= end - 365)
    late = np.array([first.get(int(row), NEVER) - looks.when[row] for row in asked])
    found = late[late <= 365]
    years = float((np.minimum(looks.when, end) - BASELINE).sum()) / 365
    rate = 1000 * false / years
    scores = {"false": rate, "errors": rate + 1000 * (len(asked) - len(found)) / years}
    if len(asked):
        scores |= {"found": len(found) / len(asked), "days": float(np.median(found)) if len(found) else np.nan}
    return scores


RULES: dict[str, Callable[[Looks], Alarms]] = {
    "2 of 2": lambda looks: k_of(looks, 2, 2),
    "2 of 4": lambda looks: k_of(looks, 2, 4),
    "RADD's, .975": radd,
    "filter, looks independent": lambda looks: filtered(looks, status=Status.CONFIRMED, shared=0.0),
    "filter": lambda looks: filtered(looks, status=Status.CONFIRMED),
    "filter, candidates": lambda looks: filtered(looks, status=Status.CANDIDATE),
}


def run() -> dict[str, object]:
    """Return the errors of our rule and of RADD's, on the same places."""
    looks = simulate(SEED)
    ours, peer = (judged(RULES[name](looks), looks)["errors"] for name in ("filter", "RADD's, .975"))
    unit = "false alerts, and changes not found in a year, in 1000 tile-label-years"
    return {"ours": ours, "peer": peer, "ratio": peer / ours, "unit": unit, "n": PLACES}


def course(looks: Looks, row: int) -> Course:
    """Return the looks at a place."""
    dates = np.flatnonzero(looks.clear[row])
    doubt = Doubt(EVIDENCE.bound, SHARED, EVIDENCE.haze, EVIDENCE.seen)
    log, ratio = _weighed(looks, np.full(len(dates), row), dates, doubt)
    return Course(looks.days[dates], log[..., 0], ratio[:, 0], RATES, BASELINE)


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description="Simulated looks, and rules that turn them into alerts.")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--alike", type=float, default=ALIKE, help="1: what is new is no more alike than the rest.")
    asked = parser.parse_args()
    seed, alike = asked.seed, asked.alike
    print("| rule | false | found | days | false, drifting sensor |\n|---|---|---|---|---|")
    still, drifting = simulate(seed, alike=alike), simulate(seed + 1, drift=DRIFT, changes=0.0, alike=alike)
    for name, rule in RULES.items():
        one, other = judged(rule(still), still), judged(rule(drifting), drifting)
        print(f"| {name} | {one['false']:.1f} | {one['found']:.3f} | {one['days']:.0f} | {other['false']:.1f} |")
    print("\n| AUC of the label | false | found | days | RADD's: false | found | days |\n|---|---|---|---|---|---|---|")
    for auc in (0.90, 0.92, 0.95, 0.98, 0.99, 0.995):
        looks = simulate(seed, auc=auc, alike=alike)
        each = [judged(RULES[name](looks), looks) for name in ("filter", "RADD's, .975")]
        cells = [f"{one['false']:.1f} | {one['found']:.3f} | {one['days']:.0f}" for one in each]
        print(f"| {auc:.3f} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
