"""Alerts that tell of one change on the ground, as one event.

Tiles overlap, or lie side by side, so that one change may raise an alert in several. Events are derived each time that
alerts are read, and kept nowhere: an alert that was confirmed or judged keeps its name and its status.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from igarape.sites.alerts import Status
from igarape.sites.area import Area
from igarape.sites.change import Integers
from igarape.sites.judgements import DISMISSED

CONFIRMED, CANDIDATE, WITHDRAWN = (
    status.name.lower() for status in (Status.CONFIRMED, Status.CANDIDATE, Status.WITHDRAWN)
)
ORDER = (CONFIRMED, CANDIDATE, WITHDRAWN, DISMISSED)  # from the strongest on
KIND = {CONFIRMED: "stands", CANDIDATE: "stands"}  # those of these statuses may be in one event


def with_events(alerts: pd.DataFrame, area: Area) -> pd.DataFrame:
    """Return alerts with their events, the strongest event first, and in each the strongest alert first.

    The strongest alert that is in no event yet stands for one, until none is left. It takes in the alerts of its label
    and its change whose tiles overlap or touch its own tile, and whose dates overlap its own: greedy non-maximum
    suppression, as of boxes in object detection. So no chain of neighbours makes one event of a whole site. Confirmed
    alerts and candidates may be in one event; those that were withdrawn are apart, and so are the dismissed ones.

    alerts: of the ledger, in any order. The new column `event` is the id of the alert that stands for it.
    """
    ranked = alerts.assign(rank=alerts["status"].map(ORDER.index))
    ranked = ranked.sort_values(["rank", "probability", "id"], ascending=[True, False, True], ignore_index=True)
    corners, dates = _corners(ranked, area), _dates(ranked)
    strongest = np.zeros(len(ranked), dtype=np.int64)
    kinds = ranked.assign(kind=ranked["status"].replace(KIND)).groupby(["label", "change", "kind"])
    for rows in kinds.indices.values():
        free = np.sort(rows)
        while len(free):
            near = (np.abs(corners[free] - corners[free[0]]) <= area.grid.size).all(axis=1)
            taken = near & _overlap(dates[free], dates[free[0]])
            strongest[free[taken]] = free[0]
            free = free[~taken]
    found = ranked.drop(columns="rank").assign(event=ranked["id"].to_numpy()[strongest])
    return found.iloc[np.argsort(strongest, kind="stable")].reset_index(drop=True)


def _corners(alerts: pd.DataFrame, area: Area) -> Integers:
    """Return the first pixel's row and column of each alert's tile: (alerts, 2)."""
    places = area.places[[area.known[tile] for tile in alerts["tile"]]]
    rows, columns = np.divmod(places, len(area.grid.columns))
    return np.stack([np.asarray(area.grid.rows)[rows], np.asarray(area.grid.columns)[columns]], axis=1)


def _dates(alerts: pd.DataFrame) -> npt.NDArray[np.datetime64]:
    """Return between which days each change lies, (alerts, 2): for a withdrawn one, when it was raised."""
    days = [alerts[name].where(alerts[name].notna(), alerts["raised"]) for name in ("first", "last")]
    return np.stack([each.to_numpy().astype("datetime64[D]") for each in days], axis=1)


def _overlap(dates: npt.NDArray[np.datetime64], one: npt.NDArray[np.datetime64]) -> npt.NDArray[np.bool_]:
    """Say which dates, (alerts, 2), share time with one's, (2,): more than a day on which one ends and another begins.

    That day is a look, which said yes of one change, and no of the other.
    """
    apart = (dates[:, 0] >= one[1]) | (dates[:, 1] <= one[0])
    return np.asarray(~apart | (dates == one).all(axis=1))
