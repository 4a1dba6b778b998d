"""sites/NAME.yaml is checked, and what is drafted is read again as it was."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from site_settings import CONTENT, site

from igarape.config.sites import read_site, site_text
from igarape.errors import InputError


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """With dates, a polygon, and labels that YAML would take for something else."""
    labels = {"no": CONTENT["labels"]["water"], "bare ground: wet": CONTENT["labels"]["road"]}
    one = site(labels=labels, polygon=[[500_000.0, 9_000_000.0], [500_100.0, 9_000_000.0], [500_100.0, 9_000_100.0]])
    (tmp_path / "here.yaml").write_text(site_text("here", one), encoding="utf-8")
    assert read_site("here", tmp_path) == one


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"bounds": [1.0, 0.0, 0.0, 1.0]}, "left, bottom, right, top"),
        ({"bounds": [1.0, 0.0, 2.0]}, "bounds"),
        ({"baseline": [date(2024, 2, 1), date(2024, 1, 1)]}, "end after it begins"),
        ({"baseline": ["soon", date(2024, 1, 1)]}, "baseline.0"),
        ({"stride": 65}, "ground lies between the tiles"),
        ({"labels": {}}, "labels"),
        ({"labels": {"cloudy": CONTENT["labels"]["water"]}}, "no weather"),
        ({"labels": {"water": CONTENT["labels"]["water"] | {"auc": 0.5}}}, "labels.water.auc"),
        ({"labels": {"water": CONTENT["labels"]["water"] | {"appear": 1}}}, "did you mean"),
        ({"alerts": CONTENT["alerts"] | {"candidate": 0.99}}, "should rise"),
        ({"polygon": [[0.0, 0.0], [1.0, 1.0]]}, "at least 3"),
    ],
)
def test_what_cannot_be_is_refused_in_the_files_own_words(changes: dict[str, Any], said: str) -> None:
    """Each names the key."""
    with pytest.raises(InputError, match=said):
        site(**changes)
