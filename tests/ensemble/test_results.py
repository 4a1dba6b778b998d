"""What stacking leaves on the disk is what the steps that follow read, and what serves."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from opinions import LABELS, LEARNERS, VOCABULARY, draw, written

from igarape.config.documents import CALIBRATED
from igarape.ensemble.calibration import calibrate
from igarape.ensemble.leave_one_out import RARE
from igarape.ensemble.linear import mean_weights
from igarape.ensemble.results import write_result
from igarape.ensemble.stacker import Stacker
from igarape.ensemble.stackers import CrossFit
from igarape.predictions import probability_columns, read_predictions


def test_the_stack_that_serves_answers_the_hold_out_as_it_is_stored(tmp_path: Path) -> None:
    """With its calibrators, to the bit; all other stacks stand beside it, and the blend without a learner."""
    p, y, folds = draw(600, seed=1)
    stacker = Stacker("mean", LABELS, dict(LEARNERS), mean_weights(LEARNERS, LABELS))
    fit = CrossFit(stacker.predict(p), stacker)
    table = written(p, folds)[1]
    calibrated = calibrate(y, fit.p, folds, groups=list(table["image_id"]))
    assert any(calibrator.kind != "none" for calibrator in calibrated.calibrators)
    write_result(
        tmp_path,
        {"mean": fit},
        calibrated,
        folds=table,
        vocabulary=VOCABULARY,
        chosen="mean",
        without={"deep": fit.p, RARE: fit.p},
    )
    stored = read_predictions(tmp_path / "predictions.parquet", table)
    assert set(stored["learner"]) == {"mean", CALIBRATED, "without deep", "without the rare learners"}
    held = stored[(stored["learner"] == CALIBRATED) & (stored["fold"] == -1)]
    rows = folds == -1
    loaded = Stacker.load(tmp_path / "stacker")
    assert loaded == replace(stacker, calibrators=calibrated.calibrators, linear=loaded.linear)
    answers = loaded.predict({name: values[rows] for name, values in p.items()})
    assert (answers == held[probability_columns(held)].to_numpy(dtype=np.float32)).all()
