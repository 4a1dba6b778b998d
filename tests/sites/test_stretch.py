"""A stretch brings a scene's 16 bits to the training's 8; 8 bits stay as they are."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from igarape.errors import InputError
from igarape.sites.stretch import Stretch, doubt_line, fit, read_stretch, straightness, stretched
from igarape.sites.units import PLAIN

LEVELS = {"10": (40.0, 50.0, 60.0), "50": (90.0, 100.0, 110.0), "90": (190.0, 200.0, 210.0)}


def test_what_was_linear_is_found_again() -> None:
    """Chips whose 8 bits are a line of 16 bits: gain and offset are that line's."""
    rng = np.random.default_rng(0)
    values = rng.integers(3000, 9000, (3, 50_000)).astype(np.uint16)
    gain, offset = np.array([0.02, 0.03, 0.025]), np.array([-50.0, -80.0, -60.0])
    eight = gain[:, None] * values + offset[:, None]
    levels = {str(p): tuple(np.percentile(eight, p, axis=1)) for p in (5, 25, 50, 75, 90)}
    found = fit(values, levels, "scene.tif")
    np.testing.assert_allclose(found.gain or (), gain, rtol=1e-6)
    np.testing.assert_allclose(found.offset or (), offset, rtol=1e-6)


def test_the_middle_of_a_dark_scene_becomes_the_trainings() -> None:
    """PlanetScope's medians are 7081, 6882 and 4731 of 65535: divided by 257 that is nearly black."""
    rng = np.random.default_rng(0)
    values = np.clip(rng.normal([[4731], [6882], [7081]], 800, (3, 20_000)), 0, 65535).astype(np.uint16)
    tables = fit(values, LEVELS, "scene.tif").tables(PLAIN)
    pixels = stretched(values.reshape(3, 100, 200), tables)
    assert pixels.shape == (100, 200, 3) and pixels.dtype == np.uint8
    np.testing.assert_allclose(np.median(pixels, axis=(0, 1)), [107, 117, 127], atol=12)
    assert (values.mean(axis=1) / 257 < 30).all()


def test_no_stretch_leaves_8_bits_as_they_are() -> None:
    """To the bit, as predict sees them."""
    values = np.random.default_rng(0).integers(0, 256, (3, 8, 9), dtype=np.uint8)
    assert Stretch().tables(PLAIN) is None
    np.testing.assert_array_equal(stretched(values, None), np.moveaxis(values, 0, -1))


def test_it_is_clipped_and_never_wraps() -> None:
    """Black stays black, white stays white."""
    tables = Stretch((1.0, 1.0, 1.0), (-100.0, 0.0, 100.0)).tables(PLAIN)
    values = np.array([0, 100, 65535], dtype=np.uint16).reshape(1, 1, 3).repeat(3, axis=0)
    np.testing.assert_array_equal(stretched(values, tables)[0], [[0, 0, 100], [0, 100, 200], [255, 255, 255]])


def test_it_is_read_as_it_was_written() -> None:
    """What map.json holds; anything else is refused."""
    for one in (Stretch(), Stretch((0.1, 0.2, 0.3), (1.0, -2.0, 3.0))):
        assert Stretch.from_json(one.to_json(), "map.json") == replace(one, of="map.json")
    for content in (None, {}, {"gain": [1, 2], "offset": [1, 2]}, {"gain": "abc", "offset": None}):
        with pytest.raises(InputError, match=r"^map\.json: .* map\.json"):
            Stretch.from_json(content, "map.json")


def test_a_scene_of_one_value_has_none() -> None:
    """Nothing can be fitted to it."""
    with pytest.raises(InputError, match=r"scene\.tif: a colour of it holds one value only.*--stretch"):
        fit(np.full((3, 100), 5000, dtype=np.uint16), LEVELS, "scene.tif")
    with pytest.raises(InputError, match="one value only"):  # in units in which it is no whole number
        fit(np.full((3, 100), 0.1 + 0.2), LEVELS, "scene.tif")


def test_a_scene_without_white_is_on_no_line_with_the_training() -> None:
    """As clear forest beside chips of which some are cloud; gain and offset of a sensor count for nothing."""
    rng = np.random.default_rng(0)
    dark, white = rng.normal(45, 6, (3, 3000)), rng.normal(160, 20, (3, 1000))
    chips = np.concatenate([dark, white], axis=1)
    levels = {str(p): tuple(np.percentile(chips, p, axis=1)) for p in (5, 10, 25, 50, 75, 90)}
    sensor = [(2500 + 55 * part).astype(np.uint16) for part in (chips, dark, white, np.full((3, 9), 7.0))]
    same, forest, cloud, flat = (straightness(samples, levels) for samples in sensor)
    assert same > 0.9999 and max(forest, cloud) < 0.97 and flat == 0


def test_a_site_s_stretch_does_for_a_map(tmp_path: Path) -> None:
    """As it stands in its YAML; one that has none yet is refused."""
    path = tmp_path / "here.yaml"
    for stretch, known in (
        ({"gain": [0.1, 0.2, 0.3], "offset": [1.0, -2.0, 3.0]}, True),
        (None, False),
    ):
        path.write_text(yaml.safe_dump({"crs": "EPSG:32718", "stretch": stretch}), encoding="utf-8")
        if known:
            assert read_stretch(path) == Stretch((0.1, 0.2, 0.3), (1.0, -2.0, 3.0), of=str(path))
        else:
            with pytest.raises(InputError, match="no stretch in it"):
                read_stretch(path)


def test_a_stretch_that_fits_badly_is_told() -> None:
    """Clear ground alone, where the training has cloud too; one of the training's kind is not."""
    rng = np.random.default_rng(0)
    ground, cloud = rng.normal(50, 5, (3, 20_000)), rng.normal(200, 20, (3, 10_000))
    levels = {str(p): tuple(np.percentile(np.concatenate([ground, cloud], axis=1), p, axis=1)) for p in (5, 50, 75, 90)}
    for seen, well in ((np.concatenate([ground, cloud], axis=1), True), (ground, False)):
        found = fit((2500 + 55 * seen).astype(np.uint16), levels, "scene.tif").to_json()
        assert bool(doubt_line(found)) is not well and (found["straight"] > 0.99) is well
    assert not doubt_line(Stretch().to_json())
