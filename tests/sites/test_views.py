"""What scenes look like on a grid: beside each other, cropped, and as small as a page wants them."""

import io
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rasterio import Affine
from scenes import write_scene
from site_settings import site

from igarape.chips.pictures import Pixels
from igarape.sites.area import site_area
from igarape.sites.bands import Bands
from igarape.sites.stretch import Stretch
from igarape.sites.views import CROP, SIDES, View, open_view, side_that_fits

RED, BLUE, BLACK = (200, 30, 20), (20, 40, 180), (0, 0, 0)


@pytest.fixture
def view(tmp_path: Path) -> Iterator[View]:
    """Open two scenes of one day: a red one over the left half of the site, a blue one over its right third."""
    grid = site_area(site(), "here").grid
    told = {"date": "2024-01-05", "bands": asdict(Bands(1, 2, 3)), "stretch": Stretch().to_json()}
    scenes = []
    for name, colour, left, width in (("red", RED, 0, 96), ("blue", BLUE, 128, 64)):
        ground = np.empty((3, 128, width), dtype=np.uint8)
        ground[:] = np.array(colour)[:, None, None]
        transform = Affine(*grid.transform) @ Affine.translation(left, 0)
        path = tmp_path / f"{name}.tif"
        scenes.append((write_scene(path, ground, crs=grid.crs, transform=transform), told))
    with open_view(scenes, grid) as opened:
        yield opened


def decoded(image: bytes) -> Pixels:
    """Read a JPEG."""
    return np.asarray(Image.open(io.BytesIO(image)).convert("RGB"))


def near(pixel: Pixels, colour: tuple[int, ...]) -> bool:
    """Say whether a pixel of a JPEG has a colour."""
    return bool(np.abs(pixel.astype(int) - colour).max() <= 12)


def test_scenes_of_a_day_lie_beside_each_other_and_what_none_shows_is_black(view: View) -> None:
    """As on the grid, at the side that was asked for."""
    ground = decoded(view.ground(96))
    assert ground.shape == (64, 96, 3)
    assert near(ground[32, 20], RED) and near(ground[32, 80], BLUE) and near(ground[32, 56], BLACK)
    assert decoded(view.ground(5000)).shape == (128, 192, 3)


def test_what_a_scene_of_16_bits_does_not_show_hides_no_other_one(tmp_path: Path) -> None:
    """Its stretch makes a colour of the value that holds nothing, be that 0 or another one."""
    grid = site_area(site(), "here").grid
    stretch = Stretch((0.01, 0.01, 0.01), (40.0, 40.0, 40.0))
    told = {"date": "2024-01-05", "bands": asdict(Bands(1, 2, 3)), "stretch": stretch.to_json()}
    for nodata in (0, 65535):
        scenes = []
        for name, part in (("left", slice(0, 64)), ("right", slice(128, 192))):
            ground = np.full((3, 128, 192), nodata, dtype=np.uint16)
            ground[:, :, part] = 16_000
            path = tmp_path / f"{name}-{nodata}.tif"
            there = {"crs": grid.crs, "transform": Affine(*grid.transform), "nodata": nodata}
            scenes.append((write_scene(path, ground, **there), told))
        with open_view(scenes, grid) as opened:
            shown = decoded(opened.ground(192))
        assert near(shown[64, 32], (200, 200, 200)) and near(shown[64, 160], (200, 200, 200))
        assert near(shown[64, 96], BLACK)


def test_the_scene_whose_look_counts_at_a_tile_is_on_top_there(tmp_path: Path) -> None:
    """Elsewhere, and where none counts, the first one is."""
    grid = site_area(site(), "here").grid
    told = {"date": "2024-01-05", "bands": asdict(Bands(1, 2, 3)), "stretch": Stretch().to_json()}
    scenes = []
    for name, colour in (("red", RED), ("blue", BLUE)):
        ground = np.empty((3, 128, 192), dtype=np.uint8)
        ground[:] = np.array(colour)[:, None, None]
        scenes.append(
            (write_scene(tmp_path / f"{name}.tif", ground, crs=grid.crs, transform=Affine(*grid.transform)), told)
        )
    with open_view(scenes, grid, {0: 0, 1: 1}) as opened:
        assert near(decoded(opened.ground(96))[32, 48], RED)
        for tile, colour in ((0, RED), (1, BLUE), (2, RED)):
            assert near(decoded(opened.at(tile).crop(0, 64))[60, 60], colour)


def test_a_cut_shows_half_a_tile_around_a_tile_and_black_beyond_the_grid(view: View) -> None:
    """The tile fills the middle; a tile in a corner has nothing above and to the left."""
    crop = decoded(view.crop(0, 0))
    assert crop.shape == (CROP, CROP, 3)
    assert near(crop[10, 60], BLACK) and near(crop[60, 10], BLACK) and near(crop[60, 60], RED)
    last = decoded(view.crop(64, 128))
    assert near(last[60, 60], BLUE) and near(last[60, 120], BLACK) and near(last[10, 60], BLUE)


def test_the_largest_side_is_chosen_that_fits_and_else_the_smallest(view: View) -> None:
    """By what the day's ground takes."""
    assert side_that_fits(view, 10**7) == SIDES[0]
    assert side_that_fits(view, 0) == SIDES[-1]
