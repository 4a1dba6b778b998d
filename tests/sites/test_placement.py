"""A scene has a grid of its own, in the training's pixels, and lies somewhere on another one."""

from pathlib import Path

import numpy as np
import pytest
from rasterio import Affine
from scenes import CRS, LEFT, TOP, write_scene

from igarape.errors import InputError
from igarape.sites.bands import Bands
from igarape.sites.placement import extent, offset, own_grid
from igarape.sites.scene import open_scene
from igarape.sites.tiles import Grid

GROUND = np.full((3, 30, 40), 90, dtype=np.uint8)


def own(path: Path) -> Grid:
    """Return the grid of a scene."""
    with open_scene(path, bands=Bands(1, 2, 3), day="2024-05-31") as scene:
        return own_grid(scene, metres=3.0, size=16, stride=8)


@pytest.mark.parametrize("metres", [0.3, 1.4, 6.2, 30.0, 213.0])
def test_pixels_beyond_a_factor_of_two_are_refused(metres: float, tmp_path: Path) -> None:
    """The sentence says what was found and what was expected."""
    path = write_scene(tmp_path / "a.tif", GROUND, transform=Affine(metres, 0, LEFT, 0, -metres, TOP))
    with pytest.raises(InputError, match=r"pixels are \S+ m wide; .*trained on pixels of 3 m, and takes 1\.5 to 6 m"):
        own(path)


def test_a_scene_that_is_smaller_than_a_tile_is_refused(tmp_path: Path) -> None:
    """It has no grid."""
    with pytest.raises(InputError, match=r"expected at least 16 x 16 pixels of 3 m, found 40 x 12"):
        own(write_scene(tmp_path / "a.tif", GROUND[:, :12]))


def test_a_grid_that_is_turned_by_rounding_is_not_turned(tmp_path: Path) -> None:
    """As some writers leave it: its pixels are read as they are."""
    path = write_scene(tmp_path / "a.tif", GROUND, transform=Affine(3, 1e-13, LEFT, -1e-13, -3, TOP))
    grid = own(path)
    assert (grid.left, grid.top, grid.width, grid.height) == (LEFT, TOP, 40, 30)
    with open_scene(path, bands=Bands(1, 2, 3), day="2024-05-31") as scene:
        assert offset(scene, grid) == (0, 0)


@pytest.mark.parametrize(
    ("east", "south", "pixel", "where"),
    [
        (30.0, 9.0, 3.0, (3, 10)),
        (-30.001, -9.001, 3.0, (-3, -10)),
        (31.0, 9.0, 3.0, None),
        (30.0, 9.0, 3.1, None),
    ],
)
def test_it_lies_on_a_grid_by_whole_pixels_or_not(
    east: float, south: float, pixel: float, where: tuple[int, int] | None, tmp_path: Path
) -> None:
    """Within a thousandth of one; that the grid begins outside of it is well; another side of a pixel is none of it."""
    grid = Grid(CRS, LEFT + east, TOP - south, pixel, 20, 25, 16, 8)
    with open_scene(write_scene(tmp_path / "a.tif", GROUND), bands=Bands(1, 2, 3), day="2024-05-31") as scene:
        assert offset(scene, grid) == where
        rows, columns = extent(scene, grid)
    first = -np.array([south, east]) / pixel  # of the scene's first pixel on the grid
    last = first + np.array([30, 40]) * 3 / pixel
    expected = np.clip([np.floor(first + 1e-3), np.ceil(last - 1e-3)], 0, [25, 20])
    np.testing.assert_array_equal([rows[0], columns[0], rows[1], columns[1]], expected.ravel())


@pytest.mark.parametrize("west", [179.9995, -180.0005])
def test_a_scene_in_degrees_may_cross_the_antimeridian(west: float, tmp_path: Path) -> None:
    """Its middle lies in the first zone, however its longitudes are counted."""
    path = write_scene(tmp_path / "a.tif", GROUND, crs="EPSG:4326", transform=Affine(27e-6, 0, west, 0, -27e-6, -16))
    grid = own(path)
    assert grid.crs == "EPSG:32701" and (grid.width, grid.height) == pytest.approx((40, 30), abs=2)


@pytest.mark.parametrize("turned", [(3, LEFT, 3, TOP - 90), (-3, LEFT + 120, -3, TOP), (-3, LEFT + 120, 3, TOP - 90)])
def test_rows_and_columns_may_run_the_other_way(turned: tuple[float, float, float, float], tmp_path: Path) -> None:
    """From the south up, or from east to west: the ground is the same."""
    a, left, e, top = turned
    path = write_scene(tmp_path / "a.tif", GROUND, transform=Affine(a, 0, left, 0, e, top))
    with open_scene(path, bands=Bands(1, 2, 3), day="2024-05-31") as scene:
        grid = own_grid(scene, metres=3.0, size=16, stride=8)
        assert grid.sides == (LEFT, TOP - 90, LEFT + 120, TOP)
        assert offset(scene, grid) is None and extent(scene, grid) == ((0, 30), (0, 40))
