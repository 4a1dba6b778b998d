"""thresholds: what an earlier word costs, on simulated places: delay against false alerts, by what confirms an alert.

`python bench/thresholds.py` prints the table of docs/alerts.md: for each probability that confirms, and each bound on
what one date may say, the figures of bench/change.py, as means over places of several seeds. --seed N simulates others.
"""

import argparse
from dataclasses import replace

import numpy as np
from change import (
    AUC,
    DRIFT,
    PLACES,
    RATES,
    RULES_OF_ALERTS,
    SHARED,
    Looks,
    Step,
    alerted,
    appeared,
    judged,
    simulate,
    taken_in,
)

from igarape.sites.alerts import Status
from igarape.sites.change import Belief
from igarape.sites.evidence import Doubt
from igarape.sites.site_draft import EVIDENCE

SEED, SEEDS = 11, 4
BOUNDS = (6.0, 8.0, 12.0)
CONFIRMED = (0.8, 0.85, 0.88, 0.9, 0.95)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Delay against false alerts, on simulated places.")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--auc", type=float, default=AUC)
    asked = parser.parse_args()
    found: dict[tuple[float, float], list[tuple[float, ...]]] = {}
    for seed in range(asked.seed, asked.seed + 2 * SEEDS, 2):
        still = simulate(seed, auc=asked.auc)
        drifting = simulate(seed + 1, auc=asked.auc, drift=DRIFT, changes=0.0)
        for bound in BOUNDS:
            steps = [_steps(looks, bound) for looks in (still, drifting)]
            for confirmed in CONFIRMED:
                one, other = (_judged(*each, confirmed) for each in zip(steps, (still, drifting), strict=True))
                row = one["false"], one["found"], one["days"], other["false"]
                found.setdefault((bound, confirmed), []).append(row)
    print("| bound | confirmed at | false | found | days | false, drifting sensor |\n|---|---|---|---|---|---|")
    for (bound, confirmed), rows in found.items():
        false, share, days, drift = np.mean(rows, axis=0)
        print(f"| {bound:g} | {confirmed:g} | {false:.2f} | {share:.3f} | {days:.0f} | {drift:.1f} |")


def _steps(looks: Looks, bound: float) -> list[Step]:
    """Return what the filter knows after each date."""
    belief = Belief.begin(PLACES, rates=RATES)
    return list(taken_in(belief, looks, doubt=Doubt(bound, SHARED, EVIDENCE.haze, EVIDENCE.seen)))


def _judged(steps: list[Step], looks: Looks, confirmed: float) -> dict[str, float]:
    """Return the figures of a probability that confirms."""
    events = alerted(steps, PLACES, replace(RULES_OF_ALERTS, confirmed=confirmed))
    return judged(appeared(events, Status.CONFIRMED), looks)


if __name__ == "__main__":
    main()
