"""What people read of a site."""

from pathlib import Path

import pytest
from site_looks import flooded, look, quiet, write_site

from igarape.sites.judgements import add_verdict
from igarape.sites.ledger import read_alerts
from igarape.sites.listing import alert_lines, condition, log_lines, summary

DAYS = (5, 30, 60, 90, 120, 150, 190, 200, 230, 260, 290)


def test_alerts_are_told_with_the_number_that_is_expected_to_be_false(tmp_path: Path) -> None:
    """Confirmed ones; candidates when they are asked for; what was judged stands beside."""
    place = write_site(tmp_path)
    flooded(place, DAYS, 210)
    look(place, 330, {"water": [0.001, 0.97, 0.001, 0.001, 0.001, 0.99]})
    assert summary(place.update(quiet)[0], read_alerts(place.alerts, "here"))["expected_false"] > 0
    judged = {"alert": "here:0_1:water:appeared:1", "verdict": "yes", "reason": "seen", "who": "ana", "at": ""}
    add_verdict(place.verdicts, judged)
    state, _ = place.update(quiet)
    alerts = read_alerts(place.alerts, "here")
    line, total, waiting = alert_lines(alerts, candidates=False)
    assert waiting == "1 candidate not confirmed yet: --candidates shows them"
    assert line.startswith("here:0_1:water:appeared:1  confirmed, 0.997, 4 looks") and line.endswith("judged yes: seen")
    assert "water appeared somewhere in this tile, about 2024-0" in line
    found = summary(state, alerts)
    assert total == "1 confirmed, of which 0.00 are expected to be false" and found["expected_false"] == 0
    first, last = alert_lines(alerts, candidates=True)[2:]
    assert first.startswith("here:1_2:water:appeared:1  candidate") and ", 1 look: " in first and last.startswith("1 ")
    assert found["dates"] == 12 and found["candidates"] == 1
    add_verdict(place.verdicts, judged | {"verdict": "no"})
    state, alerts = place.update(quiet)
    none, _, dismissed = alert_lines(alerts, candidates=False)
    assert none.startswith("0 confirmed") and dismissed == f"1 dismissed, as judged no: {judged['alert']}"
    assert summary(state, alerts) == found | {"confirmed": 0, "dismissed": 1}


def test_looks_are_whole_numbers_beside_an_alert_that_was_withdrawn(tmp_path: Path) -> None:
    """Which has none in the table."""
    place = write_site(tmp_path)
    flooded(place, DAYS, 210)
    for day, last in ((330, 0.99), (340, 0.0001), (350, 0.0001)):
        look(place, day, {"water": [0.001, 0.97, 0.001, 0.001, 0.001, last]})
    place.update(quiet)
    alerts = read_alerts(place.alerts, "here")
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
