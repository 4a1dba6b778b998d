"""An alert is raised, confirmed and withdrawn by what is known, by how many looks, and by time."""

import numpy as np

from igarape.sites.alerts import Alerts, Event, Rules, Status

RULES = Rules(candidate=0.5, confirmed=0.975, withdrawn=0.2, looks=2, days=180)
ROW = np.array([1])


def told(*looks: tuple[int, float, bool] | tuple[int, float, bool, bool]) -> list[tuple[int, str, int]]:
    """Take in looks at a tile, (day, probability of a change, yes, trusted); return days, statuses, numbers."""
    alerts = Alerts.begin(tiles=3, labels=1)
    events: list[Event] = []
    for day, probability, yes, *rest in looks:
        changed = np.array([[[probability]], [[0.0]]])
        trusted = bool(rest[0]) if rest else True
        events += alerts.look(ROW, day, changed, np.array([[yes]]), rules=RULES, trusted=np.array([trusted]))
    assert all(event.tile == 1 and event.direction == 0 for event in events)
    assert not alerts.status[:, [0, 2]].any() and not alerts.status[1].any()
    return [(event.day, Status(event.status).name.lower(), event.number) for event in events]


def test_one_look_confirms_nothing() -> None:
    """However sure it is; the second one does, where it agrees."""
    assert told((10, 0.99, True)) == [(10, "candidate", 1)]
    assert told((10, 0.99, True), (30, 0.99, False), (50, 0.99, True)) == [(10, "candidate", 1)]
    assert told((10, 0.99, True), (30, 0.99, True)) == [(10, "candidate", 1), (30, "confirmed", 1)]


def test_the_newest_looks_have_to_agree() -> None:
    """A sure change waits until as many in a row say so."""
    looks = (10, 0.98, True), (20, 0.98, False), (30, 0.98, True), (40, 0.98, True)
    assert told(*looks)[1:] == [(40, "confirmed", 1)]


def test_looks_that_agree_count_before_they_raise_an_alert_too() -> None:
    """So a change is confirmed at once where two looks had to come together to make it likely."""
    assert told((10, 0.3, True), (30, 0.98, True)) == [(30, "confirmed", 1)]
    assert told((10, 0.3, False), (30, 0.98, True)) == [(30, "candidate", 1)]


def test_a_scene_unlike_the_training_data_confirms_nothing() -> None:
    """The next one does."""
    looks = (10, 0.9, True), (30, 0.99, True, False)
    assert told(*looks) == [(10, "candidate", 1)]
    assert told(*looks, (50, 0.99, True))[1:] == [(50, "confirmed", 1)]


def test_what_has_become_unlikely_is_withdrawn_and_may_come_again() -> None:
    """As another alert, with the next number; a confirmed one that went back is withdrawn too."""
    looks = (10, 0.6, True), (20, 0.3, False), (30, 0.1, False), (90, 0.7, True), (99, 0.99, True), (120, 0.1, False)
    statuses = [(10, "candidate", 1), (30, "withdrawn", 1), (90, "candidate", 2), (99, "confirmed", 2)]
    assert told(*looks) == [*statuses, (120, "withdrawn", 2)]


def test_what_is_not_confirmed_in_180_days_expires() -> None:
    """And is not raised again before it has become unlikely."""
    looks = (10, 0.6, True), (190, 0.6, True), (191, 0.6, True), (200, 0.99, True), (300, 0.1, False), (400, 0.6, True)
    assert told(*looks) == [(10, "candidate", 1), (191, "expired", 1), (400, "candidate", 2)]
    assert told((10, 0.6, True), (400, 0.99, True)) == [(10, "candidate", 1), (400, "confirmed", 1)]


def test_vanishing_is_confirmed_by_looks_that_say_no() -> None:
    """The other direction."""
    alerts = Alerts.begin(tiles=1, labels=1)
    changed, rows = np.array([[[0.0]], [[0.99]]]), np.array([0])
    for day, no in ((1, True), (2, False), (3, True), (4, True)):
        alerts.look(rows, day, changed, np.array([[not no]]), rules=RULES, trusted=np.ones(len(rows), np.bool_))
        assert alerts.status[1, 0, 0] == (Status.CONFIRMED if day == 4 else Status.CANDIDATE)
