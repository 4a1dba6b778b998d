"""alike: how much more a held-out chip is like a label that it does not hold where it holds something else.

python bench/alike.py --answers data/evaluate/answers.parquet

What is new at a site and is not the label that is watched lies on such chips. By normal scores, the share of chips that
say yes tells how wide they are spread: beside that of all chips without the label, how wide the effect of a ground that
has changed is, evidence.ALIKE. It is the wider, the more of the variance grounds share: that is taken from a draft.
"""

import argparse
from pathlib import Path

import numpy as np
from held_out_looks import FEW, scores
from scipy.stats import norm

from igarape.scores.answers import read_answers
from igarape.sites.site_draft import EVIDENCE

COMMON = 0.4  # what lies on more chips than this is the ground itself


def main() -> None:
    """Print a row for each label, and the median of what they tell."""
    parser = argparse.ArgumentParser(description="How like a label other things are.")
    parser.add_argument("--answers", type=Path, default=Path("data/evaluate/answers.parquet"))
    parser.add_argument("--hidden", default="cloudy", help="The label under which no ground is seen; '' for none.")
    parser.add_argument("--weather", default="clear,partly_cloudy,haze,cloudy", help="Labels that are no ground's.")
    asked = parser.parse_args()
    answers = read_answers(asked.answers)
    things = [each for each in answers.labels if each not in asked.weather.split(",")]
    things = [each for each in things if answers.y[:, answers.labels.index(each)].mean() < COMMON]
    print("| label | chips without it | say yes | of these, with something else | say yes | times as wide |")
    print("|---|---|---|---|---|---|")
    found = []
    for label in things:
        ratio, y, seen = scores(answers, label, asked.hidden)
        columns = [answers.labels.index(each) for each in things if each != label]
        other = ~y & answers.y[seen][:, columns].any(axis=1)
        yes, again = (ratio[~y] > 0).mean(), (ratio[other] > 0).mean()
        if min(y.sum(), other.sum()) < FEW or not 0 < yes <= again < 0.5:
            continue
        spread = (norm.ppf(yes) / norm.ppf(again)) ** 2
        found.append(np.sqrt((spread - 1) / EVIDENCE.shared + 1))
        print(f"| {label} | {(~y).sum()} | {yes:.3f} | {other.sum()} | {again:.3f} | {found[-1]:.2f} |")
    print(f"median of {len(found)} labels: {np.median(found):.2f}")


if __name__ == "__main__":
    main()
