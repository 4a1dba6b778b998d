"""stack_fit: XGBoost on 40,479 chips' predictions by five learners, against scikit-learn's MultiOutputClassifier of it.

Both fit 17 labels in the same five folds, with as many rounds, of the same depth, and are scored out of fold by mean
average precision. Ours has the blend that it starts from besides, by a given penalty: nothing is chosen. `nested` is
the whole stack: penalty, depths and rounds chosen inside the folds, three seeds averaged, and a sixth fit, on all
folds. It is compared with our fit, of one seed and in five folds, and with the same six fits of three seeds by given
settings.
Seconds are the processor's: all run in one thread.
"""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import xgboost
from sklearn.multioutput import MultiOutputClassifier
from threadpoolctl import threadpool_limits

from igarape.ensemble.boosting import Corrections, Settings
from igarape.ensemble.linear import sigmoid, stack_columns
from igarape.ensemble.nested import Blends, Known, parts_of
from igarape.ensemble.stackers import fit_stackers
from igarape.labels import Booleans, Vocabulary
from igarape.predictions import prediction_table
from igarape.scores.metrics import Floats, mean_average_precision
from igarape.tables import Probabilities

CHIPS, LEARNERS, FOLDS, SEED = 40_479, 5, 5, 3
# Planet's, from primary to conventional_mine.
SHARES = np.geomspace(0.93, 0.0024, 17)
LABELS = tuple(f"label_{number:02d}" for number in range(len(SHARES)))
SETTINGS = Settings(rounds=60, depths=(1, 2, 3), rate=0.1, child_weight=5.0, l2=5.0, seeds=3, seed=SEED)
DEPTH, PENALTY = 2, 0.1


def run() -> dict[str, object]:
    """Return the seconds of both, of the whole stack, and each one's mean average precision."""
    y, p, folds = _drawn()
    learners = dict.fromkeys(p, LABELS)
    ours, ours_map = _timed(lambda: _single(y, p, folds, seeds=1), y)
    peer, peer_map = _timed(lambda: _sklearn(y, stack_columns(p, learners), folds), y)
    nested, nested_map = _timed(lambda: _nested(y, p, folds), y)
    alike, alike_map = _timed(lambda: _single(y, p, folds, seeds=SETTINGS.seeds, whole=True), y)
    row = {"ours": ours, "peer": peer, "ratio": peer / ours, "unit": "s", "n": CHIPS}
    return row | {
        "map": {"ours": ours_map, "peer": peer_map, "nested": nested_map, "alike": alike_map},
        "nested": {"seconds": nested, "of_single": nested / ours, "alike": alike, "of_alike": nested / alike},
    }


def _drawn() -> tuple[Booleans, dict[str, Probabilities], np.ndarray]:
    """Draw truth, and learners that err alike: what one takes for the label, so do others."""
    rng = np.random.default_rng(SEED)
    y = rng.random((CHIPS, len(LABELS))) < SHARES
    common = rng.normal(0, 1.5, y.shape)
    learners = {
        f"learner_{number}": sigmoid(4 * y - 4 + common + rng.normal(0, 1 + number / 3, y.shape)).astype(np.float32)
        for number in range(LEARNERS)
    }
    return y, learners, np.arange(CHIPS) % FOLDS


def _timed(fit: Callable[[], Floats], y: Booleans) -> tuple[float, float]:
    """Return the seconds, and the mean average precision of the answers."""
    start = time.process_time()
    with threadpool_limits(1):
        answers = fit()
    return time.process_time() - start, mean_average_precision(y, answers)


def _single(y: Booleans, p: dict[str, Probabilities], folds: np.ndarray, *, seeds: int, whole: bool = False) -> Floats:
    """Fit the stack by given settings: in each fold a blend of one penalty, trees of one depth and number of rounds.

    Parameters
    ----------
    y, p
        Truth (CHIPS, labels), and each learner's probabilities of the same shape.
    folds
        The fold of each chip.
    seeds
        How many boosters of a label are averaged.
    whole
        Whether to fit on all folds too, as the stack does for the hold-out.
    """
    learners = dict.fromkeys(p, LABELS)
    known = Known(
        stack_columns(p, learners),
        y,
        parts_of(folds, np.arange(CHIPS)),
        learners,
        Vocabulary(exclusive=(), alone=(), common=LABELS, rare=()).targets("all"),
    )
    blends = Blends(known, penalties=(PENALTY,))
    corrections = Corrections(known, blends, SETTINGS, np.arange(CHIPS))
    answers = np.zeros(y.shape)
    for fold in range(FOLDS + whole):  # there is no chip in the last one
        within, rows = known.all - {fold}, folds == fold
        blends.margin_of(frozenset({fold}), blends.chosen(within), into=answers)
        features = known.features[rows]
        for j in range(len(LABELS)):
            boosters = [corrections.fit(within, DEPTH, SEED + number, j) for number in range(seeds)]
            if rows.any():
                each = [booster.inplace_predict(features, predict_type="margin") for booster in boosters]
                answers[rows, j] += np.mean(each, axis=0)
    return sigmoid(answers)


def _sklearn(y: Booleans, p: Probabilities, folds: np.ndarray) -> Floats:
    """Fit one classifier a label by scikit-learn's own means."""
    answers = np.zeros(y.shape)
    for fold in range(FOLDS):
        rows = folds == fold
        classifier = xgboost.XGBClassifier(
            n_estimators=SETTINGS.rounds,
            max_depth=DEPTH,
            learning_rate=SETTINGS.rate,
            min_child_weight=SETTINGS.child_weight,
            reg_lambda=SETTINGS.l2,
            n_jobs=1,
            random_state=SEED,
        )
        fitted = MultiOutputClassifier(classifier).fit(p[~rows], y[~rows].astype(np.int64))
        answers[rows] = np.stack([each[:, 1] for each in fitted.predict_proba(p[rows])], axis=1)
    return answers


def _nested(y: Booleans, p: dict[str, Probabilities], folds: np.ndarray) -> Floats:
    """Fit the stack, with all that it chooses."""
    image_ids = [f"chip_{row}" for row in range(CHIPS)]
    fits = fit_stackers(
        {name: prediction_table(image_ids, folds, learner=name, labels=LABELS, p=each) for name, each in p.items()},
        y,
        folds=pd.DataFrame({"image_id": image_ids, "fold": folds}),
        groups=image_ids,
        vocabulary=Vocabulary(exclusive=(), alone=(), common=LABELS, rare=()),
        settings=SETTINGS,
        report=lambda *_words: None,
        methods=["xgboost"],
    )
    return fits["xgboost"].p.astype(np.float64)


if __name__ == "__main__":
    print(run())
