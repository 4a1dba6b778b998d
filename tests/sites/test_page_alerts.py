"""What a page says of alerts: packed as it is, in the order of events, with no more looks than there is room for."""

import base64
import gzip
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from site_days import CLOUDY, DAYS, watched_site
from site_events import alert, area

from igarape.sites import page_alerts
from igarape.sites.area import Area
from igarape.sites.events import with_events
from igarape.sites.looks import list_looks
from igarape.sites.page_alerts import NO_LOOK, alerts_text, in_order, looks_text
from igarape.sites.site_history import replay_looks
from igarape.sites.state import Engine
from igarape.sites.tiles import Grid

HISTORY = json.dumps([{"date": "2024-05-01", "status": "candidate"}, {"date": "2024-06-01", "status": "confirmed"}])


def columns(text: str) -> Any:
    """Read what alerts_text wrote."""
    return json.loads(gzip.decompress(base64.b64decode(text)))


def some_alerts() -> Any:
    """Give an older event of two tiles, a newer one, and a candidate that is the newest; in order."""
    alerts = [
        alert("0_0", 10, 30, probability=0.95),
        alert("0_1", 10, 40, probability=0.99),
        alert("4_4", 60, 80, probability=0.9),
        alert("3_0", 90, 99, status="candidate"),
    ]
    told = {"history": HISTORY, "verdict": None, "reason": None}
    return in_order(with_events(pd.DataFrame(alerts).assign(**told), area(64)))


def test_confirmed_events_are_first_and_the_newest_of_them() -> None:
    """The alerts of an event stay together; each knows the place of the one that stands for it."""
    found = some_alerts()
    assert found["tile"].tolist() == ["4_4", "0_1", "0_0", "3_0"]
    assert found["event"].tolist() == [0, 1, 1, 3]
    assert not len(in_order(with_events(found.drop(columns="event")[:0], area(64))))


def test_columns_are_packed_as_they_are() -> None:
    """What a spreadsheet would hold, and where each tile's middle lies."""
    found, place = some_alerts(), area(64)
    text, room = alerts_text(found, place)
    told = columns(text)
    assert room == 4
    assert told["id"] == found["id"].tolist() and told["event"] == [0, 1, 1, 3]
    assert told["first"][0] == "2024-03-01" and told["told"] == ["2024-06-01"] * 4
    assert told["place"] == [place.known[tile] for tile in found["tile"]] and told["verdict"] == [None] * 4
    assert np.allclose(np.transpose(told["middle"]), place.middles[told["place"]], atol=1e-5)


def test_an_event_that_there_is_no_room_for_is_left_out_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last ones are: they are the oldest of those that stand the least."""
    found, place = some_alerts(), area(64)
    monkeypatch.setattr(page_alerts, "MOST_ALERTS", len(alerts_text(found, place)[0]) - 1)
    text, room = alerts_text(found, place)
    assert room in (0, 1, 3) and columns(text)["id"] == found["id"].tolist()[:room]
    assert [len(each) for each in columns(text)["middle"]] == [room, room]


def test_thousands_of_alerts_of_a_large_site_take_little_of_a_page() -> None:
    """5,000 of 24,000 tiles: the page has 3 MB for all."""
    rng = np.random.default_rng(1)
    edge = 155 * 32
    place = Area(Grid("EPSG:32718", 5e5, 9e6, 1.0, edge + 32, edge + 32, 64, 32), np.arange(155 * 155))
    rows = [
        alert(place.names[tile], first, first + length, probability=float(p), label=label)
        for tile, first, length, p, label in zip(
            rng.permutation(len(place.names))[:5000].tolist(),
            rng.integers(0, 500, 5000).tolist(),
            rng.integers(10, 90, 5000).tolist(),
            rng.uniform(0.5, 1, 5000),
            rng.choice(["water", "slash_burn", "cultivation"], 5000).tolist(),
            strict=True,
        )
    ]
    alerts = pd.DataFrame(rows).assign(history=HISTORY, verdict=None, reason=None)
    text, room = alerts_text(in_order(with_events(alerts, place)), place)
    assert len(text) < 200_000 and room == 5000


def test_looks_are_a_byte_each_and_the_first_alerts_have_them(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In hundredths; a day without a look is said to be so; where there is no room, the last alerts have none."""
    place = watched_site(tmp_path)
    _, alerts = place.update(lambda *_: None)
    alerts = in_order(with_events(alerts, place.area))
    tile, facts = place.area.known["1_1"], list_looks(place.looks)
    engine = Engine.of(place.site)
    known = replay_looks(facts, engine, tiles=6, read=place.day, closely=[tile], report=lambda *_: None)
    text, dotted = looks_text(alerts, known, place.area, place.labels)
    steps = np.frombuffer(gzip.decompress(base64.b64decode(text)), np.uint8)
    days, p, _ = known.looks[tile]
    assert dotted == 1 and len(steps) == DAYS and (steps == NO_LOOK).sum() == len(CLOUDY)
    assert np.allclose(steps[days] / 100, p[:, 0], atol=0.005)
    monkeypatch.setattr(page_alerts, "MOST_LOOKS", len(text) - 1)
    assert looks_text(alerts, known, place.area, place.labels)[1] == 0
