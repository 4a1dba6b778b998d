"""Where scenes lie: there, gone, or another one in their place."""

from pathlib import Path

import pytest
from site_days import CLOUDY, watched_site

from igarape.errors import InputError
from igarape.sites.looks import list_looks
from igarape.sites.sources import opener


def test_a_scene_is_opened_and_one_that_is_gone_or_another_is_refused(tmp_path: Path) -> None:
    """Each says which file it is."""
    place = watched_site(tmp_path, days=4)
    facts, scenes = list_looks(place.looks), sorted((tmp_path / "inbox").glob("*.tif"))
    view = opener(place)
    with view(facts[2:3]) as opened:
        assert opened.grid == place.area.grid and [layer.path for layer in opened.layers] == scenes[2:3]
    told = place.map_of(scenes[2], facts[2].sha256) / "map.json"
    for content in ("{}", "[]", '{"path":'):
        told.write_text(content, encoding="utf-8")
        with pytest.raises(InputError, match=r"map\.json: is none of igarape's.* --replay"), view(facts[2:3]):
            pass
    scenes[1].write_bytes(scenes[3].read_bytes())
    with pytest.raises(InputError, match="another scene than the one that was watched"), view(facts[1:2]):
        pass
    scenes[0].unlink()
    with pytest.raises(InputError, match=f"{scenes[0].name}: not there any more"), view(facts[:1]):
        pass


def test_of_scenes_of_a_day_the_one_that_counts_at_most_tiles_is_on_top(tmp_path: Path) -> None:
    """In whatever order they are given: a cloudy one hides no clear one, neither on the ground nor in a crop."""
    place = watched_site(tmp_path, days=CLOUDY[0] + 2)
    looks = list_looks(place.looks)
    cloudy, clear = looks[CLOUDY[0]], looks[CLOUDY[0] + 1]
    for scenes in ([cloudy, clear], [clear, cloudy]):
        with opener(place)(scenes) as opened:
            assert [layer.path.name for layer in opened.layers] == [clear.scene, cloudy.scene]
            assert set(opened.counted) == set(range(6))
            hidden = place.area.known["1_1"]
            assert opened.counted[hidden] == 0 and opened.at(hidden).layers[0].path.name == clear.scene
