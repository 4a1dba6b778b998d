"""A map says of each tile what the model says of the same pixels as a chip, and nothing where nothing was seen."""

import copy
import dataclasses
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import rasterio
from conftest import REFERENCE, SIZE, WHITE, draw
from rasterio import Affine
from scenes import CRS, LEFT, METRES, TOP, mosaic, write_scene, write_vrt

from igarape.chips.nir import planes
from igarape.chips.pictures import Pixels
from igarape.errors import InputError
from igarape.sites import answers
from igarape.sites.bands import Bands
from igarape.sites.mapping import MapOptions, map_scene
from igarape.sites.model import Model, load_model
from igarape.sites.stretch import Stretch, stretched
from igarape.sites.tiles import Grid
from igarape.sites.units import PLAIN

RGB = Bands(1, 2, 3)
ACROSS = 4
DAY = "2024-05-31"
USUAL: dict[str, Any] = {"bands": RGB, "day": DAY}


def quiet(done: int, total: int) -> None:
    """Report nothing."""


@pytest.fixture(scope="module")
def model(bundle_folder: Path) -> Model:
    """Give the small bundle, of chips of 16 x 16 pixels of 3 m."""
    return load_model(str(bundle_folder))


@pytest.fixture
def chips() -> list[Pixels]:
    """Give twelve chips."""
    return draw(12)


def answering(model: Model, p: Sequence[float]) -> Model:
    """Return a model that answers the same to everything."""
    bundle: Any = copy.copy(model.bundle)
    bundle.probabilities = lambda images, _nir=None: np.tile(np.array(p, dtype=np.float32), (len(images), 1))
    return dataclasses.replace(model, bundle=bundle)


@pytest.fixture(scope="module")
def constant(model: Model) -> Model:
    """Give a model that answers the same to everything: sun and trees."""
    return answering(model, [0.9, 0.1, 0.7, 0.2, 0.04])


Rows = np.ndarray[Any, np.dtype[np.uint8]]


def mapped(scene: Path, model: Model, **asked: Any) -> tuple[dict[str, Any], pd.DataFrame]:
    """Map a scene, and return map.json and the tiles by their names."""
    out = scene.with_suffix("")
    said = map_scene(scene, out, model=model, asked=MapOptions(**USUAL | asked), report=quiet)
    return dict(said), pq.read_table(out / "tiles.parquet").to_pandas().set_index("tile")


def probabilities(tiles: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of probabilities."""
    return tiles.filter(like="p_")


def test_a_tile_of_the_grid_answers_as_its_chip(tmp_path: Path, model: Model, chips: list[Pixels]) -> None:
    """Chips are laid side by side; each one's tile has its probabilities within 1e-6, and its tags."""
    scene = write_scene(tmp_path / "scene.tif", mosaic(chips, ACROSS))
    said, tiles = mapped(scene, model, stride=SIZE)
    expected = model.bundle.tag(chips)
    assert list(tiles.index) == [f"{row}_{column}" for row in range(3) for column in range(ACROSS)]
    assert list(tiles["tags"]) == list(expected["tags"])
    found = probabilities(tiles).to_numpy()
    seen = ~np.isnan(found)
    assert seen.mean() > 0.5
    np.testing.assert_allclose(found[seen], probabilities(expected).to_numpy()[seen], atol=1e-6)
    assert said["looked"] == 12 and said["valid"] == 1.0 and said["crs"] == "EPSG:32718"


LAYOUTS: dict[str, dict[str, Any]] = {
    "striped": {"tiled": False, "blockysize": 1},
    "tiled": {"tiled": True, "blockxsize": 16, "blockysize": 16, "compress": "deflate"},
    "planes": {"interleave": "band", "compress": "lzw"},
    "big": {"BIGTIFF": "YES"},
    "cog": {"driver": "COG", "blocksize": 128, "overview_count": 2},
}


@pytest.fixture(scope="module")
def ground() -> Rows:
    """Give a scene of 75 x 83 pixels, whose last tiles do not fit into the stride."""
    return np.random.default_rng(2).integers(1, 256, (3, 75, 83), dtype=np.uint8)


@pytest.mark.parametrize("layout", [*LAYOUTS, "vrt"])
def test_how_a_file_is_laid_out_changes_nothing(layout: str, tmp_path: Path, model: Model, ground: Rows) -> None:
    """Strips, tiles, planes, BigTIFF, COG and a VRT of two parts: the same to 1e-6."""
    _, expected = mapped(write_scene(tmp_path / "plain.tif", ground), model)
    if layout == "vrt":
        halves = [ground[:, :40], ground[:, 40:]]
        parts = [
            write_scene(tmp_path / f"part_{n}.tif", half, transform=Affine(3, 0, LEFT, 0, -3, TOP - 120 * n))
            for n, half in enumerate(halves)
        ]
        scene = write_vrt(tmp_path / "scene.vrt", parts, (40, 35), 83)
    else:
        scene = write_scene(tmp_path / "scene.tif", ground, **LAYOUTS[layout])
    _, found = mapped(scene, model)
    assert list(found["tags"]) == list(expected["tags"])
    np.testing.assert_allclose(probabilities(found), probabilities(expected), atol=1e-6)


def test_two_crops_of_one_ground_agree(tmp_path: Path, model: Model, ground: Rows) -> None:
    """On one grid, tiles that both show whole are the same; those that a crop shows less than half of are missing."""
    grid = Grid("EPSG:32718", LEFT, TOP, 3.0, 83, 75, SIZE, 8)
    _, whole = mapped(write_scene(tmp_path / "whole.tif", ground), model, grid=grid)
    crop = write_scene(tmp_path / "crop.tif", ground[:, 20:, 13:], transform=Affine(3, 0, LEFT + 39, 0, -3, TOP - 60))
    _, part = mapped(crop, model, grid=grid)
    both = part.index[part["valid"] == 1]
    assert 20 < len(both) < len(whole)
    np.testing.assert_allclose(probabilities(part.loc[both]), probabilities(whole.loc[both]), atol=1e-6)
    assert part["tags"].isna().equals(part["valid"] < 0.5) and (part["valid"] < 0.5).any()


def test_a_constant_model_gives_a_constant_map(tmp_path: Path, constant: Model) -> None:
    """In each cell and each label, corners included, whatever the stride is."""
    ground = np.random.default_rng(2).integers(1, 256, (3, 75, 83), dtype=np.uint8)
    for stride in (5, 8, 11, 16):
        mapped(write_scene(tmp_path / f"scene_{stride}.tif", ground), constant, stride=stride)
        with rasterio.open(tmp_path / f"scene_{stride}/map.tif") as layers:
            values = layers.read()
            assert layers.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            assert layers.descriptions == constant.bundle.vocabulary.labels
            assert layers.nodata == 255 and values.shape[1:] == (-(-75 // stride), -(-83 // stride))
        assert all(len(np.unique(band)) == 1 and band[0, 0] != 255 for band in values)


def test_what_holds_nothing_is_missing_and_never_0(tmp_path: Path, constant: Model, ground: Rows) -> None:
    """Nodata, also where no file says so: no probability and no tag of its tiles, 255 in its cells."""
    holed = ground.copy()
    holed[:, :40, :40] = 0
    told: dict[str, dict[str, Any]] = {"said": {"nodata": 0}, "silent": {}}
    for name, profile in told.items():
        said, tiles = mapped(write_scene(tmp_path / f"{name}.tif", holed, **profile), constant, stride=8)
        empty = tiles["valid"] < 0.5
        assert empty["0_0"] and not empty["8_8"]
        assert probabilities(tiles[empty]).isna().all(axis=None) and tiles.loc[empty, "tags"].isna().all()
        assert probabilities(tiles[~empty]).notna().all(axis=None)
        assert said["looked"] == (~empty).sum()
        with rasterio.open(tmp_path / name / "map.tif") as layers:
            values = layers.read()
        assert (values[:, :5, :5] == 255).all() and (values[:, 5:, 5:] != 255).all()


def test_half_of_a_tile_has_to_hold_something(tmp_path: Path, constant: Model) -> None:
    """The share is exact, and just half is enough."""
    ground = np.full((3, 16, 48), 9, dtype=np.uint8)
    ground[:, :, :8] = 0
    ground[:, :, 16:25] = 0
    _, tiles = mapped(write_scene(tmp_path / "scene.tif", ground), constant, stride=16)
    assert tiles["valid"].tolist() == [0.5, 0.4375, 1.0]
    assert tiles["tags"].isna().tolist() == [False, True, False]


def test_under_clouds_nothing_but_the_weather_was_seen(tmp_path: Path, model: Model) -> None:
    """A label that rules out all others hides the ground: its tile keeps the weather and its tags."""
    foggy = answering(model, [0.2, 0.8, 0.7, 0.2, 0.04])
    _, tiles = mapped(write_scene(tmp_path / "scene.tif", np.full((3, 20, 20), 9, dtype=np.uint8)), foggy)
    assert tiles[["p_sun", "p_fog"]].notna().all(axis=None)
    assert tiles[["p_tree", "p_pond", "p_kiln"]].isna().all(axis=None)
    assert set(tiles["tags"]) == {"fog"}


def test_16_bits_are_stretched_once_and_alike(tmp_path: Path, model: Model) -> None:
    """One line for the whole scene, which another scene may take over: then its tiles answer alike."""
    ground = np.random.default_rng(4).integers(3000, 9000, (3, 96, 96)).astype(np.uint16)
    said, tiles = mapped(write_scene(tmp_path / "whole.tif", ground), model, stride=16)
    assert said["bits"] == 16 and len(said["stretch"]["gain"]) == 3
    stretch = Stretch.from_json(said["stretch"], "map.json")
    with pytest.raises(InputError, match=r"has 16 bits, but the stretch of other\.json is one of 8 bits"):
        mapped(tmp_path / "whole.tif", model, stride=16, stretch=Stretch(of="other.json"))
    low = Affine(3, 0, LEFT, 0, -3, TOP - 48)
    again, part = mapped(
        write_scene(tmp_path / "part.tif", ground[:, 16:], transform=low), model, stride=16, stretch=stretch
    )
    assert again["stretch"] == said["stretch"] | {"of": "map.json", "straight": None}
    np.testing.assert_allclose(probabilities(part), probabilities(tiles.iloc[6:]), atol=1e-6)
    chip = stretched(ground[:, :16, :16], stretch.tables(PLAIN))
    expected = model.bundle.tag([chip])
    assert tiles["tags"].iloc[0] == expected["tags"].iloc[0]


def test_one_ground_in_other_numbers_answers_alike(tmp_path: Path, nir_bundle_folder: Path) -> None:
    """Where a file names a scale and an offset: one stretch does for all, and near-infrared is what it was."""
    model, bands = load_model(str(nir_bundle_folder)), Bands(1, 2, 3, 4)
    ground = np.random.default_rng(4).integers(3000, 9000, (4, 48, 48)).astype(np.uint16)
    said, plain = mapped(write_scene(tmp_path / "plain.tif", ground), model, bands=bands, stride=16)
    stretch = Stretch.from_json(said["stretch"], "map.json")
    for number, (numbers, scale, offset) in enumerate(((ground + 1000, 1e-4, -0.1), (ground * 4, 2.5e-5, 0))):
        path = write_scene(tmp_path / f"{number}.tif", numbers.astype(np.uint16))
        with rasterio.open(path, "r+") as file:
            file.scales, file.offsets = (scale,) * 4, (offset,) * 4
        for asked in (stretch, None):
            told, tiles = mapped(path, model, bands=bands, stride=16, stretch=asked)
            np.testing.assert_allclose(told["stretch"]["gain"], said["stretch"]["gain"], rtol=1e-9)
            np.testing.assert_allclose(probabilities(tiles), probabilities(plain), atol=1e-6)


def test_near_infrared_is_seen_as_in_chips(tmp_path: Path, nir_bundle_folder: Path, chips: list[Pixels]) -> None:
    """A model that sees it gets the planes of the TIF of the same pixels; without the band it is asked for."""
    model = load_model(str(nir_bundle_folder))
    leaves = np.random.default_rng(3).integers(1, 256, (12, 16, 16), dtype=np.uint8)
    rgb = mosaic(chips, ACROSS)
    nir = mosaic([np.repeat(one[:, :, None], 3, axis=2) for one in leaves], ACROSS)[:1]
    scene = write_scene(tmp_path / "scene.tif", np.concatenate([rgb, nir]))
    _, tiles = mapped(scene, model, bands=Bands(1, 2, 3, 4), stride=SIZE)
    deep = [
        np.dstack([chip[:, :, ::-1], leaf]).astype(np.uint16) * 257 for chip, leaf in zip(chips, leaves, strict=True)
    ]
    expected = model.bundle.tag(chips, [planes(one, white=WHITE) for one in deep])
    assert list(tiles["tags"]) == list(expected["tags"])
    with pytest.raises(InputError, match=r"scene\.tif: the model sees near-infrared too.*nir=4"):
        mapped(scene, model, stride=8)


def test_a_scene_that_holds_nothing_is_refused(tmp_path: Path, model: Model) -> None:
    """8 bits and 16: in one line, and nothing is left under the map's name."""
    for kind in (np.uint8, np.uint16):
        scene = write_scene(tmp_path / f"{kind.__name__}.tif", np.zeros((3, 40, 40), dtype=kind))
        with pytest.raises(InputError, match=r"\.tif: .*nodata wherever one looks"):
            mapped(scene, model)
        assert not scene.with_suffix("").exists()


@pytest.mark.parametrize("metres", [0.3, 30.0])
def test_pixels_unlike_the_trainings_are_refused_on_a_site_too(metres: float, tmp_path: Path, model: Model) -> None:
    """Resampled to its grid they would look like ground that has changed."""
    ground = np.full((3, 400, 400), 90, dtype=np.uint8)
    path = write_scene(tmp_path / "a.tif", ground, transform=Affine(metres, 0, LEFT, 0, -metres, TOP))
    with pytest.raises(InputError, match=f"its pixels are {metres:.3g} m wide; the model was trained"):
        mapped(path, model, grid=Grid(CRS, LEFT, TOP, METRES, 48, 32, 16, 8))
    assert not (tmp_path / "a").exists()


def test_a_damaged_block_leaves_no_map(tmp_path: Path, model: Model) -> None:
    """Where the last rows are cut off, nothing lies under the map's name."""
    ground = np.random.default_rng(4).integers(1, 256, (3, 96, 96), dtype=np.uint8)
    scene = write_scene(tmp_path / "a.tif", ground, compress="deflate", tiled=True, blockxsize=16, blockysize=16)
    scene.write_bytes(scene.read_bytes()[:-3000])
    with pytest.raises(InputError, match="a block is damaged or cut short"):
        mapped(scene, model)
    assert not scene.with_suffix("").exists()


def test_what_is_no_map_is_not_replaced(tmp_path: Path, model: Model) -> None:
    """A folder of somebody's, a stride that leaves gaps, and a bundle that knows no resolution are refused."""
    scene = write_scene(tmp_path / "a.tif", np.full((3, 20, 20), 9, dtype=np.uint8))
    with pytest.raises(InputError, match="--stride 17: leaves ground between tiles of 16 pixels"):
        mapped(scene, model, stride=17)
    for reference, said in ((None, "does not say what its training chips"), (REFERENCE, "does not say how large")):
        bundle = copy.copy(model.bundle)
        silent = reference and reference.model_copy(update={"metres": None})
        bundle.manifest = bundle.manifest.model_copy(update={"reference": silent})
        with pytest.raises(InputError, match=said):
            mapped(scene, dataclasses.replace(model, bundle=bundle))
    (tmp_path / "a").mkdir()
    (tmp_path / "a/thesis.txt").touch()
    with pytest.raises(InputError, match=r"a: is there, and is no map of igarape's"):
        mapped(scene, model)
    assert (tmp_path / "a/thesis.txt").exists()


def test_a_map_that_is_there_is_left_and_another_one_takes_its_place(tmp_path: Path, model: Model) -> None:
    """The same scene asked for in the same way is not mapped again; with another stride it is."""
    scene = write_scene(tmp_path / "a.tif", np.full((3, 20, 20), 9, dtype=np.uint8))
    first, _ = mapped(scene, model)
    written = (tmp_path / "a/tiles.parquet").stat().st_mtime_ns
    assert mapped(scene, model)[0] == first and (tmp_path / "a/tiles.parquet").stat().st_mtime_ns == written
    assert mapped(scene, model, stride=4)[0]["grid"]["stride"] == 4


KILLED = """
import os, signal
from pathlib import Path
from igarape.sites import answers, mapping
from igarape.errors import InputError
from igarape.sites import answers
from igarape.sites.bands import Bands
from igarape.sites.model import load_model
answers.DOWN, answers.ACROSS = 2, 5
calls = 0
def die(done, total):
    global calls
    calls += 1
    if calls == {moment}:
        os.kill(os.getpid(), signal.SIGKILL)
mapping.map_scene(
    Path("scene.tif"), Path("map"), model=load_model("{bundle}"),
    asked=mapping.MapOptions(bands=Bands(1, 2, 3), day="2024-05-31"), report=die,
)
"""


def contents(folder: Path) -> dict[str, bytes]:
    """Return what the files of a map hold; of map.json all but how long it took."""
    said = json.loads((folder / "map.json").read_text(encoding="utf-8"))
    assert said.pop("seconds") >= 0
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "map.json"} | {
        "map.json": json.dumps(said).encode()
    }


@pytest.mark.parametrize("moments", [(3,), pytest.param(range(1, 11), marks=pytest.mark.thorough)])
def test_a_killed_run_is_gone_on_with_to_the_byte(
    moments: Sequence[int], tmp_path: Path, model: Model, bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after some of its parts, then run to its end: every file as of a run that nobody disturbed."""
    ground = np.random.default_rng(4).integers(1, 256, (3, 99, 83), dtype=np.uint8)
    write_scene(tmp_path / "scene.tif", ground)
    monkeypatch.chdir(tmp_path)
    for name, count in (("DOWN", 2), ("ACROSS", 5)):
        monkeypatch.setattr(answers, name, count)
    asked = MapOptions(bands=RGB, day=DAY)
    map_scene(Path("scene.tif"), Path("whole"), model=model, asked=asked, report=quiet)
    for moment in moments:
        code = KILLED.format(moment=moment, bundle=bundle_folder)
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
        assert not Path("map").exists()
        begun: list[int] = []
        map_scene(Path("scene.tif"), Path("map"), model=model, asked=asked, report=lambda part, _: begun.append(part))  # noqa: B023
        assert begun[0] == (moment - 1) * begun[-1] // (len(begun) + moment - 2)
        assert contents(Path("map")) == contents(Path("whole"))
        assert not Path(".unfinished").exists()
        shutil.rmtree("map")
