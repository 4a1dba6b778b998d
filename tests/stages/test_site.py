"""site add writes a YAML that a watch can begin with."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import draw
from contest import answers_of
from scenes import LEFT, METRES, TOP, write_item
from watched import write_scenes

from igarape.config.sites import read_site
from igarape.errors import InputError
from igarape.scores.answers import TABLE
from igarape.stages import site, watch
from igarape.tables import write_table
from igarape.workspace import Workspace

BASELINE = (date(2024, 1, 1), date(2024, 2, 15))


@pytest.fixture
def here(champion: Path, bundle_folder: Path) -> Workspace:
    """Give a project with a champion, its answers to its chips, and scenes."""
    write_scenes(champion / "inbox")
    answers = answers_of(bundle_folder, draw(30))
    y = np.random.default_rng(1).random(answers.y.shape) < 0.5
    y[:, answers.labels.index("fog")] = False
    write_table(replace(answers, y=y).table(), champion / "data/evaluate" / TABLE)
    return Workspace(champion)


def test_what_is_drafted_can_be_watched(here: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """On the scene's own grid; a second one of its name is refused."""
    scene = here.root / "inbox/2024-02-01.tif"
    site.run(here, "mine", scene=scene, labels="kiln", baseline=BASELINE, bands="r=1,g=2,b=3", stride=16)
    said = capsys.readouterr().out
    assert "sites/mine.yaml is written: 6 tiles" in said
    assert "the model hardly tells kiln 0." in said and "means cloud" not in said
    found = read_site("mine", here.sites)
    assert (found.bounds[0], found.bounds[3], found.pixel) == (LEFT, TOP, METRES)
    assert found.weather.cloud == ("fog",) and found.weather.haze == ("sun",) and found.weather.alone
    assert 0 < found.labels["kiln"].prevalence < 1 and found.labels["kiln"].auc >= 0.6
    watch.run(here, "mine", here.root / "inbox")
    with pytest.raises(InputError, match="is there already"):
        site.run(here, "mine", scene=scene, labels="kiln", baseline=BASELINE, bands="r=1,g=2,b=3")


def test_a_stac_item_does_for_a_scene(here: Workspace) -> None:
    """Also where it alone says which band is which; one that cannot be used is told, and so is JSON that is none."""
    item = here.root / "item.json"

    def add(href: str = "./inbox/2024-02-01.tif", **changes: Any) -> None:
        write_item(item, href, bands=("red", "green", "blue"), **changes)
        site.run(here, "mine", scene=item, labels="kiln", baseline=BASELINE)

    for changes, said in (
        ({"href": "./gone.tif"}, r"item\.json: names \./gone\.tif, which is not there"),
        ({"assets": {}}, "expected one asset with the role data, found 0"),
        ({"type": "Polygon"}, r"item\.json: no scene in it; .* or STAC items"),
    ):
        with pytest.raises(InputError, match=said):
            add(**changes)
    add()
    assert read_site("mine", here.sites).bounds[0] == LEFT


def test_what_cannot_be_watched_is_told(here: Workspace) -> None:
    """A label that is none, or weather; a name; a baseline; a polygon."""
    scene, polygon = here.root / "inbox/2024-02-01.tif", here.root / "area.json"

    def add(name: str = "mine", labels: str = "kiln", area: Path | None = None) -> None:
        site.run(here, name, scene=scene, labels=labels, baseline=BASELINE, bands="r=1,g=2,b=3", polygon=area)

    for name, labels, said in (
        ("mine", "kilm", "did you mean kiln"),
        ("mine", "fog", "not one that can be watched"),
        ("mine", "", "not one that can be watched"),
        ("../mine", "kiln", "small letters"),
    ):
        with pytest.raises(InputError, match=said):
            add(name, labels)
    across = [[[179.0, 0.0], [-179.0, 0.0], [-179.0, 1.0], [179.0, 0.0]]]
    for content, said in (
        ("{", "expected a polygon as GeoJSON"),
        ("[" * 100_000, "expected a polygon as GeoJSON"),
        (json.dumps({"type": "Point", "coordinates": [0, 0]}), "one polygon without holes, found a Point"),
        (json.dumps({"type": "Polygon", "coordinates": across}), "crosses the antimeridian"),
        ('{"type": "Polygon", "coordinates": [[[0, 0], [1, NaN], [1, 1], [0, 0]]]}', r"in degrees, found \[1.0, nan\]"),
        (
            json.dumps({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}),
            "none of the grid's tiles",
        ),
        (json.dumps({"type": "FeatureCollection", "features": [{}, {}]}), "expected one feature, found 2"),
        (json.dumps({"type": "Polygon", "coordinates": []}), "found a Polygon of no corners"),
        (
            json.dumps({"type": "Polygon", "coordinates": [[[LEFT, TOP], [LEFT, 0], [0, TOP], [LEFT, TOP]]]}),
            "expected longitudes and latitudes in degrees",
        ),
    ):
        polygon.write_text(content, encoding="utf-8")
        with pytest.raises(InputError, match=said):
            add(area=polygon)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"stride": 99}, "--stride 99: leaves ground between tiles of 16 pixels"),
        ({"baseline": BASELINE[::-1]}, "--baseline 2024-02-15 2024-01-01: expected its first day, then a later one"),
    ]
    for changes, said in wrong:
        with pytest.raises(InputError, match=said):
            site.run(here, "mine", scene=scene, labels="kiln", bands="r=1,g=2,b=3", **{"baseline": BASELINE} | changes)
    assert not (here.sites / "mine.yaml").exists()
