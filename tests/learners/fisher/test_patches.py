"""Descriptors of patches: means and deviations of what lies around a place, the same ones from all eight sides."""

import numpy as np
import pytest

from igarape.chips.pictures import Pixels, symmetries
from igarape.config.hyperparameters import FisherValues, bounds
from igarape.learners.fisher.patches import CELL, WIDTH, WINDOWS, descriptors
from igarape.learners.trees.planes import grey_plane

NOISE: Pixels = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)


@pytest.mark.parametrize("size", [32, 64])
def test_a_turned_or_mirrored_chip_has_the_same_descriptors(size: int) -> None:
    """To the last bit, in another order."""
    chip = NOISE[:size, :size]
    expected = descriptors(chip)
    assert expected.dtype == np.float32 and expected.shape == ((size // CELL) ** 2, WIDTH)
    for view in symmetries(chip[None]):
        found = descriptors(np.ascontiguousarray(view[0]))
        np.testing.assert_array_equal(found[np.lexsort(found.T)], expected[np.lexsort(expected.T)])


def test_they_are_means_and_deviations_of_the_pixels_in_each_window() -> None:
    """Of grey, the first plane, around a place away from the borders."""
    grey = grey_plane(NOISE).astype(np.float64)
    planes = WIDTH // (2 * len(WINDOWS))
    row, column = 5, 9
    found = descriptors(NOISE).reshape(16, 16, -1)[row, column]
    for place, window in enumerate(WINDOWS):
        first = [(each - window // 2) * CELL for each in (row, column)]
        seen = grey[first[0] : first[0] + window * CELL, first[1] : first[1] + window * CELL]
        np.testing.assert_allclose(found[2 * place * planes], seen.mean(), rtol=1e-6)
        np.testing.assert_allclose(found[(2 * place + 1) * planes], seen.std(), rtol=1e-6)


def test_a_chip_of_one_colour_has_one_descriptor_without_deviations() -> None:
    """However often."""
    found = descriptors(np.full((32, 32, 3), (30, 90, 200), dtype=np.uint8))
    assert (found == found[0]).all()
    deviations = np.split(found[0], 2 * len(WINDOWS))[1::2]
    np.testing.assert_array_equal(deviations, 0)


def test_no_more_components_can_be_asked_for_than_a_descriptor_has_numbers() -> None:
    """The bound of the hyperparameter is written where TensorFlow and OpenCV are not loaded."""
    assert bounds(FisherValues.model_fields["components"])[1] == WIDTH
