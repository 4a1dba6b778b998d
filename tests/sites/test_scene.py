"""A scene that cannot be mapped is refused in one line, before any pixel is read."""

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import tifffile
from rasterio import Affine
from scenes import LEFT, METRES, TOP, write_scene, write_vrt

from igarape.errors import InputError
from igarape.sites.bands import Bands
from igarape.sites.scene import hashes, identity, known_by, open_scene

RGB = Bands(1, 2, 3)
EIGHT = np.full((3, 20, 30), 7, dtype=np.uint8)
DAY = "2024-05-31"
USUAL: dict[str, Any] = {"bands": RGB, "day": DAY}


def refused(path: Path, **asked: Any) -> str:
    """Open a scene, and return why it is refused: one line that names it."""
    with pytest.raises(InputError) as caught, open_scene(path, **USUAL | asked):
        pass
    said = str(caught.value)
    assert "\n" not in said and said.startswith(f"{path}: ")
    return said


def test_a_scene_says_what_it_is(tmp_path: Path) -> None:
    """Its bands, its day, its pixels on the ground, and what holds nothing."""
    with open_scene(write_scene(tmp_path / "a.tif", EIGHT, nodata=9), bands=RGB, day=DAY) as scene:
        assert scene.crs == "EPSG:32718" and not scene.deep and scene.nodata == 9.0
        assert scene.bands == RGB and str(scene.date) == DAY
        assert scene.metres == pytest.approx(METRES, rel=1e-3)


def test_its_pixels_are_measured_on_the_ground(tmp_path: Path) -> None:
    """In degrees, in feet, and where a map stretches the ground: Mercator's metres are longer at 60 degrees."""
    degrees = write_scene(tmp_path / "a.tif", EIGHT, crs="EPSG:4326", transform=Affine(1e-4, 0, -60, 0, -1e-4, 0.001))
    mercator = write_scene(tmp_path / "b.tif", EIGHT, crs="EPSG:3857", transform=Affine(6, 0, 0, 0, -6, 8_399_738))
    feet = write_scene(tmp_path / "c.tif", EIGHT, crs="EPSG:2263", transform=Affine(10, 0, 980_000, 0, -10, 200_000))
    for path, metres in ((degrees, 11.1), (mercator, 3.0), (feet, 3.048)):
        with open_scene(path, bands=RGB, day=DAY) as scene:
            assert scene.metres == pytest.approx(metres, rel=0.01)


def test_nobody_knows_where_it_lies(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    """Without a reference system, and without corners; rasterio's warning of it would stand above our line."""
    scenes = [
        write_scene(tmp_path / "a.tif", EIGHT, crs=None),
        write_scene(tmp_path / "b.tif", EIGHT, transform=Affine.identity()),
    ]
    recwarn.clear()  # of writing them
    assert "no coordinate reference system" in refused(scenes[0])
    assert "no georeference" in refused(scenes[1])
    assert not recwarn.list


@pytest.mark.parametrize("kind", ["float32", "float64", "int16", "int32", "complex64", "uint32"])
def test_samples_of_another_kind_are_refused(kind: str, tmp_path: Path) -> None:
    """Floats may hold NaN, integers with a sign what is below black, complex ones are no picture."""
    said = refused(write_scene(tmp_path / "a.tif", EIGHT.astype(kind)))
    assert f"expected samples of 8 or 16 bits without a sign (uint8 or uint16), found {kind}" in said
    assert ("NaN" in said) == kind.startswith("float")
    assert "gdal_translate" in said


def test_a_palette_is_refused(tmp_path: Path) -> None:
    """Its pixels are no brightness."""
    path = write_scene(tmp_path / "a.tif", EIGHT[:1])
    with rasterio.open(path, "r+") as file:
        file.write_colormap(1, {7: (1, 2, 3, 255)})
    assert "a palette's colours" in refused(path)


def test_a_nodata_that_no_sample_can_be_counts_for_none(tmp_path: Path) -> None:
    """NaN, and what is out of range, as some writers leave it: 0 holds nothing then, as where no value is named."""
    path = write_scene(tmp_path / "a.tif", EIGHT, nodata=9)
    for value in ("nan", "-9999", "300", "7.5"):
        with tifffile.TiffFile(path, mode="r+") as file:
            file.pages.first.tags["GDAL_NODATA"].overwrite(value)
        with open_scene(path, bands=RGB, day=DAY) as scene:
            assert scene.nodata == 0


def test_bands_and_day_are_asked_for(tmp_path: Path) -> None:
    """Where nothing says them."""
    path = write_scene(tmp_path / "a.tif", EIGHT)
    assert "nothing says which of its 3 bands is red" in refused(path, bands=None)
    assert "neither the file nor its name says one date" in refused(path, day=None)


def test_what_is_no_scene_is_refused(tmp_path: Path) -> None:
    """Not there, no raster, or a header cut short."""
    assert "not found" in refused(tmp_path / "none.tif")
    os.mkfifo(tmp_path / "pipe.tif")
    assert "no file" in refused(tmp_path / "pipe.tif")
    text = tmp_path / "text.tif"
    text.write_text("hello")
    assert "no scene that GDAL reads" in refused(text)
    whole = write_scene(tmp_path / "whole.tif", EIGHT).read_bytes()
    text.write_bytes(whole[:6])
    assert "no scene that GDAL reads, or cut short" in refused(text)
    other = tmp_path / b"jo\xe3o.tif".decode("utf-8", "surrogateescape")  # of an old disk, in an inbox of others
    other.touch()
    assert "its path is not in UTF-8, and GDAL takes no other. Rename it" in refused(other)


def test_what_was_meant_is_guessed(tmp_path: Path) -> None:
    """A folder of scenes, and the STAC item of one."""
    assert refused(tmp_path).endswith(f"Is it a folder of scenes? Name these: {tmp_path}/*.tif")
    item = tmp_path / "item.json"
    item.write_text("{}", encoding="utf-8")
    assert refused(item).endswith("Is it a STAC item? Name the scene that it describes")


def test_an_alpha_band_that_is_used_is_none(tmp_path: Path) -> None:
    """Writers call any fourth band so; where it is named as near-infrared it hides nothing."""
    path = write_scene(tmp_path / "a.tif", np.concatenate([EIGHT, EIGHT[:1]]), photometric="RGB", alpha="YES")
    for bands, alpha in ((RGB, 4), (Bands(1, 2, 3, 4), None)):
        with open_scene(path, bands=bands, day=DAY) as scene:
            assert scene.alpha == alpha and not scene.masked


def test_files_are_known_by_what_they_hold(tmp_path: Path) -> None:
    """As sha256sum says; those that a VRT names are among them."""
    parts = [
        write_scene(tmp_path / f"{n}.tif", EIGHT + n, transform=Affine(3, 0, LEFT, 0, -3, TOP - 60 * n)) for n in (0, 1)
    ]
    path = write_vrt(tmp_path / "a.vrt", parts, (20, 20), 30)
    with open_scene(path, bands=RGB, day=DAY) as scene:
        found = hashes(scene)
    assert found == {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in (path, *parts)}
    assert next(iter(found)) == "a.vrt"
    assert identity(path) == known_by(path, found) not in found.values()
    (tmp_path / "a.vrt.aux.xml").write_text("<PAMDataset/>", encoding="utf-8")  # as programs leave it that look at it
    assert identity(path) == known_by(path, found)
    parts[1].unlink()
    assert identity(path) != known_by(path, found)


def test_files_of_one_name_in_two_folders_are_two(tmp_path: Path) -> None:
    """Each counts: a change of either is one of the scene."""
    for folder in ("a", "b"):
        write_scene(tmp_path / folder / "part.tif", EIGHT)
    path = write_vrt(tmp_path / "all.vrt", [tmp_path / "a.tif", tmp_path / "b.tif"], (20, 20), 30)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("a.tif", "a/part.tif").replace("b.tif", "b/part.tif"), encoding="utf-8")
    with open_scene(path, bands=RGB, day=DAY) as scene:
        assert list(hashes(scene)) == ["all.vrt", "a/part.tif", "b/part.tif"]


@pytest.mark.parametrize("corner", [(1e12, 1e12), (float("nan"), TOP)])
def test_a_scene_that_lies_nowhere_is_refused(corner: tuple[float, float], tmp_path: Path) -> None:
    """Its pixels have no side on the ground."""
    path = write_scene(tmp_path / "a.tif", EIGHT, transform=Affine(3, 0, corner[0], 0, -3, corner[1]))
    assert "in EPSG:32718, which is nowhere on Earth" in refused(path)


def test_a_vrt_that_is_none_is_known_by_itself(tmp_path: Path) -> None:
    """Who maps it says what is wrong; and a scene by its file, whatever lies beside it."""
    path = tmp_path / "a.vrt"
    path.write_text("<VRTDataset", encoding="utf-8")
    assert identity(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_damaged_header_is_told_whatever_of_it_is_damaged(tmp_path: Path) -> None:
    """Where it says where the scene lies, errors are other libraries' than rasterio's; none comes through as it is."""
    path = write_scene(tmp_path / "2024-01-01.tif", np.full((3, 64, 64), 90, dtype=np.uint8))
    whole = path.read_bytes()
    keys = whole.index(np.array([1024, 0, 1, 1], dtype="<u2").tobytes())  # GeoTIFF's first key
    told = []
    for place in range(keys - 8, keys + 80, 2):
        path.write_bytes(whole[:place] + b"\0" + whole[place + 1 :])
        try:
            with open_scene(path, bands=RGB, day=None):
                told.append("")
        except InputError as error:
            told.append(type(error.__cause__).__name__)
    assert {"", "ProjError"} <= set(told)
