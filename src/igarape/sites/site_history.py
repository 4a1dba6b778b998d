"""A site day by day: the state of its filter after each day, computed again from its looks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from igarape.labels import Booleans
from igarape.progress import Report
from igarape.sites.change import Integers
from igarape.sites.evidence import Floats
from igarape.sites.looks import Day, Facts, by_day
from igarape.sites.state import Condition, Engine, State

STEPS = 20  # a probability of 1: a step of .05 is what a colour on a page can show

Steps = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class SiteHistory:
    """The state of a site after each of its days.

    conditions: a summary of each day. present: the probability that a label is there, in steps of 1 / STEPS, (days,
    tiles, labels). seen: the tiles with a look, (days, tiles). looks: for the tiles that were asked for, the days of
    their looks, as places among all days, the looks' probabilities, (looks, labels), and how likely each was through
    haze or broken cloud, (looks,).
    """

    conditions: tuple[Condition, ...]
    present: Steps
    seen: Booleans
    looks: dict[int, tuple[Integers, Floats, Floats]]


def replay_looks(
    facts: Sequence[Facts],
    engine: Engine,
    *,
    tiles: int,
    read: Callable[[Sequence[Facts]], Day],
    closely: Sequence[int],
    report: Report,
) -> SiteHistory:
    """Run the filter over a site's looks, and record its state after each day.

    Parameters
    ----------
    facts
        All looks, in the order of days.
    engine, tiles
        The site's settings, and how many tiles it has.
    read
        Returns the looks of a day, given the facts of its scenes.
    closely
        The tiles whose looks are recorded one by one.
    report
        Called with the days that are done, and all.
    """
    state = State.begin(tiles, engine)
    days = by_day(facts)
    present = np.zeros((len(days), tiles, len(engine.rates.begins)), dtype=np.uint8)
    seen = np.zeros((len(days), tiles), dtype=np.bool_)
    looks: dict[int, list[tuple[int, Floats, float]]] = {tile: [] for tile in closely}
    for place, scenes in enumerate(days):
        day = read(scenes)
        state.look(day, engine)
        present[place] = np.rint(state.belief.present() * STEPS)
        seen[place, day.rows] = True
        for row in np.flatnonzero(np.isin(day.rows, closely)).tolist():
            looks[int(day.rows[row])].append((place, day.p[row], float(day.hazy[row])))
        report(place + 1, len(days))
    asked = {}
    for tile, each in looks.items():
        places, p, hazy = zip(*each, strict=True) if each else ((), (), ())
        asked[tile] = np.array(places), np.array(p), np.array(hazy)
    return SiteHistory(tuple(state.days), present, seen, asked)
