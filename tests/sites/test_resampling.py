"""What a place shows when it is resampled depends on its ground alone: on no crop, layout, or part that is read."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer
from rasterio import Affine
from scenes import CRS, LEFT, TOP, write_scene

from igarape.labels import Booleans
from igarape.sites.bands import Bands
from igarape.sites.placement import own_grid
from igarape.sites.raster import on_grid
from igarape.sites.resampling import PHASE, Samples
from igarape.sites.scene import open_scene
from igarape.sites.tiles import Grid

SIDE = 150  # of the scene that crops are cut from
RNG = np.random.default_rng(0)
DEPTHS: dict[str, npt.NDArray[Any]] = {
    "uint8": RNG.integers(1, 256, (3, SIDE, SIDE), dtype=np.uint8),
    "uint16": RNG.integers(1, 65536, (3, SIDE, SIDE), dtype=np.uint16),
}
X, Y = Transformer.from_crs(CRS, 4326, always_xy=True).transform(LEFT, TOP)
EAST = Transformer.from_crs(CRS, 32719, always_xy=True).transform(LEFT, TOP)
STEP = 3 / 111_000
TWO_ZONES = "antimeridian"  # its crops' own grids lie in the one or the other
# What a scene's pixels are, as a system and a transform; each is laid on pixels of 3 m.
KINDS: dict[str, tuple[str, Affine]] = {
    "5 m": (CRS, Affine(5, 0, LEFT + 1, 0, -5, TOP - 2)),  # positions that are ties of 8 bits
    "2 m": (CRS, Affine(2, 0, LEFT, 0, -2, TOP)),
    "1.5 m": (CRS, Affine(1.5, 0, LEFT + 0.5, 0, -1.5, TOP)),
    "half a pixel off": (CRS, Affine(3, 0, LEFT + 1.5, 0, -3, TOP + 1.5)),
    "a third": (CRS, Affine(3, 0, LEFT + 1, 0, -3, TOP - 1)),
    "degrees": ("EPSG:4326", Affine(STEP, 0, X, 0, -STEP, Y)),
    "large degrees": ("EPSG:4326", Affine(1.9 * STEP, 0, X, 0, -1.7 * STEP, Y)),
    "rotated": (CRS, Affine.translation(LEFT, TOP) @ Affine.rotation(33) @ Affine.scale(3.4, -2.9)),
    "from the south up": (CRS, Affine(4, 0, LEFT, 0, 4, TOP - 4 * SIDE)),
    TWO_ZONES: ("EPSG:4326", Affine(STEP, 0, 180 - 70 * STEP, 0, -STEP, Y)),
    "another zone": ("EPSG:32719", Affine.translation(*EAST) @ Affine.scale(3, -3)),
}
GIVEN = Grid(CRS, LEFT, TOP, 3.0, SIDE, SIDE, 16, 8)  # as a site's, where a scene has the training's pixels
LAID = {"half a pixel off", "a third", "another zone"}  # on that one
Wholes = dict[tuple[str, str], tuple[Grid, Samples, Booleans]]


def read(path: Path, grid: Grid | None, *, rows: int = 10_000) -> tuple[Grid, Samples, Booleans]:
    """Read a scene on a grid, its own without one, so many rows at a time."""
    with open_scene(path, bands=Bands(1, 2, 3), day="2024-05-31") as scene:
        grid = grid or own_grid(scene, metres=3.0, size=16, stride=8)
        raster = on_grid(scene, grid)
        samples, valid = raster.empty(grid.height, grid.width)
        for start in range(0, grid.height, rows):
            part = slice(start, start + rows)
            raster.read(start, 0, samples[:, part], valid[part])
        assert raster.warp is not None
        return grid, samples, valid


@pytest.fixture(scope="module")
def wholes(tmp_path_factory: pytest.TempPathFactory) -> Wholes:
    """Give each kind of scene, in each depth, whole on its own grid."""
    folder, found = tmp_path_factory.mktemp("wholes"), {}
    for kind, (crs, transform) in KINDS.items():
        for depth, ground in DEPTHS.items():
            path = write_scene(folder / f"{kind} {depth}.tif", ground, crs=crs, transform=transform)
            found[kind, depth] = read(path, GIVEN if kind in LAID else None)
    return found


class Crop(NamedTuple):
    """A part of a scene: of which kind and depth, where it begins, how large it is, and how its file is laid out."""

    kind: str
    depth: str
    first: tuple[int, int]
    size: tuple[int, int]
    layout: dict[str, Any]


CROPS = st.builds(
    Crop,
    kind=st.sampled_from(sorted(KINDS)),
    depth=st.sampled_from(sorted(DEPTHS)),
    first=st.tuples(st.integers(0, SIDE // 2), st.integers(0, SIDE // 2)),
    size=st.tuples(st.integers(40, SIDE), st.integers(40, SIDE)),
    layout=st.sampled_from([{}, {"tiled": True, "blockxsize": 32, "blockysize": 16}, {"interleave": "band"}]),
)


@given(crop=CROPS, rows=st.sampled_from([7, 32, 10_000]), own=st.booleans())
def test_two_crops_show_the_same_ground_alike(
    crop: Crop, rows: int, own: bool, wholes: Wholes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """To the bit, wherever the crop holds something, on the same grid and on that of the crop itself."""
    grid, whole, held = wholes[crop.kind, crop.depth]
    crs, transform = KINDS[crop.kind]
    (top, left), (height, width) = crop.first, crop.size
    part = DEPTHS[crop.depth][:, top : top + height, left : left + width]
    moved = transform @ Affine.translation(left, top)
    path = write_scene(tmp_path_factory.mktemp("crop") / "a.tif", part, crs=crs, transform=moved, **crop.layout)
    found, samples, valid = read(path, None if own and crop.kind not in LAID | {TWO_ZONES} else grid, rows=rows)
    assert found.crs == grid.crs and valid.any()
    down, across = round((grid.top - found.top) / 3), round((found.left - grid.left) / 3)
    padded, there = np.pad(whole, ((0, 0), (200, 200), (200, 200))), np.pad(held, 200)
    place = np.s_[200 + down : 200 + down + found.height, 200 + across : 200 + across + found.width]
    assert there[place][valid].all()
    np.testing.assert_array_equal(samples[:, valid], padded[:, *place][:, valid])


def test_a_pixel_holds_something_where_all_do_that_it_is_made_of(tmp_path: Path) -> None:
    """At the border as around a hole; and it is what an average by hand says."""
    ground = DEPTHS["uint8"].copy()
    ground[:, 60:70, 80:95] = 0
    transform = Affine(3, 0, LEFT + 1, 0, -3, TOP - 1)  # a third of a pixel to the right, and below
    path = write_scene(tmp_path / "a.tif", ground, transform=transform)
    _, samples, valid = read(path, Grid(CRS, LEFT, TOP, 3.0, SIDE + 1, SIDE + 1, 16, 8))
    expected = np.zeros((SIDE + 1, SIDE + 1), dtype=bool)
    expected[1:-1, 1:-1] = True
    expected[60:71, 80:96] = False
    np.testing.assert_array_equal(valid, expected)
    near, far = 2 / 3, 1 / 3
    by_hand = far * ground[:, :-1].astype(float) + near * ground[:, 1:]
    by_hand = far * by_hand[:, :, :-1] + near * by_hand[:, :, 1:]
    shown = samples[:, 1:-1, 1:-1].astype(float)[:, valid[1:-1, 1:-1]]
    assert np.abs(shown - by_hand[:, valid[1:-1, 1:-1]]).max() <= 0.5 + 255 * 2 / PHASE


@pytest.mark.parametrize("kind", ["5 m", "2 m", "1.5 m"])
def test_a_plain_scene_s_own_grid_is_whole(kind: str, wholes: Wholes) -> None:
    """No tile of it is cut by the border, and not a pixel more is lost than that takes."""
    grid, _, held = wholes[kind, "uint8"]
    _, transform = KINDS[kind]
    assert held.all()
    assert max(abs(grid.left - transform.c), abs(grid.top - transform.f)) < transform.a / 2 + 3


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_an_even_ground_stays_what_it_is(kind: str, tmp_path: Path) -> None:
    """Weights make one together, at any place."""
    crs, transform = KINDS[kind]
    for value in (1, 40_001, 65_535):
        even = np.full((3, 40, 40), value, dtype=np.uint16)
        path = write_scene(tmp_path / f"{value}.tif", even, crs=crs, transform=transform)
        _, samples, valid = read(path, GIVEN if kind in LAID else None)
        assert valid.any() and (samples[:, valid] == value).all() and not samples[:, ~valid].any()


def test_a_part_that_lies_far_outside_holds_nothing(tmp_path: Path) -> None:
    """Also where the scene's system does not reach it."""
    crs, transform = KINDS["degrees"]
    path = write_scene(tmp_path / "a.tif", DEPTHS["uint8"], crs=crs, transform=transform)
    far = Grid(CRS, LEFT, TOP, 3.0, 10**9, 10**9, 16, 2**20)
    with open_scene(path, bands=Bands(1, 2, 3), day="2024-05-31") as scene:
        raster = on_grid(scene, far)
        for place in (5000, 10**8, 10**9 - 64):
            samples, valid = raster.empty(40, 50)
            samples[:], valid[:] = 9, True
            raster.read(place, place, samples, valid)
            assert not valid.any() and not samples.any()
