"""held_out_looks: rules that turn looks into alerts, where each look is a held-out chip of a finished stream.

python bench/held_out_looks.py --answers data/evaluate/answers.parquet

Scores are those of the stream's own chips, of which no model that answers has seen any: out of fold, or the hold-out.
A look at a place that holds a label is a chip that does, by chance; so no family of scores is assumed. What looks at
one ground have in common, chips cannot tell. So two tables: each look another chip; each ground one chip at all dates.
"""

import argparse
from pathlib import Path

import numpy as np
from change import BASELINE, CHANGES, CLOUD, EVERY, LATER, NEVER, OTHER, RULES, SEED, YEARS, Looks, judged
from scipy.special import logit

from igarape.labels import Booleans
from igarape.scores.answers import Answers, read_answers
from igarape.sites.evidence import Floats, seen_logit
from igarape.sites.site_draft import area_under_curve

PLACES = 20_000
FEW = 20  # chips with a label, and without it, that tell anything
NAMES = ("filter", "RADD's, .975", "2 of 4")


def main() -> None:
    """Print a table of labels for either kind of ground."""
    parser = argparse.ArgumentParser(description="Looks that are held-out chips.")
    parser.add_argument("--answers", type=Path, default=Path("data/evaluate/answers.parquet"))
    parser.add_argument("--hidden", default="cloudy", help="The label under which no ground is seen; '' for none.")
    parser.add_argument("--weather", default="clear,partly_cloudy,haze,cloudy", help="Labels that are no ground's.")
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    answers = read_answers(asked.answers)
    for title, repeated in (("each look another chip", False), ("each ground one chip", True)):
        columns = " | ".join(f"{name}: false | found | days" for name in NAMES)
        print(f"\n{title}\n| label | AUC | chips with it | {columns} |")
        print(f"|---|---|---|{'---|' * 3 * len(NAMES)}")
        for label in (each for each in answers.labels if each not in asked.weather.split(",")):
            ratio, y, _ = scores(answers, label, asked.hidden)
            if min(y.sum(), (~y).sum()) < FEW:
                continue
            looks = _looks(ratio, y, asked.seed, repeated=repeated)
            rows = [judged(RULES[name](looks), looks) for name in NAMES]
            cells = [f"{one['false']:.1f} | {one['found']:.3f} | {one['days']:.0f}" for one in rows]
            print(f"| {label} | {looks.auc:.3f} | {y.sum()} | {' | '.join(cells)} |")


def scores(answers: Answers, label: str, hidden: str) -> tuple[Floats, Booleans, Booleans]:
    """Return the logarithm of each chip's likelihood ratio, of those with ground, which hold the label; and these."""
    clouds = [answers.labels.index(hidden)] if hidden else []
    seen = np.asarray(~answers.y[:, clouds].any(axis=1), np.bool_)
    column = answers.labels.index(label)
    y, p = answers.y[seen, column], answers.p[seen].astype(np.float64)
    ratio = seen_logit(p[:, [column]], p[:, clouds].sum(axis=1), alone=True)[:, 0]
    return ratio - logit(y.mean()), y, seen


def _looks(ratio: Floats, y: Booleans, seed: int, *, repeated: bool) -> Looks:
    """Draw looks at places: chips that hold the label since the place's change, and others before it."""
    rng = np.random.default_rng(seed)
    days = np.arange(0, YEARS * 365, EVERY)
    when = BASELINE + LATER + np.minimum(rng.exponential(365 / CHANGES, PLACES), NEVER).astype(np.int64)
    there = days >= when[:, None]
    drawn = rng.random(there.shape)
    if repeated:
        moved = np.diff(there, axis=1, prepend=False) + rng.poisson(OTHER * EVERY / 365, there.shape)
        ground = moved.cumsum(axis=1)
        drawn = np.take_along_axis(rng.random((PLACES, int(ground.max()) + 1)), ground, axis=1)
    pools = [ratio[~y], ratio[y]]
    chosen = [pool[(drawn * len(pool)).astype(np.int64)] for pool in pools]
    auc = float(np.clip(area_under_curve(y, ratio.astype(np.float32)), 0.6, 0.999))
    return Looks(days, when, np.where(there, chosen[1], chosen[0]), rng.random(there.shape) >= CLOUD, auc)


if __name__ == "__main__":
    main()
