"""igarape page: one HTML, or what to do first."""

from pathlib import Path

import pytest
from site_days import watched_site
from site_settings import site

from igarape.config.sites import site_text
from igarape.errors import InputError
from igarape.stages.page import run
from igarape.workspace import Workspace


def test_a_page_is_written_beside_the_looks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It names no address outside of itself that a browser would ask."""
    place = watched_site(tmp_path)
    run(Workspace(tmp_path), "here")
    html = (place.folder / "page.html").read_text(encoding="utf-8")
    assert "1 alert in 1 event, 24 days" in capsys.readouterr().out
    assert len(html) < 3_000_000
    assert 'src="http' not in html and "url(http" not in html and "<link" not in html


def test_a_site_that_nobody_watched_and_one_that_is_none_say_what_to_do(tmp_path: Path) -> None:
    """One line each."""
    sites = tmp_path / "sites"
    sites.mkdir()
    (sites / "here.yaml").write_text(site_text("here", site()), encoding="utf-8")
    with pytest.raises(InputError, match=r"no looks yet\. First: igarape watch here INBOX"):
        run(Workspace(tmp_path), "here")
    with pytest.raises(InputError, match=r"there.yaml"):
        run(Workspace(tmp_path), "there")
