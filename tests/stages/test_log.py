"""log shows the condition of a site."""

from pathlib import Path

import pytest
from site_looks import flooded, quiet, write_site

from igarape.stages import log
from igarape.workspace import Workspace


def test_each_date_is_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the share that each label is expected to have."""
    place = write_site(tmp_path)
    flooded(place, (5, 30, 60), 210)
    place.update(quiet)
    log.run(Workspace(tmp_path), "here")
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["date", "seen", "cloudy", "known", "water", "road"]
    assert [line.split()[0] for line in lines] == ["2024-01-06", "2024-01-31", "2024-03-01"]
