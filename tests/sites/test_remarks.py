"""What people are told after a watch of looks whose scenes have changed since."""

from datetime import timedelta
from pathlib import Path

from site_days import FIRST, watched_site

from igarape.sites.inbox import Arrival
from igarape.sites.looks import list_looks
from igarape.sites.remarks import remarks


def test_a_scene_that_says_another_day_than_its_look_is_named(tmp_path: Path) -> None:
    """By an item, or by a new name; one that is the same, or says no day now, corrects nothing."""
    place = watched_site(tmp_path, days=1)
    (look,) = list_looks(place.looks)
    scene = tmp_path / "inbox" / look.scene

    def told(path: Path, day: str | None = None) -> list[str]:
        return remarks(place, {look.sha256: Arrival(path, day=day)}, new=False)

    assert told(scene) == told(scene, look.date) == []
    (by_item,) = told(scene, "2024-01-06")
    assert by_item.startswith(f"{scene}: is of 2024-01-06 now, and its look still counts on 2024-01-05. ")
    assert str(place.looks / look.name) in by_item
    renamed = scene.rename(scene.with_name(f"scene_{FIRST + timedelta(days=2)}.tif"))
    (by_name,) = told(renamed)
    assert "is of 2024-01-07 now" in by_name
    assert told(renamed.rename(scene.with_name("scene.tif"))) == []
