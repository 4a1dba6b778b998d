"""What people read of a site."""

from pathlib import Path

import pandas as pd
import pytest
from site_events import START, alert, area
from site_looks import flooded, look, quiet, write_site

from igarape.sites.events import with_events
from igarape.sites.judgements import add_verdicts
from igarape.sites.ledger import read_alerts
from igarape.sites.listing import alert_lines, condition, doubt, log_lines, summary

DAYS = (5, 30, 60, 90, 120, 150, 190, 200, 230, 260, 290)


def test_alerts_are_told_with_the_number_that_is_expected_to_be_false(tmp_path: Path) -> None:
    """Confirmed ones; candidates when they are asked for; what was judged stands beside."""
    place = write_site(tmp_path)
    flooded(place, DAYS, 210)
    look(place, 330, {"water": [0.001, 0.97, 0.001, 0.001, 0.001, 0.99]})
    assert summary(place.update(quiet)[0], read_alerts(place.alerts, "here"))["expected_false"] > 0
    judged = {"alert": "here:0_1:water:appeared:1", "verdict": "yes", "reason": "seen", "who": "ana", "at": ""}
    add_verdicts(place.verdicts, [judged])
    state, _ = place.update(quiet)
    alerts = with_events(read_alerts(place.alerts, "here"), place.area)
    line, total, waiting = alert_lines(alerts, candidates=False)
    assert waiting == "1 candidate not confirmed yet: --candidates shows them"
    assert line.startswith("here:0_1:water:appeared:1  confirmed, 0.997, 4 looks") and line.endswith("judged yes: seen")
    assert "water appeared somewhere in this tile, about 2024-0" in line
    found = summary(state, alerts)
    assert total == "1 event of 1 confirmed alert; all were judged" and found["expected_false"] == 0
    first, last = alert_lines(alerts, candidates=True)[2:]
    assert first.startswith("here:1_2:water:appeared:1  candidate") and ", 1 look: " in first
    assert last.startswith("1 event of 1 candidate; of the 1 candidate that nobody has judged, 0.")
    assert found["dates"] == 12 and found["candidates"] == 1
    add_verdicts(place.verdicts, [judged | {"verdict": "no"}])
    state, alerts = place.update(quiet)
    none, _, dismissed = alert_lines(with_events(alerts, place.area), candidates=False)
    assert (
        none == "no confirmed alerts"
        and dismissed == f"1 dismissed, as judged no: {judged['alert']}; verdicts.csv has all"
    )
    assert summary(state, alerts) == found | {"confirmed": 0, "dismissed": 1}
    add_verdicts(place.verdicts, [judged])
    for day in range(340, 720, 10):
        look(place, day, {"water": 0.001})
    _, alerts = place.update(quiet)
    *_, gone = alert_lines(with_events(alerts, place.area), candidates=False)
    assert gone == f"1 withdrawn by later looks, though judged yes: {judged['alert']}"


def test_the_alerts_of_one_event_stand_below_the_strongest() -> None:
    """What is expected to be false is counted in alerts of the status that is told, wherever they stand."""
    told = {"verdict": None, "reason": None, "looks": 3, "date": START, "held": 0.9}
    some = [
        alert("0_0", 10, 30, probability=0.99, false=0.25),
        alert("0_1", 10, 30, probability=0.97, false=0.5),
        alert("1_0", 10, 30, probability=0.6, false=0.4, status="candidate"),
        alert("4_4", 10, 30, probability=0.5, false=0.5, status="candidate"),
    ]
    alerts = with_events(pd.DataFrame(some).assign(**told), area(64))
    first, second, total, waiting = alert_lines(alerts, candidates=False)
    assert first.startswith("here:0_0:") and second.startswith("  and here:0_1:")
    doubted = "of the 2 alerts that nobody has judged, 0.75 are expected to be false"
    assert total == f"1 event of 2 confirmed alerts; {doubted}" and doubt(alerts, "confirmed") == doubted
    assert waiting == "2 candidates not confirmed yet, 1 of them in the events above: --candidates shows them"
    *lines, last = alert_lines(alerts, candidates=True)
    assert [line.split()[0] for line in lines] == [
        "here:0_0:water:appeared:1",
        "and",
        "and",
        "1",
        "here:4_4:water:appeared:1",
    ]
    assert last == (
        "1 event of 1 candidate, and 1 candidate in the events above; "
        "of the 2 candidates that nobody has judged, 0.90 are expected to be false"
    )


def test_looks_are_whole_numbers_beside_an_alert_that_was_withdrawn(tmp_path: Path) -> None:
    """Which has none in the table."""
    place = write_site(tmp_path)
    flooded(place, DAYS, 210)
    for day, last in ((330, 0.99), (340, 0.0001), (350, 0.0001)):
        look(place, day, {"water": [0.001, 0.97, 0.001, 0.001, 0.001, last]})
    place.update(quiet)
    alerts = with_events(read_alerts(place.alerts, "here"), place.area)
    assert alerts["status"].tolist() == ["confirmed", "withdrawn"]
    assert ", 6 looks: water appeared" in alert_lines(alerts, candidates=False)[0]


def test_the_condition_is_a_row_for_each_date(tmp_path: Path) -> None:
    """The expected share of tiles rises by a sixth when one of six has changed."""
    place = write_site(tmp_path)
    assert log_lines(condition(place.update(quiet)[0], place.labels)) == ["no look yet"]
    flooded(place, DAYS, 210)
    look(place, 310, {"cloudy": 0.9})
    table = condition(place.update(quiet)[0], place.labels)
    assert list(table.columns) == ["date", "seen", "cloudy", "known", "share_water", "share_road"]
    assert table["seen"].tolist() == [6] * 11 + [0] and table["cloudy"].tolist() == [0] * 11 + [6]
    assert table["share_water"].iloc[-1] - table["share_water"].iloc[7] == pytest.approx(1 / 6, abs=0.01)
    assert len(log_lines(table)) == 13
