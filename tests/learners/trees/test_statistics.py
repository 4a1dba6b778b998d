"""The statistics of a chip: known answers for simple pictures, and the same ones from all eight sides."""

from typing import Any

import literal_statistics
import numpy as np
import numpy.typing as npt
import pytest

from igarape.chips.drawn.drawing import draw_chips
from igarape.chips.pictures import Pixels, decode, resize, symmetries
from igarape.learners.trees.statistics import (
    BORDERS,
    DIRECTIONS,
    _kinds,
    names,
    statistics,
)

SIDE = 64
ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE]
NOISE: Pixels = np.random.default_rng(4).integers(0, 256, (3, SIDE, SIDE, 3), dtype=np.uint8)


def flat(*rgb: int) -> Pixels:
    """Paint a chip in one colour."""
    return np.full((SIDE, SIDE, 3), rgb, dtype=np.uint8)


def grey(levels: npt.NDArray[Any]) -> Pixels:
    """Make a grey chip of levels (side, side)."""
    return np.repeat(levels.astype(np.uint8)[:, :, None], 3, axis=2)


def of(chip: Pixels) -> dict[str, float]:
    """Return a chip's statistics by name."""
    return dict(zip(names(), statistics([chip])[0].tolist(), strict=True))


@pytest.mark.parametrize("size", [32, 96])
def test_a_turned_or_mirrored_chip_has_the_same_statistics(size: int) -> None:
    """To the last bit, on noise and on a landscape of edges; so test-time augmentation has nothing to add."""
    rows, columns = np.mgrid[:size, :size]
    field = np.stack([rows * 2, columns // 9 * 20, (rows * 3 + columns) // 16 * 16], axis=-1) % 256
    chips = np.stack([NOISE[0, :32, :32].repeat(size // 32, axis=0).repeat(size // 32, axis=1), field.astype(np.uint8)])
    expected = statistics(chips)
    assert len(np.unique(expected[1])) > 100  # the field is not one that would look alike whatever is computed
    for view in symmetries(chips):
        np.testing.assert_array_equal(statistics(view), expected)


def test_each_chip_has_a_row_of_its_own() -> None:
    """Float32, in the order of the names, whoever else is asked for; no chip, no row."""
    table = statistics(NOISE)
    assert table.dtype == np.float32 and table.shape == (3, len(names()))
    assert len(set(names())) == len(names())
    np.testing.assert_array_equal(table[1:2], statistics(chip for chip in NOISE[1:2]))
    assert statistics(NOISE[:0]).shape == (0, len(names()))


@pytest.mark.parametrize("level", [0, 255])
def test_a_flat_chip_is_no_division_by_nothing(level: int) -> None:
    """All statistics are numbers, though nothing varies and no pixel has a hue."""
    found = of(flat(level, level, level))
    assert np.isfinite(list(found.values())).all()
    assert found["red_mean"] == found["red_least"] == found["coarse_blue_most"] == level
    assert found["red_deviation"] == found["edges_most_1"] == found["roughness_most_2"] == 0
    assert found["likeness_16"] == found["pattern_8_4"] == 1  # each neighbour is as bright
    assert sum(value for name, value in found.items() if name.startswith(("hue", "direction"))) == 0


def test_mean_deviation_and_quantiles_of_two_levels() -> None:
    """A quarter of the pixels at 200, the others at 100: known answers, skewed to the bright side."""
    found = of(grey(np.where((ROWS < SIDE // 2) & (COLUMNS < SIDE // 2), 200, 100)))
    assert found["green_mean"] == pytest.approx(125)
    assert found["green_deviation"] == pytest.approx(np.sqrt(0.75 * 0.25) * 100)
    assert found["green_skewness"] == pytest.approx(0.5 / np.sqrt(0.75 * 0.25), rel=1e-6)
    quantiles = [found[f"green_{name}"] for name in ("least", "q05", "q25", "median", "q75", "q95", "most")]
    assert quantiles == [100, 100, 100, 100, 100, 200, 200]


def test_vegetation_is_told_from_soil() -> None:
    """Both indices reach their ends at pure colours, and lie in the middle for grey."""
    green, red, dull = of(flat(0, 255, 0)), of(flat(255, 0, 0)), of(flat(90, 90, 90))
    assert (green["excess_green_mean"], green["greenness_mean"]) == (255, 255)
    assert red["excess_green_mean"] < dull["excess_green_mean"] == 127
    assert (red["greenness_mean"], dull["greenness_mean"]) == (0, 127)


def test_hues_count_as_much_as_they_are_saturated() -> None:
    """Red is the first hue, half of a chip is half of its share, and pink counts less."""
    assert of(flat(255, 0, 0))["hue_0"] == pytest.approx(1)
    assert of(flat(255, 128, 128))["hue_0"] == pytest.approx(127 / 255, abs=0.01)
    half = flat(255, 0, 0)
    half[: SIDE // 2] = 70
    assert of(half)["hue_0"] == pytest.approx(0.5)


def test_likeness_is_the_correlation_of_pixels_some_way_apart() -> None:
    """A board of single squares is its own opposite one pixel away, and itself again after two."""
    found = of(grey((ROWS + COLUMNS) % 2 * 255))
    assert found["likeness_1"] == pytest.approx(-1)
    assert found["likeness_2"] == found["likeness_16"] == pytest.approx(1)
    assert abs(of(NOISE[0])["likeness_1"]) < 0.1


def test_edges_are_straight_along_a_road_and_not_in_noise() -> None:
    """A slope of one direction, whichever, is straight everywhere, and all its edges share that direction."""
    for slope in (COLUMNS * 3, ROWS + COLUMNS):
        found = of(grey(slope))
        assert found["straightness_median_1"] >= 254
        assert found["direction_0_1"] > 0.9  # at the borders there is no slope
    noise = of(NOISE[0])
    assert noise["straightness_median_1"] < 128
    assert noise["direction_0_1"] < 0.25


def test_houses_have_edges_at_right_angles() -> None:
    """Two directions share them, and together they are nearly all that there is."""
    found = of(grey((ROWS // 16 + COLUMNS // 16) % 2 * 200))
    assert found["direction_0_1"] == pytest.approx(found["direction_1_1"], abs=0.01)
    assert found["crossing_1"] > 0.9
    assert of(NOISE[0])["crossing_1"] < 0.5


def test_roughness_is_twice_the_deviation_around_a_pixel() -> None:
    """Of 25 pixels of a board, 13 are of the one kind and 12 of the other."""
    found = of(grey((ROWS + COLUMNS) % 2 * 255))
    assert found["roughness_median_1"] == int(2 * 255 * np.sqrt(12 * 13) / 25)
    assert found["roughness_median_2"] == 0  # from farther away it is grey


def test_of_the_256_local_patterns_58_are_uniform() -> None:
    """Each is told by how many neighbours are bright: 1 with none, 1 with all, 8 with each number between."""
    assert np.bincount(_kinds()).tolist() == [1, 8, 8, 8, 8, 8, 8, 8, 1, 198]
    shares = [value for name, value in of(NOISE[0]).items() if name.startswith("pattern") and name.endswith("_1")]
    assert len(shares) == 10 and sum(shares) == pytest.approx(1)


def test_a_bright_spot_is_a_pattern_of_its_own() -> None:
    """No neighbour is as bright as it is, and that is seen once among the 62 x 62 inner pixels."""
    spot = flat(10, 10, 10)
    spot[30, 30] = 200
    assert of(spot)["pattern_0_1"] == pytest.approx(1 / 62**2)


@pytest.mark.parametrize("size", [32, 100, 128, 256])
def test_they_are_those_of_the_literal_implementation_to_the_last_bit(size: int) -> None:
    """For drawn chips from their JPEGs, noise, and chips of one colour; names and order are the same too."""
    drawn = [decode(one.chip.origin.read(), "chip") for one in draw_chips(range(8), 1, seed=3, size=256)]
    noise = list(np.random.default_rng(size).integers(0, 256, (2, size, size, 3), dtype=np.uint8))
    chips = [resize(chip, size) for chip in drawn] + noise + [np.full((size, size, 3), 255, dtype=np.uint8)]
    literal = [literal_statistics.describe(chip) for chip in chips]
    assert all(tuple(found) == names() for found in literal)
    expected = np.array([list(found.values()) for found in literal], dtype=np.float32)
    np.testing.assert_array_equal(statistics(chips), expected)


def test_whole_slopes_lie_between_the_borders_of_directions() -> None:
    """Counting the borders that a slope is beyond gives the nearest direction, for each slope that a chip may have."""
    wide, high = np.mgrid[:1021, :1021]
    nearest = np.rint(np.arctan2(high, wide) * (DIRECTIONS / np.pi)).astype(np.int64)
    beyond = sum((high.astype(np.float32) > wide.astype(np.float32) * border).astype(np.int64) for border in BORDERS)
    np.testing.assert_array_equal(beyond, nearest)
