"""Alerts that may be of one event, for tests."""

from datetime import date, timedelta
from typing import Any

import numpy as np

from igarape.sites.area import Area
from igarape.sites.tiles import Grid

START = date(2024, 1, 1)
SIDE = 6  # tiles along the area's edge


def area(stride: int) -> Area:
    """Give an area of tiles of 64 pixels."""
    edge = 64 + (SIDE - 1) * stride
    grid = Grid("EPSG:32718", 500_000.0, 9_000_000.0, 1.0, edge, edge, 64, stride)
    return Area(grid, np.arange(SIDE * SIDE))


def alert(tile: str, first: int, last: int, **changes: Any) -> dict[str, Any]:
    """Give an alert whose change lies between two days after the start."""
    found = {"tile": tile, "label": "water", "change": "appeared", "status": "confirmed", "probability": 0.9}
    days = {name: START + timedelta(day) for name, day in (("raised", last), ("first", first), ("last", last))}
    found |= days | changes
    if found["status"] == "withdrawn":
        found |= {"first": None, "last": None}
    return {"id": f"here:{tile}:{found['label']}:{found['change']}:{changes.get('number', 1)}"} | found
