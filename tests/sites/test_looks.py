"""Looks are kept as they came: once each, never changed, and read by days."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from site_looks import TILES, facts, look, tiles, write_site

from igarape.errors import InputError
from igarape.sites.looks import Facts, add_looks, list_looks
from igarape.sites.site_folder import SiteFolder


def listed(place: SiteFolder) -> list[Facts]:
    """Return what is known of all looks, but for what the model says of them."""
    found = list_looks(place.looks)
    assert all(len(each.said) == 32 for each in found)
    return [replace(each, said="") for each in found]


def test_the_same_scene_twice_is_one_look(tmp_path: Path) -> None:
    """The second one changes no byte, whatever it says."""
    place = write_site(tmp_path)
    assert look(place, 3, {"water": 0.5})
    before = {path.name: path.read_bytes() for path in place.looks.iterdir()}
    assert not look(place, 3, {"water": 0.9})
    assert {path.name: path.read_bytes() for path in place.looks.iterdir()} == before


def test_looks_are_listed_by_days_and_read_as_they_were(tmp_path: Path) -> None:
    """Whatever order they came in; probabilities to the bit."""
    place = write_site(tmp_path)
    for day in (9, 2, 5):
        look(place, day, {"water": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], "haze": 0.25})
    assert listed(place) == [facts(day) for day in (2, 5, 9)]
    found = place.day([facts(5)])
    assert found.rows.tolist() == list(range(6)) and found.trusted.all() and found.cloudy == 0
    np.testing.assert_array_equal(found.p[:, 0], np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], np.float32))
    np.testing.assert_array_equal(found.hazy, 0.25)


def test_a_tile_under_cloud_or_half_empty_was_not_looked_at(tmp_path: Path) -> None:
    """Nor one of which the map says nothing; the others were."""
    place = write_site(tmp_path)
    table = tiles({"cloudy": [0.0, 0.51, 0.5, 0.0, 0.0, 0.0], "water": [0.1, 0.1, 0.1, np.nan, 0.1, 0.1]})
    table.loc[4, "valid"] = np.float32(0.49)
    add_looks(table, facts(1), place.looks, site=place.site, known=place.area.known)
    day = place.day([facts(1)])
    assert day.rows.tolist() == [0, 2, 5] and day.cloudy == 3


def test_of_two_scenes_of_a_day_the_one_counts_that_shows_more(tmp_path: Path) -> None:
    """In whatever order they came; where one that is not like the training data counts, the look is not trusted."""
    place = write_site(tmp_path)
    other = facts(1, sha256="f" * 32, trusted=False)
    for table, scene in ((tiles({"water": 0.3}, valid=0.9), facts(1)), (tiles({"water": 0.7}, TILES[2:4]), other)):
        add_looks(table, scene, place.looks, site=place.site, known=place.area.known)
    for scenes in ([facts(1), other], [other, facts(1)]):
        day = place.day(scenes)
        np.testing.assert_allclose(day.p[:, 0], [0.3, 0.3, 0.7, 0.7, 0.3, 0.3], rtol=1e-6)
        assert day.trusted.tolist() == [True, True, False, False, True, True]


def test_of_two_scenes_of_a_day_the_clearer_one_counts_at_each_tile(tmp_path: Path) -> None:
    """However full the other one is: cloud over half of a tile hides more than an edge that lacks a tenth of it."""
    place = write_site(tmp_path)
    cloudy = tiles({"water": 0.3, "cloudy": [0.5, 0.5, 0.5, 0.0, 0.0, 0.0], "haze": [0, 0, 0, 0.9, 0.9, 0.05]})
    clear, other = tiles({"water": 0.7}, valid=0.9), facts(1, sha256="f" * 32)
    for table, scene in ((cloudy, facts(1)), (clear, other)):
        add_looks(table, scene, place.looks, site=place.site, known=place.area.known)
    for scenes in ([facts(1), other], [other, facts(1)]):
        np.testing.assert_allclose(place.day(scenes).p[:, 0], [0.7, 0.7, 0.7, 0.7, 0.7, 0.3], rtol=1e-6)


def test_a_scene_that_is_no_look_hides_none_of_the_same_day(tmp_path: Path) -> None:
    """A whole tile that is just too cloudy shows more than a part that counts: the day had been left without a look."""
    place = write_site(tmp_path)
    cloudy, part = tiles({"water": 0.3, "cloudy": 0.51}), tiles({"water": 0.7, "cloudy": 0.2}, valid=0.55)
    other = facts(1, sha256="f" * 32)
    for table, scene in ((cloudy, facts(1)), (part, other)):
        add_looks(table, scene, place.looks, site=place.site, known=place.area.known)
    for scenes in ([facts(1), other], [other, facts(1)]):
        day = place.day(scenes)
        assert len(day.rows) == len(TILES) and day.cloudy == 0
        np.testing.assert_allclose(day.p[:, 0], 0.7, rtol=1e-6)


def test_a_scene_of_another_site_and_a_model_without_a_label_are_refused(tmp_path: Path) -> None:
    """And nothing is left of them."""
    place = write_site(tmp_path)
    for table, said in (
        (tiles({}, ["7_7"] * 6), "shows nothing of this site"),
        (tiles({}, valid=0.0), "shows nothing of this site"),
        (tiles({}).drop(columns="p_road"), "does not know road"),
    ):
        with pytest.raises(InputError, match=said):
            add_looks(table, facts(1), place.looks, site=place.site, known=place.area.known)
    assert not place.looks.exists() or not list(place.looks.iterdir())


def test_a_table_that_is_cut_short_is_told(tmp_path: Path) -> None:
    """By its name."""
    place = write_site(tmp_path)
    look(place, 1, {})
    path = next(place.looks.iterdir())
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match=f"{path.name}: is no table of looks"):
        list_looks(place.looks)


def test_a_table_whose_values_are_damaged_is_told_when_it_is_read(tmp_path: Path) -> None:
    """Its end, which lists it, may be whole."""
    place = write_site(tmp_path)
    look(place, 1, {"water": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]})
    path = place.looks / facts(1).name
    content = bytearray(path.read_bytes())
    content[4:120] = bytes(116)
    path.write_bytes(content)
    assert listed(place) == [facts(1)]
    with pytest.raises(InputError, match=f"{path.name}: is no table of looks, or cut short"):
        place.day([facts(1)])


def test_a_copy_of_a_look_is_no_second_one(tmp_path: Path) -> None:
    """Synchronised folders make such; its evidence would count twice."""
    place = write_site(tmp_path)
    look(place, 1, {})
    path = place.looks / facts(1).name
    (copy := path.with_stem(f"{path.stem} (conflicted copy)")).write_bytes(path.read_bytes())
    with pytest.raises(InputError, match=rf"conflicted copy\)\.parquet: its looks are those of {path.name}"):
        list_looks(place.looks)
    copy.unlink()
    assert listed(place) == [facts(1)]
