"""Alerts of one change are one event: whatever their order, each in exactly one, of one label and change."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from site_events import SIDE, alert, area

from igarape.sites.events import ORDER, with_events


def grouped(alerts: list[dict[str, Any]], stride: int = 64) -> list[list[str]]:
    """Return the tiles of each event, the strongest first."""
    found = with_events(pd.DataFrame(alerts), area(stride))
    return [each["tile"].tolist() for _, each in found.groupby("event", sort=False)]


@some.composite
def many(draw: some.DrawFn) -> list[dict[str, Any]]:
    """Draw alerts of different tiles, labels, changes, days and statuses."""
    places = some.tuples(some.integers(0, SIDE - 1), some.integers(0, SIDE - 1))
    kinds = some.tuples(places, some.sampled_from(["water", "road"]), some.sampled_from(["appeared", "vanished"]))
    alerts = []
    for (row, column), label, change in draw(some.lists(kinds, unique=True, max_size=25)):
        first, length = draw(some.integers(0, 60)), draw(some.integers(0, 40))
        told = {"status": draw(some.sampled_from(ORDER)), "probability": draw(some.sampled_from([0.6, 0.8, 0.9]))}
        alerts.append(alert(f"{row}_{column}", first, first + length, label=label, change=change, **told))
    return alerts


@settings(max_examples=60, deadline=None)
@given(many().filter(bool), some.sampled_from([32, 64]), some.randoms())
def test_each_alert_is_in_one_event_whatever_their_order(
    alerts: list[dict[str, Any]], stride: int, random: Any
) -> None:
    """Of one label, one change and one kind of status; the strongest stands for it, and lies beside all others."""
    found = with_events(pd.DataFrame(alerts), area(stride))
    assert sorted(found["id"]) == sorted(one["id"] for one in alerts)
    shuffled = random.sample(alerts, len(alerts))
    pd.testing.assert_frame_equal(found, with_events(pd.DataFrame(shuffled), area(stride)))
    corners = {one["tile"]: np.array([int(part) * stride for part in one["tile"].split("_")]) for one in alerts}
    for name, event in found.groupby("event", sort=False):
        assert event.index.tolist() == list(range(event.index[0], event.index[0] + len(event)))
        first = event.iloc[0]
        assert first["id"] == name and len(set(event["label"] + event["change"])) == 1
        assert event["status"].isin(["confirmed", "candidate"]).all() or len(set(event["status"])) == 1
        strength = [(ORDER.index(row["status"]), -row["probability"]) for _, row in event.iterrows()]
        assert strength == sorted(strength)
        assert all(np.abs(corners[tile] - corners[first["tile"]]).max() <= 64 for tile in event["tile"])


def test_a_change_over_a_corner_of_tiles_is_one_event() -> None:
    """Also where tiles overlap; tiles with a gap between them are apart, and so are two labels."""
    corner = [
        alert(tile, 10, 30, probability=p) for tile, p in (("0_0", 0.9), ("0_1", 0.99), ("1_0", 0.8), ("1_1", 0.95))
    ]
    assert grouped(corner) == [["0_1", "1_1", "0_0", "1_0"]]
    assert grouped([alert("0_0", 10, 30), alert("0_2", 10, 30)], stride=32) == [["0_0", "0_2"]]
    assert grouped([alert("0_0", 10, 30), alert("0_2", 10, 30)], stride=64) == [["0_0"], ["0_2"]]
    assert len(grouped([alert("0_0", 10, 30), alert("0_1", 10, 30, label="road")])) == 2
    assert len(grouped([alert("0_0", 10, 30), alert("0_1", 10, 30, change="vanished")])) == 2


def test_dates_that_only_meet_at_a_look_are_two_changes() -> None:
    """That look says yes of one, and no of the other; equal days, such as of withdrawn alerts, are one."""
    assert grouped([alert("0_0", 10, 30), alert("0_1", 30, 50)]) == [["0_0"], ["0_1"]]
    assert grouped([alert("0_0", 10, 31), alert("0_1", 30, 50)]) == [["0_0", "0_1"]]
    withdrawn = [alert("0_0", 0, 30, status="withdrawn"), alert("0_1", 20, 30, status="withdrawn")]
    assert grouped(withdrawn) == [["0_0", "0_1"]]


def test_neighbours_of_neighbours_are_events_of_their_own() -> None:
    """So that no chain of them becomes one event of a whole site."""
    chain = [alert(f"0_{column}", 10, 30, probability=0.99 - column / 100) for column in range(5)]
    assert grouped(chain) == [["0_0", "0_1"], ["0_2", "0_3"], ["0_4"]]


@pytest.mark.parametrize("second", ["candidate", "confirmed"])
def test_a_candidate_beside_a_confirmed_alert_is_of_its_event(second: str) -> None:
    """However likely it is; one that was judged no is in none of those that stand."""
    both = [alert("0_0", 10, 30, status=second, probability=0.95), alert("0_1", 10, 30)]
    assert [set(event) for event in grouped(both)] == [{"0_0", "0_1"}]
    assert grouped([*both[1:], alert("0_0", 10, 30, status="dismissed")]) == [["0_1"], ["0_0"]]


def test_no_alerts_are_no_events() -> None:
    """The table has the column all the same."""
    assert with_events(pd.DataFrame([alert("0_0", 1, 2)])[:0], area(64))["event"].tolist() == []
