"""A scene is read as it is where it lies on the grid, and resampled where it does not."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import rasterio
from pyproj import Transformer
from rasterio import Affine
from scenes import LEFT, TOP, write_scene

from igarape.errors import InputError
from igarape.labels import Booleans
from igarape.sites.bands import Bands
from igarape.sites.placement import own_grid
from igarape.sites.raster import on_grid
from igarape.sites.resampling import Samples
from igarape.sites.scene import open_scene
from igarape.sites.tiles import Grid

RGB = Bands(1, 2, 3)
DAY = "2024-05-31"


def smooth(side: int) -> Samples:
    """Draw three bands that change slowly, none of them 0."""
    rough = np.random.default_rng(1).integers(40, 216, (8, 8, 3), dtype=np.uint8)
    return np.moveaxis(cv2.resize(rough, (side, side), interpolation=cv2.INTER_CUBIC), -1, 0).clip(1)


def read(path: Path, grid: Grid | None = None, bands: Bands = RGB) -> tuple[Grid, Samples, Booleans, bool]:
    """Read a whole scene on a grid, its own without one; say whether it was resampled."""
    with open_scene(path, bands=bands, day=DAY) as scene:
        grid = grid or own_grid(scene, metres=3.0, size=16, stride=8)
        raster = on_grid(scene, grid)
        samples, valid = raster.empty(grid.height, grid.width)
        raster.read(0, 0, samples, valid)
        return grid, samples, valid, raster.warp is not None


def test_pixels_like_the_trainings_are_read_as_they_are(tmp_path: Path) -> None:
    """3 m and 3.1 m: the scene's own grid, and its own pixels."""
    ground = smooth(40)
    for metres in (3.0, 3.1):
        path = write_scene(tmp_path / f"{metres}.tif", ground, transform=Affine(metres, 0, LEFT, 0, -metres, TOP))
        grid, samples, valid, resampled = read(path)
        assert (grid.left, grid.top, grid.pixel, grid.width, grid.height) == (LEFT, TOP, metres, 40, 40)
        assert not resampled and valid.all()
        np.testing.assert_array_equal(samples, ground)


@pytest.mark.parametrize("metres", [1.5, 2.0, 5.0, 6.0])
def test_other_pixels_are_resampled_to_the_trainings(metres: float, tmp_path: Path) -> None:
    """What is shown stays what it was, on pixels of 3 m."""
    ground = smooth(120)
    path = write_scene(tmp_path / "a.tif", ground, transform=Affine(metres, 0, LEFT, 0, -metres, TOP))
    grid, samples, valid, resampled = read(path)
    assert resampled and grid.pixel == 3.0 and grid.crs == "EPSG:32718"
    side = round(120 * metres / 3)
    expected = cv2.resize(np.moveaxis(ground, 0, -1), (side, side), interpolation=cv2.INTER_AREA)
    inside = np.s_[3 : side - 3, 3 : side - 3]
    down, across = round((TOP - grid.top) / 3), round((grid.left - LEFT) / 3)
    place = np.s_[down : down + grid.height, across : across + grid.width]
    shown = np.zeros((side + 1, side + 1, 3), dtype=int)
    shown[place] = np.moveaxis(samples, 0, -1)[: side + 1 - down, : side + 1 - across]
    assert valid.all() and np.abs(shown[:side, :side][inside] - expected[inside].astype(int)).mean() < 3


def test_overviews_change_nothing(tmp_path: Path) -> None:
    """A scene of 1.5 m that somebody has added overviews to is resampled from its own pixels all the same."""
    ground = np.random.default_rng(0).integers(1, 256, (3, 600, 600), dtype=np.uint8)
    half = Affine(1.5, 0, LEFT, 0, -1.5, TOP)
    _, plain, _, _ = read(write_scene(tmp_path / "a.tif", ground, transform=half))
    layout: dict[str, Any] = {"driver": "COG", "blocksize": 128, "overview_count": 2}
    _, layered, _, _ = read(write_scene(tmp_path / "b.tif", ground, transform=half, **layout))
    with rasterio.open(tmp_path / "b.tif") as file:
        assert file.overviews(1)
    np.testing.assert_array_equal(plain, layered)


def test_degrees_and_turned_grids_are_laid_north_up_in_utm(tmp_path: Path) -> None:
    """In the zone of the scene's middle; what lies where is what the scene says."""
    ground = smooth(160)
    x, y = Transformer.from_crs(32718, 4326, always_xy=True).transform(LEFT, TOP)
    step = 3.0 / 111_000
    degrees = write_scene(tmp_path / "a.tif", ground, crs="EPSG:4326", transform=Affine(step, 0, x, 0, -step, y))
    turned = Affine.translation(LEFT, TOP) @ Affine.rotation(20) @ Affine.scale(3, -3)
    rotated = write_scene(tmp_path / "b.tif", ground, transform=turned)
    for path in (degrees, rotated):
        grid, samples, valid, resampled = read(path)
        assert resampled and grid.crs == "EPSG:32718" and grid.pixel == 3.0
        assert grid.left % 3 == 0 and grid.top % 3 == 0
        assert not valid.all() or path == degrees
        with open_scene(path, bands=RGB, day=DAY) as scene:
            here = Transformer.from_crs(scene.crs, grid.crs, always_xy=True)
            for row, column in ((80, 80), (40, 100), (120, 30)):
                at = here.transform(*(scene.dataset.transform @ (column + 0.5, row + 0.5)))
                place = int((grid.top - at[1]) / 3), int((at[0] - grid.left) / 3)
                assert valid[place]
                difference = samples[:, place[0], place[1]].astype(int) - ground[:, row, column].astype(int)
                assert np.abs(difference).max() <= 12


def test_two_crops_are_resampled_alike(tmp_path: Path) -> None:
    """A site's grid that lies a third of a pixel off: what both crops show whole, they show alike, to the bit."""
    ground = np.random.default_rng(0).integers(1, 256, (3, 90, 90), dtype=np.uint8)
    grid = Grid("EPSG:32718", LEFT + 1, TOP - 1, 3.0, 88, 88, 16, 8)
    _, whole, _, resampled = read(write_scene(tmp_path / "a.tif", ground), grid)
    moved = Affine(3, 0, LEFT + 60, 0, -3, TOP - 30)
    _, part, valid, _ = read(write_scene(tmp_path / "b.tif", ground[:, 10:, 20:], transform=moved), grid)
    assert resampled and valid[15:, 25:].all() and not valid[:8].any()
    np.testing.assert_array_equal(part[:, 13:, 23:-3], whole[:, 13:, 23:-3])


@pytest.mark.parametrize("off", [0.0, 1.0])
def test_what_holds_nothing_is_known_however_it_is_said(off: float, tmp_path: Path) -> None:
    """By a value, by an alpha band, by a mask of the file's own, or by 0; as it is and resampled."""
    ground = smooth(60)
    hole = np.zeros((60, 60), dtype=bool)
    hole[20:40, 10:30] = True
    grid = Grid("EPSG:32718", LEFT + off, TOP - off, 3.0, 50, 50, 16, 8)
    nothing = np.where(hole, 0, 255).astype(np.uint8)
    files = {
        "value": write_scene(tmp_path / "value.tif", np.where(hole, np.uint8(200), ground.clip(1, 199)), nodata=200),
        "zero": write_scene(tmp_path / "zero.tif", np.where(hole, np.uint8(0), ground)),
        "alpha": write_scene(
            tmp_path / "alpha.tif", np.concatenate([ground, nothing[None]]), photometric="RGB", alpha="YES"
        ),
        "mask": write_masked(tmp_path / "mask.tif", ground, nothing),
    }
    for kind, path in files.items():
        _, _, valid, resampled = read(path, grid)
        assert resampled == bool(off), kind
        assert not valid[22:37, 12:27].any(), kind
        assert valid[:18].all() and valid[42:].all() and valid[:, 32:].all(), kind


def write_masked(path: Path, ground: Samples, mask: Samples) -> Path:
    """Write a scene with a mask of its own."""
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        write_scene(path, ground)
        with rasterio.open(path, "r+") as file:
            file.write_mask(mask)
    return path


def test_a_scene_of_another_place_is_refused(tmp_path: Path) -> None:
    """It does not touch the grid."""
    path = write_scene(tmp_path / "a.tif", smooth(40))
    for off in (0.0, 1.0):
        with pytest.raises(InputError, match="does not touch the grid"):
            read(path, Grid("EPSG:32718", LEFT + 9000 + off, TOP, 3.0, 40, 40, 16, 8))


def test_a_block_that_is_damaged_is_named(tmp_path: Path) -> None:
    """A file that was cut short: its header is whole, its last rows are not."""
    path = write_scene(tmp_path / "a.tif", smooth(120), compress="deflate", tiled=True, blockxsize=16, blockysize=16)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(InputError, match=r"a\.tif: rows \d+ to \d+ cannot be read: a block is damaged or cut short"):
        read(path)
