"""Occlusion finds the part of a picture that an answer comes from."""

import numpy as np

from igarape.chips.pictures import Pixels
from igarape.ensemble.linear import sigmoid
from igarape.serving.occlusion import occlusion
from igarape.tables import Probabilities

SIDE = 30


def red_above_green_below(images: Pixels) -> Probabilities:
    """Answer two labels: by the red of the upper left ninth, and against the green of the lower right one."""
    red = images[:, :10, :10, 0].mean(axis=(1, 2)) / 255
    green = images[:, 20:, 20:, 1].mean(axis=(1, 2)) / 255
    return sigmoid(np.stack([4 * red, -4 * green], axis=1)).astype(np.float32)


def test_what_is_covered_is_missed_where_it_was_seen() -> None:
    """By as much as the logit falls; elsewhere nothing changes; what spoke against a label is below 0."""
    image = np.zeros((SIDE, SIDE, 3), dtype=np.uint8)
    image[:10, :10, 0] = image[20:, 20:, 1] = 255
    falls = occlusion(red_above_green_below, image, grid=3)
    mean = round(255 / 9) / 255
    assert falls.shape == (2, 3, 3)
    expected = np.zeros((2, 3, 3))
    expected[0, 0, 0], expected[1, 2, 2] = 4 * (1 - mean), -4 * (1 - mean)
    np.testing.assert_allclose(falls, expected, atol=1e-5)


def test_cells_cover_all_of_a_picture_whatever_its_sides() -> None:
    """Each pixel lies in one cell."""
    rng = np.random.default_rng(0)
    image = rng.integers(1, 255, (31, 47, 3)).astype(np.uint8)
    seen: list[Pixels] = []

    def predict(images: Pixels) -> Probabilities:
        seen.append(images)
        return np.full((len(images), 1), 0.5, dtype=np.float32)

    occlusion(predict, image, grid=7)
    mean = image.reshape(-1, 3).mean(axis=0).round()
    changed = (seen[0][:-1] != image).any(axis=3) | (image == mean).all(axis=2)
    assert (changed.sum(axis=0) >= 1).all()
    assert ((seen[0][:-1] != image).any(axis=3).sum(axis=0) <= 1).all()
    assert np.array_equal(seen[0][-1], image)


def test_one_colour_tells_nothing() -> None:
    """Whatever is covered, the picture stays as it is."""
    assert not occlusion(red_above_green_below, np.full((SIDE, SIDE, 3), 90, dtype=np.uint8), grid=5).any()
