"""alerts shows what stands."""

import json
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import shapely
from site_looks import flooded, quiet, write_site
from site_settings import site

from igarape.errors import InputError
from igarape.stages import alerts
from igarape.workspace import Workspace


def test_confirmed_alerts_are_shown_and_how_many_are_expected_to_be_false(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The tile, and since when."""
    place = write_site(tmp_path)
    flooded(place, (5, 30, 60, 90, 120, 150, 190, 200, 230, 260), 210)
    place.update(quiet)
    alerts.run(Workspace(tmp_path), "here")
    told = capsys.readouterr()
    line, total = told.out.splitlines()
    assert line.startswith("here:0_1:water:appeared:1") and "somewhere in this tile" in line
    assert total.startswith("1 event of 1 confirmed alert; ") and not told.err
    assert total.endswith("of the 1 alert that nobody has judged, 0.01 are expected to be false")


def test_alerts_are_written_for_a_gis_with_their_tiles(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Those that are shown, in degrees: what stands in the table, without the history."""
    place = write_site(tmp_path)
    flooded(place, (5, 30, 60, 90, 120, 150, 190, 200, 230, 260), 210)
    place.update(quiet)
    file = tmp_path / "alerts.geojson"
    alerts.run(Workspace(tmp_path), "here", geojson=file)
    assert str(file) in capsys.readouterr().out
    content = json.loads(file.read_text(encoding="utf-8"))
    (feature,) = content["features"]
    said = feature["properties"]
    assert (said["id"], said["label"], said["status"]) == ("here:0_1:water:appeared:1", "water", "confirmed")
    assert said["verdict"] is None and "history" not in said
    assert date.fromisoformat(said["first"]) <= date.fromisoformat(said["date"]) <= date.fromisoformat(said["last"])
    middle = shapely.geometry.shape(feature["geometry"]).centroid
    assert [middle.y, middle.x] == pytest.approx(place.area.middles[place.area.known["0_1"]], abs=1e-6)


def test_alerts_of_other_settings_are_said_to_be_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table is the last watch's; how scenes are read does not count, as looks that are there stay."""
    place = write_site(tmp_path)
    flooded(place, (5, 30), 10)
    place.update(quiet)
    for changes, said in (
        ({"bands": "r=1,g=2,b=3"}, ""),
        ({"alerts": site().alerts.model_dump() | {"days": 9}}, "has changed"),
    ):
        write_site(tmp_path, site(**changes))
        alerts.run(Workspace(tmp_path), "here")
        assert said in (err := capsys.readouterr().err) and bool(err) == bool(said)


def test_silence_before_the_baseline_has_ended_is_said_to_be_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No alert then does not mean that nothing has happened."""
    place = write_site(tmp_path)
    flooded(place, (5, 30), 10)
    place.update(quiet)
    alerts.run(Workspace(tmp_path), "here")
    none, why = capsys.readouterr().out.splitlines()
    assert none == "no confirmed alerts" and f"which ends on {place.site.baseline[1]}" in why


def test_alerts_are_written_as_a_table_and_no_other_file_is_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the event of each, and where it lies; a file of something else is left as it is."""
    place = write_site(tmp_path)
    flooded(place, (5, 30, 60, 90, 120, 150, 190, 200, 230, 260), 210)
    place.update(quiet)
    file, other = tmp_path / "alerts.csv", tmp_path / "notes.csv"
    for _ in range(2):  # what is there by now is such a table
        alerts.run(Workspace(tmp_path), "here", csv=file)
    assert f"{file}: 1 row" in capsys.readouterr().out
    (row,) = pd.read_csv(file).to_dict("records")
    assert row["id"] == row["event"] == "here:0_1:water:appeared:1"
    middle = place.area.middles[place.area.known["0_1"]]
    assert [row["latitude"], row["longitude"]] == pytest.approx(middle, abs=1e-5)
    other.write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match=r"--csv .*would be lost"):
        alerts.run(Workspace(tmp_path), "here", csv=other)
    with pytest.raises(InputError, match=r"--geojson .*would be lost"):
        alerts.run(Workspace(tmp_path), "here", geojson=other)
    with pytest.raises(InputError, match=r"--csv .*is a folder"):
        alerts.run(Workspace(tmp_path), "here", csv=tmp_path)
    with pytest.raises(InputError, match="Name two files"):
        alerts.run(Workspace(tmp_path), "here", csv=file, geojson=file)
    assert other.read_text(encoding="utf-8") == "mine" and file.read_text(encoding="utf-8").startswith("id,")
