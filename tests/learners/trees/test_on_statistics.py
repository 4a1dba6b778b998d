"""Models of a chip's statistics are asked together. tests/learners/test_predictor.py asks them too."""

import numpy as np
import pytest

from igarape.chips.pictures import Pixels
from igarape.learners.trees import on_statistics as module
from igarape.learners.trees.on_statistics import MeanOnStatistics
from igarape.learners.trees.statistics import Table, names, statistics

SIDE = 64


def test_models_that_see_the_same_chip_take_its_statistics_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one learner or of several; another chip has its own."""
    taken: list[int] = []

    class Model:
        size, outputs = SIDE, len(names())

        def answer(self, table: Table) -> Table:
            return table

    def counted(chips: list[Pixels]) -> Table:
        taken.append(len(chips))
        return statistics(chips)

    monkeypatch.setattr(module, "statistics", counted)
    chips = np.random.default_rng(6).integers(0, 256, (3, SIDE, SIDE, 3), dtype=np.uint8)
    tabular, kernel = MeanOnStatistics([Model(), Model()]), MeanOnStatistics([Model()])
    first, second = (each.mean(chips[:2], tta=True) for each in (tabular, kernel))
    assert taken == [1, 1]
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, statistics(chips[:2]))
    kernel.mean(chips, tta=False)
    assert taken == [1, 1, 1]
    assert kernel.mean(chips[:0], tta=False).shape == (0, len(names()))
