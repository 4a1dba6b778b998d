"""Alarms: raised by what is too good out of fold, and by nothing else."""

from typing import Any

import numpy as np

from igarape.labels import Targets
from igarape.reports.alarms import alarms

TARGETS = Targets(("tree", "pond"))


def test_an_alarm_is_raised_by_what_is_too_good_out_of_fold() -> None:
    """Right in the folds and wrong on every chip of the hold-out; one as good on both raises none."""
    y = np.array([[1, 0], [0, 1], [1, 1], [0, 1]] * 8, dtype=np.bool_)
    inside = np.arange(32) < 16
    good = np.where(y, 0.9, 0.1).astype(np.float32)
    leaky = np.where(inside[:, None], good, 1 - good)
    told: dict[str, Any] = {"groups": [str(chip) for chip in range(32)], "inside": inside, "targets": TARGETS}
    found = alarms(y, {"good": good, "leaky": leaky}, **told)
    assert set(found) == {"leaky"} and found["leaky"] > 0.5
    assert alarms(y, {"good": good}, **told) == {}
