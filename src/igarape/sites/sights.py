"""What is to be seen on a site's page: the ground of each day, and the cuts before and after each alert."""

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
from igarape.sites.past import Past
from igarape.sites.views import View, side_that_fits

# Bytes of JPEG that a page has room for: the clearest day, which is sharp; all other grounds together.
MOST_CLEAREST, MOST_GROUNDS = 220_000, 430_000
ALERTS_WITH_CUTS = 60  # the first ones; two cuts take some 8 kB

# Opens the scenes of a day; raises InputError where one is not there any more.
Opener = Callable[[Sequence[Facts]], AbstractContextManager[View]]


class Cut(NamedTuple):
    """What is wanted: of an alert, by its number, before or after the change, the tile, on a day by its place."""

    alert: int
    side: str
    tile: int
    day: int


@dataclass
class Sights:
    """What there is, as addresses that hold the pictures. grounds: by date. cuts: by alert and side, with their dates.

    clearest: its date, and its picture. lost: why some scenes are not to be seen.
    """

    clearest: tuple[str, str] | None = None
    grounds: dict[str, str] = field(default_factory=dict)
    cuts: dict[int, dict[str, tuple[str, str]]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)


def wanted_cuts(alerts: pd.DataFrame, past: Past, known: Mapping[str, int]) -> list[Cut]:
    """Return the cuts that show changes best: of the newest look that is surely before one, and of the newest of all.

    alerts: in the order in which they are shown; there is room for the first ones. past: with the looks at their tiles.
    known: tiles by their names.
    """
    ordinals = np.array([condition.day for condition in past.conditions])
    wanted = []
    for number, row in enumerate(alerts[:ALERTS_WITH_CUTS].to_dict("records")):
        tile = known[row["tile"]]
        seen = past.looks[tile][0]
        dates = [row["raised"] if pd.isna(row[name]) else row[name] for name in ("first", "last")]
        first, last = (pd.Timestamp(day).toordinal() for day in dates)
        for side, days in (("before", seen[ordinals[seen] <= first]), ("after", seen[ordinals[seen] >= last])):
            wanted += [Cut(number, side, tile, int(day)) for day in days[-1:]]
    return wanted


def see(
    facts: Sequence[Facts],
    past: Past,
    *,
    shown: Sequence[int],
    wanted: Sequence[Cut],
    places: Integers,
    view: Opener,
    report: Report,
) -> Sights:
    """Read what is to be seen of the scenes.

    Parameters
    ----------
    facts
        Of all looks, in the order of days.
    past
        What was known day by day.
    shown
        The days, by their places, whose ground is shown.
    wanted
        The cuts.
    places
        Of each watched tile on the grid, counted row by row.
    view
        Opens the scenes of a day. A day that it raises InputError for is left out.
    report
        Called with the days that are done, and all.
    """
    days = by_day(facts)
    clear = max(shown, key=lambda day: (past.conditions[day].seen, day))
    needed = sorted({*shown, *(cut.day for cut in wanted)}, reverse=True)
    found = Sights()
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
                for cut in wanted:
                    if cut.day == day:
                        picture = picture_address(opened.cut(*opened.grid.corner(int(places[cut.tile]))))
                        found.cuts.setdefault(cut.alert, {})[cut.side] = when, picture
        except InputError as error:
            found.lost.append(str(error))
        report(done, len(needed))
    return found
