"""judge keeps what somebody says of an alert."""

from pathlib import Path

import pytest
from site_looks import flooded, look, quiet, write_site

from igarape.errors import InputError
from igarape.sites.judgements import read_verdicts
from igarape.sites.ledger import read_alerts
from igarape.stages import judge
from igarape.workspace import Workspace

ALERT = "here:0_1:water:appeared:1"


def test_a_verdict_is_kept_and_stands_beside_its_alert(tmp_path: Path) -> None:
    """It outlives the next watch; an alert that is none is told, with the nearest."""
    place, here = write_site(tmp_path), Workspace(tmp_path)
    flooded(place, (5, 30, 60, 90, 120, 150, 190, 200, 230, 260), 210)
    place.update(quiet)
    judge.run(here, ALERT, "no", reason="a flood, gone by June")
    flooded(place, (290,), 210)
    place.update(quiet)
    assert read_alerts(place.alerts, "here").loc[0, "verdict"] == "no"
    (kept,) = read_verdicts(place.verdicts)
    assert kept["reason"] == "a flood, gone by June" and kept["since"] < kept["until"]
    with pytest.raises(InputError, match=rf"; did you mean {ALERT}\? All names: "):
        judge.run(here, "here:0_1:water:appear:1", "yes", reason="seen")
    with pytest.raises(InputError, match=r"here: no such alert\. All names: igarape alerts here --candidates"):
        judge.run(here, "here", "yes", reason="seen")


def test_an_event_is_judged_as_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A row for each of its alerts; without --event the others are told, and stand."""
    place, here = write_site(tmp_path), Workspace(tmp_path)
    for day in (5, 30, 60, 90, 120, 150, 190, 200, 230, 260):
        wet = 0.97 if day >= 210 else 0.001
        look(place, day, {"water": [wet, wet, 0.001, 0.001, 0.001, 0.001]})
    place.update(quiet)
    judge.run(here, ALERT, "yes", reason="seen")
    assert "1 alert of the same event not judged by this; with --event all of them are" in capsys.readouterr().out
    assert [row["alert"] for row in read_verdicts(place.verdicts)] == [ALERT]
    judge.run(here, ALERT, "no", reason="a\n shadow ", event=True)
    assert {row["alert"] for row in read_verdicts(place.verdicts)[1:]} == {ALERT, "here:0_0:water:appeared:1"}
    assert {row["reason"] for row in read_verdicts(place.verdicts)} == {"seen", "a shadow"}  # a line each, in a list
    assert read_alerts(place.alerts, "here")["status"].tolist() == ["dismissed", "dismissed"]
