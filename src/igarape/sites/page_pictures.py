"""The pictures on a site's page: the ground of each day, and crops from before and after each alert."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from igarape.errors import InputError
from igarape.progress import Report
from igarape.reports.pages import picture_address
from igarape.sites.change import Integers
from igarape.sites.looks import Facts, by_day
from igarape.sites.site_history import SiteHistory
from igarape.sites.views import View, side_that_fits

# Bytes of JPEG that a page has room for: the clearest day, which is sharp; all other grounds together.
MOST_CLEAREST, MOST_GROUNDS = 200_000, 400_000
HAZY = 0.5  # a look that is more likely than this through haze or broken cloud is not clear
EVENTS_WITH_CROPS = 60  # the first ones; two crops take some 8 kB

# Opens the scenes of a day; raises InputError where one is not there any more.
Opener = Callable[[Sequence[Facts]], AbstractContextManager[View]]


class Crop(NamedTuple):
    """A crop that a page shows.

    alert: its number. side: before or after. tile, day: their places among the site's tiles and days.
    """

    alert: int
    side: str
    tile: int
    day: int


@dataclass
class PagePictures:
    """Pictures as data URLs. clearest: the clearest day's date and ground. grounds: by date.

    crops: by alert and side, (date, picture). lost: why scenes are missing.
    """

    clearest: tuple[str, str] | None = None
    grounds: dict[str, str] = field(default_factory=dict)
    crops: dict[int, dict[str, tuple[str, str]]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)


def wanted_crops(alerts: pd.DataFrame, history: SiteHistory, known: Mapping[str, int]) -> list[Crop]:
    """Choose two crops for each event: of looks that are surely before and after the change, the newest clear one each.

    Where none is clear, the newest. People judge by these pictures, and a look through broken cloud shows little.

    alerts: as page_alerts.in_order gives them; those that stand for the first events get crops. history: with the looks
    at their tiles. known: the place of each tile by its name.
    """
    ordinals = np.array([condition.day for condition in history.conditions])
    wanted = []
    first_events = alerts[alerts["event"] == alerts.index][:EVENTS_WITH_CROPS]
    for number, row in zip(first_events.index.tolist(), first_events.to_dict("records"), strict=True):
        tile = known[row["tile"]]
        seen, _, hazy = history.looks[tile]
        dates = [row["raised"] if pd.isna(row[name]) else row[name] for name in ("first", "last")]
        first, last = (pd.Timestamp(day).toordinal() for day in dates)
        for side, which in (("before", ordinals[seen] <= first), ("after", ordinals[seen] >= last)):
            clear = which & (hazy < HAZY)
            wanted += [Crop(number, side, tile, int(day)) for day in seen[clear if clear.any() else which][-1:]]
    return wanted


def read_pictures(
    facts: Sequence[Facts],
    history: SiteHistory,
    *,
    shown: Sequence[int],
    wanted: Sequence[Crop],
    places: Integers,
    view: Opener,
    report: Report,
) -> PagePictures:
    """Read grounds and crops from the scenes.

    Parameters
    ----------
    facts
        Of all looks, in the order of days.
    history
        The site day by day.
    shown
        The days, by their places, whose ground is shown.
    wanted
        The crops.
    places
        Of each watched tile on the grid, counted row by row.
    view
        Opens the scenes of a day. A day that it raises InputError for is left out.
    report
        Called with the days that are done, and all.
    """
    days = by_day(facts)
    clear = max(shown, key=lambda day: (history.conditions[day].seen, day))
    needed = sorted({*shown, *(crop.day for crop in wanted)}, reverse=True)
    found = PagePictures()
    side: int | None = None
    for done, day in enumerate(needed, start=1):
        when = days[day][0].date
        try:
            with view(days[day]) as opened:
                if day == clear:
                    found.clearest = when, picture_address(opened.ground(side_that_fits(opened, MOST_CLEAREST)))
                if day in shown:
                    side = side or side_that_fits(opened, MOST_GROUNDS // len(shown))
                    found.grounds[when] = picture_address(opened.ground(side))
                for crop in wanted:
                    if crop.day == day:
                        picture = picture_address(
                            opened.at(crop.tile).crop(*opened.grid.corner(int(places[crop.tile])))
                        )
                        found.crops.setdefault(crop.alert, {})[crop.side] = when, picture
        except InputError as error:
            found.lost.append(str(error))
        report(done, len(needed))
    return found
