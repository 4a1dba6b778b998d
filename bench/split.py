"""split: how far labels' shares stray over folds of Planet's 40,479 rows, against iterative-stratification and KFold.

`python bench/split.py` prints all: 5 and 10 folds, with and without a hold-out, and what each took.
"""

import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold, ShuffleSplit

from igarape.chips.exchange import Counts
from igarape.chips.split import make_folds
from igarape.config.datasets import data_root, read_dataset
from igarape.errors import InputError
from igarape.labels import Booleans
from igarape.tables import HOLDOUT, Folds

SEEDS = range(5)
SHARE = 0.2  # held out

Deal = Callable[[Booleans, int, float, int], Folds]


def run() -> dict[str, object]:
    """Return the largest relative deviation over 5 folds, and over 10; the peer is the better of the two others."""
    five, ten = (_against_the_best(_compare(folds, 0.0)) for folds in (5, 10))
    rest = {"unit": "largest relative deviation", "n": len(_planet()), "ten_folds": ten}
    return {**five, "ratio": five["peer"] / five["ours"], **rest}


def _against_the_best(rows: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return our largest deviation, and the smallest of the others' largest."""
    largest = {name: row["largest"] for name, row in rows.items()}
    return {"ours": largest.pop("ours"), "peer": min(largest.values())}


def _compare(folds: int, holdout: float) -> dict[str, dict[str, float]]:
    """Deal with each method and each seed; return the medians over seeds."""
    rows = {}
    for name, deal in _methods().items():
        found = [_measure(deal, folds, holdout, seed) for seed in SEEDS]
        rows[name] = {key: median(one[key] for one in found) for key in found[0]}
    return rows


def _largest_deviation(y: Booleans, parts: Folds) -> Counts:
    """Return how far, for each label, its share of a part strays from its share of all: max |part / all - 1|.

    y: (chips, labels); parts: (chips,), any numbers. Of shape (labels,); 0 for a label that no chip has.
    """
    overall = y.mean(axis=0)
    shares = np.array([y[parts == one].mean(axis=0) for one in np.unique(parts)])
    strays: Counts = np.abs(shares - overall).max(axis=0) / np.where(overall > 0, overall, 1)
    return strays


def _measure(deal: Deal, folds: int, holdout: float, seed: int) -> dict[str, float]:
    """Deal once: the deviation of the worst label, the mean of all, the chips that sizes differ by, the seconds."""
    y = _planet()
    start = time.process_time()
    parts = deal(y, folds, holdout, seed)
    seconds = time.process_time() - start
    strays, sizes = _largest_deviation(y, parts), np.bincount(parts[parts != HOLDOUT])
    return {
        "largest": float(strays.max()),
        "mean": float(strays.mean()),
        "sizes": float(sizes.max() - sizes.min()),
        "seconds": seconds,
    }


@cache
def _planet() -> Booleans:
    """Return the labels of Planet's 40,479 chips, (chips, 17)."""
    path = data_root() / "planet/train_v2.csv"
    if not path.is_file():
        raise InputError(f"{path}: no such file; it is the competition's list of labels. Run: igarape fetch planet")
    vocabulary = read_dataset("planet", Path("datasets")).labels.vocabulary()
    tags = pd.read_csv(path, keep_default_na=False)["tags"]
    encoded = {one: vocabulary.encode(one.split()) for one in tags.unique()}
    return np.array([encoded[one] for one in tags], dtype=np.bool_)


def _methods() -> dict[str, Deal]:
    """Return the methods by name."""
    try:
        from iterstrat.ml_stratifiers import MultilabelStratifiedKFold, MultilabelStratifiedShuffleSplit
    except ImportError as error:
        raise InputError("iterative-stratification is not installed. Type: pip install 'igarape[bench]'") from error
    return {
        "ours": _ours,
        "iterative-stratification": _of(MultilabelStratifiedKFold, MultilabelStratifiedShuffleSplit),
        "KFold, shuffled": _of(KFold, ShuffleSplit),
    }


def _ours(y: Booleans, folds: int, holdout: float, seed: int) -> Folds:
    """Deal as the step does, each chip by itself."""
    return make_folds(y, [f"{row:05d}" for row in range(len(y))], folds=folds, holdout=holdout, seed=seed)


def _of(in_folds: type, in_two: type) -> Deal:
    """Return a deal by two of scikit-learn's splitters: one sets the hold-out aside, one deals the rest."""

    def deal(y: Booleans, folds: int, holdout: float, seed: int) -> Folds:
        parts = np.full(len(y), HOLDOUT, dtype=np.int64)
        rows = np.arange(len(y))
        if holdout:
            rows = next(in_two(1, test_size=holdout, random_state=seed).split(y, y))[0]
        dealt = in_folds(folds, shuffle=True, random_state=seed).split(y[rows], y[rows])
        for fold, (_, held) in enumerate(dealt):
            parts[rows[held]] = fold
        return parts

    return deal


def _print_all() -> None:
    """Print the whole table."""
    print(f"{'folds':5} {'held out':8} {'method':26} {'largest':>9} {'mean':>9} {'sizes':>6} {'seconds':>8}")
    for folds in (5, 10):
        for holdout in (0.0, SHARE):
            for name, row in _compare(folds, holdout).items():
                figures = f"{row['largest']:9.2%} {row['mean']:9.2%} {row['sizes']:6.0f} {row['seconds']:8.2f}"
                print(f"{folds:5} {holdout:8.0%} {name:26} {figures}")


if __name__ == "__main__":
    _print_all()
