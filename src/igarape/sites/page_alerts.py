"""What a site's page says of its alerts, packed: a large site has thousands, each with the looks at its tile."""

import json
from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from igarape.sites.area import Area
from igarape.sites.events import ORDER
from igarape.sites.ledger import DEGREES
from igarape.sites.packing import packed
from igarape.sites.site_history import SiteHistory

MOST_ALERTS = 250_000  # bytes of a page for its alerts: some 6,000 of them
MOST_LOOKS = 300_000  # bytes of a page for what the model said of each look
FINE = 100  # a probability of 1 in a curve's dots: a hundredth is about a pixel of it
NO_LOOK = 255


def in_order(alerts: pd.DataFrame) -> pd.DataFrame:
    """Return alerts as people read them: events that are confirmed first, and the newest first.

    alerts: with their events, as events.with_events orders them. The alerts of one event stay together, the strongest
    first; `event` becomes the place of that one.
    """
    stands = alerts.set_index("id").loc[alerts["event"]]
    keys = {
        "rank": stands["status"].map(ORDER.index).to_numpy(),
        "newest": -pd.to_datetime(stands["raised"]).to_numpy().astype("datetime64[s]").astype(np.int64),
    }
    ranked = alerts.assign(**keys).sort_values(["rank", "newest", "event"], kind="stable", ignore_index=True)
    places = dict(zip(ranked["id"], ranked.index, strict=True))
    return ranked.drop(columns=list(keys)).assign(event=ranked["event"].map(places))


def alerts_text(alerts: pd.DataFrame, area: Area) -> tuple[str, int]:
    """Pack the first alerts, whole events of them, for which there is room; and say how many they are.

    The text is a JSON of columns, each a list, compressed. told: the day on which the status changed last. middle: the
    latitudes and the longitudes.
    """
    tiles = [area.known[tile] for tile in alerts["tile"]]
    columns: dict[str, list[Any]] = {
        name: [value if isinstance(value, str) else None for value in alerts[name]]
        for name in ("id", "tile", "label", "change", "status", "verdict", "reason")
    }
    for name in ("raised", "first", "last"):
        columns[name] = [None if pd.isna(day) else str(pd.Timestamp(day).date()) for day in alerts[name]]
    columns["told"] = [json.loads(history)[-1]["date"] for history in alerts["history"]]
    columns["event"], columns["place"] = alerts["event"].tolist(), tiles
    columns["probability"] = alerts["probability"].astype(float).round(4).tolist()
    latitudes, longitudes = area.middles[np.array(tiles, dtype=np.int64)].round(DEGREES).T.tolist()
    ends = np.append(np.flatnonzero(alerts["event"].to_numpy() == np.arange(len(alerts))), len(alerts))

    def pack(count: int) -> str:
        first = {name: values[:count] for name, values in columns.items()}
        first["middle"] = [latitudes[:count], longitudes[:count]]
        text = json.dumps(first, separators=(",", ":"), ensure_ascii=False)
        return packed(np.frombuffer(text.encode(), dtype=np.uint8))

    return _fitting(pack, ends, MOST_ALERTS)


def looks_text(alerts: pd.DataFrame, history: SiteHistory, area: Area, labels: Sequence[str]) -> tuple[str, int]:
    """Pack what the model said of each look at alerts' tiles, for as many alerts as there is room for; and how many.

    A byte an alert and day: the probability of its label in steps of 1 / FINE, or NO_LOOK.

    Parameters
    ----------
    alerts
        In order.
    history
        The site day by day, with the looks at their tiles.
    area
        The site's.
    labels
        Those that are watched, in order.
    """
    steps = np.full((len(alerts), len(history.conditions)), NO_LOOK, dtype=np.uint8)
    for row, (tile, label) in enumerate(zip(alerts["tile"], alerts["label"], strict=True)):
        days, p, _ = history.looks[area.known[tile]]
        steps[row, days] = np.rint(p[:, labels.index(label)] * FINE)
    return _fitting(lambda count: packed(steps[:count]), np.arange(len(steps) + 1), MOST_LOOKS)


def _fitting(pack: Callable[[int], str], ends: npt.NDArray[np.int64], most: int) -> tuple[str, int]:
    """Pack as many of the first alerts as have room in so many bytes; and how many. ends: where they may end."""
    count = int(ends[-1])
    if len(text := pack(count)) > most:
        over = bisect_right(range(len(ends)), most, key=lambda room: len(pack(int(ends[room]))))
        count = int(ends[max(0, over - 1)])
        text = pack(count)
    return text, count


def days_of(history: SiteHistory) -> list[str]:
    """Return all days of a site as text: also those that a page has no room for."""
    return [date.fromordinal(condition.day).isoformat() for condition in history.conditions]
