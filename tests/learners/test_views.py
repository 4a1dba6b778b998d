"""A picture is answered by some of its eight views, and the mean over all of them is what tta answers."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from igarape.chips.pictures import symmetries
from igarape.learners.predictor import Predictor
from igarape.learners.views import ALL, COUNTS, each_view, mean_view
from igarape.tables import Probabilities

WriteModel = Callable[[Path, int, int, int], Probabilities]
IMAGES = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)


def test_the_mean_over_all_views_is_that_of_tta(tmp_path: Path, write_model: WriteModel) -> None:
    """To the bit, whatever the batches."""
    write_model(tmp_path / "fold-0.onnx", 8, 3, 1)
    predictor = Predictor([tmp_path / "fold-0.onnx"], threads=1)
    each = each_view(predictor, IMAGES, count=ALL, batch=4)
    assert each.shape == (ALL, 5, 3)
    np.testing.assert_array_equal(mean_view(each, ALL), predictor.predict(IMAGES, tta=True, batch=64))
    np.testing.assert_array_equal(mean_view(each, 1), predictor.predict(IMAGES, tta=False, batch=64))


def test_fewer_views_are_the_first_ones(tmp_path: Path, write_model: WriteModel) -> None:
    """So that eight contain four, two and one; and the views differ."""
    write_model(tmp_path / "fold-0.onnx", 8, 3, 1)
    predictor = Predictor([tmp_path / "fold-0.onnx"], threads=1)
    each = each_view(predictor, IMAGES, count=ALL, batch=64)
    for count in COUNTS:
        np.testing.assert_array_equal(each_view(predictor, IMAGES, count=count, batch=64), each[:count])
        one_by_one = [
            predictor.predict(np.ascontiguousarray(view), tta=False, batch=64) for view in symmetries(IMAGES)[:count]
        ]
        np.testing.assert_allclose(mean_view(each, count), np.mean(one_by_one, axis=0), atol=1e-6)
    assert np.abs(each[0] - each[1]).max() > 1e-3
