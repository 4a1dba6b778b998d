"""What people read of a site: its alerts, with their history, and what people judged of them.

alerts.parquet    GeoParquet: id, geometry, tile, label, change, status, probability, false, looks, raised, first, date,
                  last, held, history, verdict, reason
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from igarape.errors import InputError
from igarape.sites.alerts import DIRECTIONS, Event, Status
from igarape.sites.area import Area
from igarape.sites.evidence import Floats
from igarape.sites.frequency import change_ratio, rescaled
from igarape.sites.judgements import DISMISSED, NO, applied
from igarape.sites.layers import write_tiles
from igarape.sites.looks import Day
from igarape.sites.outlines import Feature
from igarape.sites.state import Engine, State
from igarape.sites.timing import Course, Interval, change_interval

DEGREES = 5  # digits: a metre
ACTIVE = (Status.CANDIDATE, Status.CONFIRMED)
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("id", "tile", "label", "change", "status")),
        *((name, pa.float64()) for name in ("probability", "false")),
        ("looks", pa.int16()),
        *((name, pa.date32()) for name in ("raised", "first", "date", "last")),
        ("held", pa.float64()),
        *((name, pa.string()) for name in ("history", "verdict", "reason")),
    ]
)

# What tells an alert from others: direction, tile, label, number.
Key = tuple[int, int, int, int]


def write_alerts(
    path: Path,
    state: State,
    *,
    site: str,
    labels: Sequence[str],
    area: Area,
    engine: Engine,
    days: Iterable[Day],
    verdicts: Sequence[Mapping[str, str]],
) -> pd.DataFrame:
    """Write alerts.parquet, and return what it holds but for the outlines.

    Parameters
    ----------
    path
        Of the table.
    state
        What is known of the site.
    site, labels, area, engine
        Its name, and what is watched, where and how.
    days
        All looks, in the order of days: they tell when a change took place.
    verdicts
        What people judged, the oldest first. An alert that stands and was judged no is dismissed.
    """
    histories: dict[Key, list[Event]] = {}
    for event in state.events:
        histories.setdefault((event.direction, event.tile, event.label, event.number), []).append(event)
    active = [key for key, events in histories.items() if events[-1].status in ACTIVE]
    when = _intervals(active, days, engine)
    part = change_ratio(state.belief, rates=engine.rates, baseline=engine.baseline)
    keys = sorted(histories, key=lambda key: (key[1], key[2], key[0], key[3]))
    rows: list[dict[str, object]] = []
    for key in keys:
        direction, tile, label, number = key
        change = DIRECTIONS[direction]
        name = f"{site}:{area.names[tile]}:{labels[label]}:{change}:{number}"
        facts = {"id": name, "tile": area.names[tile], "label": labels[label], "change": change}
        rows.append(facts | _standing(key, histories[key], state, part, when.get(key)))
    judged = applied(verdicts, rows)
    rows = [row | _with_verdict(row, judged.get(str(row["id"]), {})) for row in rows]
    table = pd.DataFrame(rows, columns=SCHEMA.names)
    places = area.places[np.array([key[1] for key in keys], dtype=np.int64)]
    write_tiles(table, area.grid, places, path, schema=SCHEMA)
    return table


def _with_verdict(row: Mapping[str, object], judged: Mapping[str, str]) -> dict[str, object]:
    """Return what a verdict makes of an alert's status, and the verdict."""
    told = {column: judged.get(column) for column in ("verdict", "reason")}
    stands = row["status"] in [status.name.lower() for status in ACTIVE]
    return {**told, "status": DISMISSED if stands and told["verdict"] == NO else row["status"]}


def _standing(
    key: Key, events: Sequence[Event], state: State, part: Floats, when: Interval | None
) -> dict[str, object]:
    """Return how an alert stands: its status, how sure it is, how many looks it has, and when it changed.

    part: of frequency.change_ratio, which tells how likely it is that an alert that stands is false.
    """
    place, last = key[:3], events[-1]
    standing = last.status in ACTIVE
    status = Status.WITHDRAWN if last.status == Status.EXPIRED else Status(last.status)
    changed = state.belief.changed(np.array([key[1]]))[key[0], 0, key[2]]
    history = [
        {
            "date": date.fromordinal(event.day).isoformat(),
            "status": Status(event.status).name.lower(),
            "probability": round(event.probability, 4),
        }
        for event in events
    ]
    dates = (when.first, when.day, when.last) if when else (None, None, None)
    return {
        "status": status.name.lower(),
        "probability": float(changed) if standing else last.probability,
        "false": float(1 - rescaled(changed, part[key[0], key[2]])) if standing else None,
        "looks": int(state.alerts.looks[place]) if standing else None,
        "raised": date.fromordinal(events[0].day),
        **{name: day and date.fromordinal(day) for name, day in zip(("first", "date", "last"), dates, strict=True)},
        "held": when.held if when else None,
        "history": json.dumps(history),
    }


def _intervals(active: Sequence[Key], days: Iterable[Day], engine: Engine) -> dict[Key, Interval]:
    """Return when each active alert's change took place, as all looks at its tile tell."""
    if not active:
        return {}
    tiles = np.unique([tile for _, tile, _, _ in active])
    seen: dict[int, list[tuple[int, np.ndarray, np.ndarray]]] = {int(tile): [] for tile in tiles}
    for day in days:
        if day.day < engine.first:
            continue
        some = day.only(np.isin(day.rows, tiles))
        log, ratio = engine.weigh(some)
        for number, tile in enumerate(some.rows.tolist()):
            seen[tile].append((day.day, log[:, :, number], ratio[number]))
    found = {}
    for key in active:
        direction, tile, label, _ = key
        dates, logs, ratios = zip(*seen[tile], strict=True)
        course = Course(
            days=np.array(dates),
            log=np.stack([log[..., label] for log in logs], axis=-1),
            ratio=np.array([ratio[label] for ratio in ratios]),
            rates=engine.rates.of(label),
            baseline=engine.baseline,
        )
        found[key] = change_interval(course, appeared=DIRECTIONS[direction] == "appeared")
    return found


def alert_table(alerts: pd.DataFrame, area: Area) -> pd.DataFrame:
    """Return alerts for a spreadsheet, in their order: all columns but their histories, and the middles of tiles."""
    middles = area.middles[[area.known[tile] for tile in alerts["tile"]]].round(DEGREES)
    return alerts.drop(columns="history").assign(latitude=middles[:, 0], longitude=middles[:, 1])


def alert_features(alerts: pd.DataFrame, area: Area) -> list[Feature]:
    """Return what a GIS shows of alerts, in their order: the columns of alert_table, and the outlines of tiles."""
    places = area.places[[area.known[tile] for tile in alerts["tile"]]]
    rows: list[Mapping[str, object]] = [
        {
            str(name): None if pd.isna(value) else str(value) if isinstance(value, date) else value
            for name, value in row.items()
        }
        for row in alert_table(alerts, area).to_dict("records")
    ]
    return list(zip(rows, area.grid.boxes(places), strict=True))


def read_alerts(path: Path, site: str) -> pd.DataFrame:
    """Read alerts.parquet of a site; raise InputError where it is not there, or is none."""
    if not path.exists():
        raise InputError(f"{path}: not there yet. Run: igarape watch {site} INBOX")
    try:
        table: pd.DataFrame = pq.read_table(path, columns=SCHEMA.names).to_pandas()
    except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
        raise InputError(
            f"{path}: is no table of alerts, or cut short. Remove it; igarape watch {site} INBOX writes it anew"
        ) from error
    return table
