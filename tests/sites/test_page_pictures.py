"""What is to be seen on a page: the right days, the right tiles, and no more than there is room for."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from site_days import CHANGED, DAYS, watched_site

from igarape.sites.events import with_events
from igarape.sites.looks import Facts, list_looks
from igarape.sites.page_alerts import in_order
from igarape.sites.page_pictures import EVENTS_WITH_CROPS, Crop, read_pictures, wanted_crops
from igarape.sites.site_folder import SiteFolder
from igarape.sites.site_history import SiteHistory, replay_looks
from igarape.sites.sources import opener
from igarape.sites.state import Engine

BEFORE = CHANGED - 1  # the last look that says no, at which the interval of the change begins
Watched = tuple[SiteFolder, pd.DataFrame, list[Facts], SiteHistory]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """Give a site, its alerts, what is known of its looks, and its past."""
    place = watched_site(tmp_path_factory.mktemp("project"))
    alerts = in_order(with_events(place.update(lambda *_: None)[1], place.area))
    facts, engine, tile = list_looks(place.looks), Engine.of(place.site), place.area.known["1_1"]
    return (
        place,
        alerts,
        facts,
        replay_looks(facts, engine, tiles=6, read=place.day, closely=[tile], report=lambda *_: None),
    )


@pytest.mark.parametrize("shown", [list(range(DAYS)), [0, DAYS - 1]], ids=["all", "some"])
def test_cuts_are_of_the_last_look_before_the_change_and_of_the_newest(watched: Watched, shown: list[int]) -> None:
    """Each day is read once, also one that is read for its crops only."""
    place, alerts, facts, known = watched
    tile = place.area.known["1_1"]
    wanted = wanted_crops(alerts, known, place.area.known)
    assert wanted == [Crop(0, "before", tile, BEFORE), Crop(0, "after", tile, DAYS - 1)]
    done: list[int] = []

    def report(*now: int) -> None:
        done.append(now[0])

    found = read_pictures(
        facts, known, shown=shown, wanted=wanted, places=place.area.places, view=opener(place), report=report
    )
    assert list(found.grounds) == [facts[day].date for day in reversed(shown)]
    assert not found.lost
    assert found.clearest is not None and found.clearest[0] == facts[-1].date
    dates = {side: when for side, (when, _) in found.crops[0].items()}
    assert dates == {"before": facts[BEFORE].date, "after": facts[-1].date}
    assert done == list(range(1, len({*shown, BEFORE}) + 1))


def test_a_clear_look_is_shown_rather_than_a_newer_hazy_one(watched: Watched) -> None:
    """The newest of them; where all are hazy, the newest of all."""
    place, alerts, _, known = watched
    tile = place.area.known["1_1"]
    days, p, hazy = known.looks[tile]

    def chosen(hidden: np.ndarray) -> list[int]:
        looks = {tile: (days, p, np.where(hidden, 0.9, hazy))}
        return [crop.day for crop in wanted_crops(alerts, replace(known, looks=looks), place.area.known)]

    assert chosen(np.isin(days, [BEFORE, DAYS - 1])) == [days[days < BEFORE][-1], days[days < DAYS - 1][-1]]
    assert chosen(np.full(len(days), fill_value=True)) == [BEFORE, DAYS - 1]


def test_there_is_room_for_the_first_events_only(watched: Watched) -> None:
    """The strongest alert of each has crops; the others stand on the page without."""
    place, alerts, _, known = watched
    many = alerts.loc[np.zeros(200, dtype=int)].reset_index(drop=True).assign(event=np.arange(200) // 2 * 2)
    wanted = {crop.alert for crop in wanted_crops(many, known, place.area.known)}
    assert wanted == set(range(0, 2 * EVENTS_WITH_CROPS, 2))
