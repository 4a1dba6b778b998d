"""The stackers side by side, and what rare-label learners bring."""

import numpy as np
import pandas as pd
import pytest

from igarape.ensemble.stacker import Settings, cross_fit
from igarape.ensemble.stackers import fit_stackers, rare_gain
from igarape.labels import Vocabulary
from igarape.tables import predictions

VOCABULARY = Vocabulary(exclusive=(), alone=(), common=("tree",), rare=("kiln", "ruin"))
SETTINGS = Settings(rounds=3, depth=1, rate=0.3, child_weight=1.0, l2=1.0, seed=1)
COUNT = 60


def test_each_method_answers_every_chip_and_reports_its_fits() -> None:
    """The mean is the learners' mean; XGBoost is cross-fitted as by itself; a fit a fold, and one on all."""
    rng = np.random.default_rng(4)
    ids, folds = [f"chip-{row}" for row in range(COUNT)], np.arange(COUNT) % 3 - 1
    p = {name: rng.random((COUNT, 3), dtype=np.float32) for name in ("one", "two")}
    y = rng.random((COUNT, 3)) < 0.4
    tables = {
        name: predictions(ids, folds, learner=name, labels=VOCABULARY.labels, p=values) for name, values in p.items()
    }
    seen: list[tuple[int, int]] = []
    fits = fit_stackers(
        tables,
        y,
        folds=pd.DataFrame({"image_id": ids, "fold": folds}),
        vocabulary=VOCABULARY,
        settings=SETTINGS,
        report=lambda done, total, _text: seen.append((done, total)),
    )
    np.testing.assert_allclose(fits["mean"].p, (p["one"] + p["two"]) / 2, atol=1e-6)
    labels = dict.fromkeys(p, VOCABULARY.labels)
    alone = cross_fit(p, y, folds, learners=labels, labels=VOCABULARY.labels, progress=lambda _: None, **SETTINGS)
    np.testing.assert_array_equal(fits["xgboost"].p, alone.p)
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_the_gain_is_told_for_each_rare_label_that_occurs() -> None:
    """Kiln is ranked last without the rare learner, and first with it; no row holds a ruin."""
    y = np.array([[True, True, False], [True, False, False], [False, False, False], [True, False, False]])
    without = np.array([[0.5, 0.1, 0.5], [0.5, 0.2, 0.5], [0.5, 0.3, 0.5], [0.5, 0.4, 0.5]], dtype=np.float32)
    having = without.copy()
    having[0, 1] = 0.9
    gain = rare_gain(y, without, having, vocabulary=VOCABULARY)
    assert gain == {"kiln": {"ap_without": pytest.approx(0.25), "ap_with": 1.0}}
