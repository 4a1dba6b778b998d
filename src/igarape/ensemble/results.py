"""The result of stacking: what each stack predicts, what is used further, and the fitted stack that serves."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from igarape.config.documents import CALIBRATED
from igarape.ensemble.calibration import Fitted
from igarape.ensemble.leave_one_out import WITHOUT
from igarape.ensemble.stackers import CrossFit
from igarape.labels import Vocabulary
from igarape.predictions import prediction_table
from igarape.tables import Probabilities, write_parts


def write_result(
    folder: Path,
    fits: Mapping[str, CrossFit],
    calibrated: Fitted,
    *,
    folds: pd.DataFrame,
    vocabulary: Vocabulary,
    chosen: str,
    without: Mapping[str, Probabilities],
) -> None:
    """Write predictions.parquet, and the chosen stack with its calibrators as stacker/.

    Parameters
    ----------
    folder
        Where to.
    fits
        Each stack, under its name.
    calibrated
        The chosen one's probabilities, calibrated: they stand under the name CALIBRATED.
    folds
        The table of folds, whose rows the predictions have.
    vocabulary
        All labels.
    chosen
        The stack that is used further.
    without
        The blend without a learner, by its name, and the chosen stack without RARE; they stand under WITHOUT and that.
    """
    image_ids, numbers = list(folds["image_id"]), folds["fold"].to_numpy()
    found = {name: fit.p for name, fit in fits.items()} | {CALIBRATED: calibrated.p}
    found |= {f"{WITHOUT}{name}": p for name, p in without.items()}
    parts = (
        prediction_table(image_ids, numbers, learner=name, labels=vocabulary.labels, p=p) for name, p in found.items()
    )
    write_parts(parts, folder / "predictions.parquet")
    replace(fits[chosen].stacker, calibrators=calibrated.calibrators).save(folder / "stacker")
