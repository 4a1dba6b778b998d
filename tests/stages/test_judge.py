"""judge keeps what somebody says of an alert."""

from pathlib import Path

import pytest
from site_looks import flooded, quiet, write_site

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
    with pytest.raises(InputError, match=f"did you mean {ALERT}"):
        judge.run(here, "here:0_1:water:appear:1", "yes", reason="seen")
