"""Scales and offsets that a file names bring its values to the unit of all scenes."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from scenes import write_scene

from igarape.errors import InputError
from igarape.sites.bands import Bands
from igarape.sites.scene import open_scene
from igarape.sites.units import PLAIN, Units

EIGHT = np.full((4, 20, 30), 7, dtype=np.uint8)
DEEP = EIGHT.astype(np.uint16)
RGB = Bands(3, 2, 1)


def tagged(path: Path, bands: np.ndarray, scales: tuple[float, ...], offsets: tuple[float, ...]) -> Path:
    """Write a scene of four bands that names what its values mean."""
    write_scene(path, bands)
    with rasterio.open(path, "r+") as file:
        file.scales, file.offsets = scales, offsets
    return path


def units(path: Path, bands: Bands = RGB) -> Units:
    """Return the units of a scene."""
    with open_scene(path, bands=bands, day="2024-05-31") as scene:
        return scene.units


def test_reflectance_is_counted_in_parts_of_10_000(tmp_path: Path) -> None:
    """Of each used band, in their order; a scale of 1 leaves the unit as it is."""
    path = tagged(tmp_path / "a.tif", DEEP, (1e-4, 1e-4, 2.75e-5, 1), (-0.1, 0, -0.2, -1000))
    assert units(path) == Units((0.275, 1.0, 1.0), (-2000.0, 0.0, -1000.0))
    assert units(path, Bands(3, 2, 1, 4)) == Units((0.275, 1.0, 1.0, 1.0), (-2000.0, 0.0, -1000.0, -1000.0))


def test_what_names_nothing_is_plain_and_so_are_pictures(tmp_path: Path) -> None:
    """10,000 parts of a reflectance of 1 are the numbers that files without tags have; 8 bits are a picture."""
    assert units(write_scene(tmp_path / "a.tif", DEEP)).plain
    assert units(tagged(tmp_path / "b.tif", DEEP, (1e-4,) * 4, (0,) * 4)).plain
    assert units(tagged(tmp_path / "c.tif", EIGHT, (2,) * 4, (5,) * 4)) == PLAIN
    assert PLAIN.tables() is None and PLAIN.to_json() is None
    np.testing.assert_array_equal(PLAIN.meant(DEEP[:3, 0]), DEEP[:3, 0])


def test_values_below_0_and_beyond_16_bits_are_cut_where_16_bits_are_asked_for() -> None:
    """As shadows under an offset are; the first bands only may be asked for."""
    found = Units((1.0, 2.0), (-1000.0, 0.0))
    tables = found.tables()
    assert tables is not None and found.to_json() == {"gain": [1.0, 2.0], "shift": [-1000.0, 0.0]}
    assert [int(tables[0][value]) for value in (0, 999, 1000, 65535)] == [0, 0, 0, 64535]
    assert [int(tables[1][value]) for value in (0, 999, 40_000)] == [0, 1998, 65535]
    np.testing.assert_array_equal(found.meant(np.array([[500, 2000]], dtype=np.uint16)), [[-500.0, 1000.0]])


@pytest.mark.parametrize(
    ("scale", "offset"),
    [(float("nan"), 0), (0, 0), (-1e-4, 0), (1e300, 0), (1e-20, 0), (1e-4, float("inf")), (1e-4, 1e308)],
)
def test_what_means_nothing_is_refused(scale: float, offset: float, tmp_path: Path) -> None:
    """A scale or an offset that no sensor has, of a band that is used; of another one it is no matter."""
    path = tagged(tmp_path / "a.tif", DEEP, (1, 1, 1, scale), (0, 0, 0, offset))
    assert units(path).plain
    with pytest.raises(InputError, match=r"a\.tif: says that the scale of band 4 is .*gdal_edit\.py -scale 1"):
        units(path, Bands(3, 2, 1, 4))
