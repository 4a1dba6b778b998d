"""Alerts as people get them: dated, with their history, and with what was judged of them."""

import json
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import shapely
from site_looks import START, flooded, look, quiet, write_site

from igarape.errors import InputError
from igarape.sites.judgements import add_verdicts, read_verdicts
from igarape.sites.ledger import read_alerts
from igarape.sites.site_folder import SiteFolder

DAYS = (5, 30, 60, 90, 120, 150, 190, 200, 230, 260, 290)
ALERT = "here:0_1:water:appeared:1"
WHY = {"alert": ALERT, "verdict": "no", "reason": 'a pond, "old", see 2023', "who": "ana", "at": "2024-12-01T00:00:00Z"}


@pytest.fixture
def place(tmp_path: Path) -> SiteFolder:
    """Give a site in which water appeared in one tile, between the days 200 and 230."""
    place = write_site(tmp_path)
    flooded(place, DAYS, 210)
    place.update(quiet)
    return place


def test_an_alert_says_when_where_and_how_sure(place: SiteFolder) -> None:
    """As GeoParquet, with the outline of its tile in the site's crs."""
    (row,) = read_alerts(place.alerts, "here").to_dict("records")
    assert row["id"] == ALERT and row["status"] == "confirmed" and row["change"] == "appeared"
    assert row["probability"] > 0.975 and row["looks"] == 3
    assert START + timedelta(days=200) >= row["first"] and row["last"] >= START + timedelta(days=230)
    assert row["first"] <= row["date"] <= row["last"] and row["raised"] == START + timedelta(days=230)
    assert [event["status"] for event in json.loads(row["history"])] == ["candidate", "confirmed"]
    table = pq.read_table(place.alerts)
    assert json.loads(table.schema.metadata[b"geo"])["columns"]["geometry"]["encoding"] == "WKB"
    left, bottom, right, top = place.site.bounds
    outline = shapely.from_wkb(table["geometry"][0].as_py())
    assert outline.bounds == (left + 64, top - 64, left + 128, top) and (right, bottom) != outline.bounds[2:]


def test_an_alert_that_was_withdrawn_keeps_its_history_and_has_no_date(place: SiteFolder) -> None:
    """Once all looks after it say no."""
    for day in (300, 310, 320, 330):
        look(place, day, {"water": 0.001})
    place.update(quiet)
    first, *others = read_alerts(place.alerts, "here").to_dict("records")
    assert first["id"] == ALERT and first["status"] == "withdrawn" and first["date"] is None
    assert json.loads(first["history"])[-1]["status"] == "withdrawn"
    assert not others


def test_an_alert_that_was_judged_no_is_dismissed(place: SiteFolder) -> None:
    """By the newest verdict, as long as it would stand; all of them are kept, whatever a reason holds."""
    assert read_verdicts(place.verdicts) == []
    for verdict, status in (("no", "dismissed"), ("yes", "confirmed"), ("no", "dismissed")):
        add_verdicts(place.verdicts, [WHY | {"verdict": verdict}])
        place.update(quiet)
        (row,) = read_alerts(place.alerts, "here").to_dict("records")
        assert (row["verdict"], row["status"], row["reason"]) == (verdict, status, WHY["reason"])
    assert [row["verdict"] for row in read_verdicts(place.verdicts)] == ["no", "yes", "no"]
    for day in (300, 310, 320, 330):
        look(place, day, {"water": 0.001})
    place.update(quiet)
    (row,) = read_alerts(place.alerts, "here").to_dict("records")
    assert row["status"] == "withdrawn" and row["verdict"] == "no"


def test_files_of_something_else_are_told(place: SiteFolder) -> None:
    """Alerts that are not there, or cut short."""
    with pytest.raises(InputError, match="not there yet"):
        read_alerts(place.folder / "none.parquet", "here")
    place.alerts.write_bytes(b"no Parquet")
    with pytest.raises(InputError, match="is no table of alerts"):
        read_alerts(place.alerts, "here")


def test_a_site_without_alerts_has_an_empty_table(tmp_path: Path) -> None:
    """With all its columns."""
    place = write_site(tmp_path)
    look(place, 5, {})
    place.update(quiet)
    table = read_alerts(place.alerts, "here")
    assert not len(table) and "probability" in table
