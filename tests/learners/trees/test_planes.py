"""Planes of a chip: whole numbers that turn with it, and what some of them are of colours known by hand."""

import numpy as np
import numpy.typing as npt
import pytest

from igarape.chips.pictures import Pixels, symmetries
from igarape.learners.trees.planes import COLOURS, TEXTURE, Texture, colour_planes, grey_plane, hsv_planes

NOISE: Pixels = np.random.default_rng(2).integers(0, 256, (40, 40, 3), dtype=np.uint8)
CHIP: Pixels = NOISE.repeat(2, axis=0).repeat(2, axis=1)


def planes(chip: Pixels) -> npt.NDArray[np.uint8]:
    """Return all planes of a chip, one behind the other."""
    grey = grey_plane(chip)
    return np.dstack([grey, *colour_planes(chip, hsv_planes(chip)), *Texture.of(grey).planes])


def test_a_turned_or_mirrored_chip_has_its_planes_turned_or_mirrored() -> None:
    """To the last bit, each of them, the texture's at the borders too."""
    seen = planes(CHIP)
    assert seen.dtype == np.uint8 and seen.shape == (80, 80, 1 + len(COLOURS) + len(TEXTURE))
    for chip, expected in zip(symmetries(CHIP[None]), symmetries(seen[None]), strict=True):
        np.testing.assert_array_equal(planes(np.ascontiguousarray(chip[0])), expected[0])


@pytest.mark.parametrize(
    ("rgb", "known"),
    [
        ((10, 200, 30), {"red": 10, "darkest": 10, "brightest": 200, "saturation": 242, "excess_green": 217}),
        ((90, 90, 90), {"darkest": 90, "saturation": 0, "redness": 128, "yellowness": 128, "excess_green": 127}),
    ],
)
def test_colours_known_by_hand(rgb: tuple[int, int, int], known: dict[str, int]) -> None:
    """Green is saturated and green, grey is nothing of the kind."""
    chip = np.full((32, 32, 3), rgb, dtype=np.uint8)
    found = {name: int(plane[0, 0]) for name, plane in zip(COLOURS, colour_planes(chip, hsv_planes(chip)), strict=True)}
    assert {name: found[name] for name in known} == known
