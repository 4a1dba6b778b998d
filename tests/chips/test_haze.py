"""What haze is found in a picture: its colour and its transmission; tests/chips/test_dehaze.py takes it away."""

import numpy as np
import numpy.typing as npt
import pytest

from igarape.chips import haze as module
from igarape.chips.haze import airlight, transmission
from igarape.chips.pictures import Pixels

BOUNDS = {"darkest": 0.6, "brightest": 0.9, "tint": 0.1}


def darkest(image: Pixels, patch: int) -> npt.NDArray[np.uint8]:
    """Return a picture's dark channel."""
    return np.asarray(module._darkest(list(np.moveaxis(image, 2, 0)), patch), np.uint8)


def test_the_dark_channel_is_the_least_of_a_window_and_of_three_channels() -> None:
    """The same as two plain loops; the window is cut at the border."""
    rgb = np.random.default_rng(0).random((12, 17, 3), dtype=np.float32)
    dark = module._darkest(list(np.moveaxis(rgb, 2, 0)), 5)
    for row in range(12):
        for column in range(17):
            assert dark[row, column] == rgb[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3].min()


def test_the_airlight_is_the_colour_of_the_haze() -> None:
    """Found where a whole window is bright: a roof smaller than the window does not pass for haze."""
    image = np.random.default_rng(0).integers(0, 64, (64, 64, 3), dtype=np.uint8)
    image[:24, :24] = (170, 180, 190)
    expected = pytest.approx(np.array([170, 180, 190]) / 255)
    assert airlight(image, darkest(image, 9), top=0.001, **BOUNDS) == expected
    image[40:46, 40:46] = 255
    assert airlight(image, darkest(image, 9), top=0.001, **BOUNDS) == expected


def test_pixels_that_are_as_dark_all_count_for_the_airlight() -> None:
    """Not only as many of them as the share: which ones that were would be chance."""
    image = np.zeros((20, 20, 3), np.uint8)
    image[:10], image[10:] = 200, 190
    dark = np.full((20, 20), 180, np.uint8)
    assert airlight(image, dark, top=0.01, **BOUNDS) == pytest.approx((195 / 255,) * 3)


@pytest.mark.parametrize(
    ("colour", "kept"),
    [((0, 0, 0), (0.6, 0.6, 0.6)), ((255, 255, 255), (0.9, 0.9, 0.9)), ((240, 180, 120), (0.776, 0.706, 0.635))],
)
def test_the_airlight_is_neither_dark_nor_white_nor_of_strong_colour(
    colour: tuple[float, ...], kept: tuple[float, ...]
) -> None:
    """Shadow, cloud tops and bare soil are no haze: their light is brought within the bounds."""
    image = np.full((8, 8, 3), colour, np.uint8)
    found = airlight(image, image.min(axis=2), top=0.01, **BOUNDS)
    assert found == pytest.approx(kept, abs=0.5 / 255)


def test_transmission_tells_haze_from_bright_ground_and_from_cloud() -> None:
    """Grey light is haze; as bright but colourful ground is not; and below `opaque` nothing is to be brought back."""

    def found(*colour: float) -> float:
        relative = np.full((8, 8, 3), colour, np.float32)
        chroma = np.ptp(relative, axis=2)
        t = transmission(relative.min(axis=2), chroma, colour=2.0, window=3, clear=0.1, opaque=0.2)
        assert np.ptp(t) == 0
        return float(t[0, 0])

    assert found(0.1, 0.1, 0.1) == pytest.approx(1)
    assert found(0.55, 0.55, 0.55) == pytest.approx(0.5)
    assert found(0.55, 0.6, 0.55) == pytest.approx((0.45 + 0.1) / 0.9)
    assert found(0.55, 0.9, 0.7) == pytest.approx(1)
    assert found(1.0, 1.0, 1.0) == pytest.approx(1)
    assert found(0.91, 0.91, 0.91) == pytest.approx(1 - 0.5 * 0.9)
