"""log shows the condition of a site."""

from pathlib import Path

import pytest
from site_looks import flooded, quiet, write_site

from igarape.errors import InputError
from igarape.stages import log
from igarape.workspace import Workspace


@pytest.fixture
def here(tmp_path: Path) -> Workspace:
    """Give a project with a site that has three looks."""
    place = write_site(tmp_path)
    flooded(place, (5, 30, 60), 210)
    place.update(quiet)
    return Workspace(tmp_path)


def test_each_date_is_a_line(here: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """With the share that each label is expected to have."""
    log.run(here, "here")
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["date", "seen", "cloudy", "known", "water", "road"]
    assert [line.split()[0] for line in lines] == ["2024-01-06", "2024-01-31", "2024-03-01"]


def test_a_table_takes_the_place_of_one_like_it_only(here: Workspace) -> None:
    """Month by month it is written anew; a file of something else stays."""
    table, other = here.root / "river.csv", here.root / "params.yaml"
    log.run(here, "here", csv=table)
    before = table.read_bytes()
    assert before.startswith(b"date,")
    log.run(here, "here", csv=table)
    assert table.read_bytes() == before
    other.write_text("seed: 2019\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"^--csv \S+params\.yaml: is there, holds no such table"):
        log.run(here, "here", csv=other)
    assert other.read_text(encoding="utf-8") == "seed: 2019\n"


def test_a_table_lies_where_a_file_can(here: Workspace) -> None:
    """Where none can be made that is said; and no device is taken for a file, whoever we are."""
    for words in ({"csv": Path("/proc/x.csv")}, {"sample": Path("/proc/x.csv"), "label": "water"}):
        with pytest.raises(InputError, match=rf"^--{next(iter(words))} /proc/x\.csv: no file can be made in /proc"):
            log.run(here, "here", **words)


def test_the_log_is_that_of_the_sites_settings_now(here: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """What was computed for others is not shown as theirs; labels that no look has are told."""
    path = here.sites / "here.yaml"
    text = path.read_text(encoding="utf-8")
    log.run(here, "here")
    before = capsys.readouterr().out
    path.write_text(text.replace("valid: 0.5", "valid: 1.0").replace("cloudy: 0.5", "cloudy: 0.000001"), "utf-8")
    log.run(here, "here")
    assert capsys.readouterr().out == before  # these looks are whole and clear
    path.write_text(text.replace("prevalence: 0.2", "prevalence: 0.02"), encoding="utf-8")
    log.run(here, "here")
    assert capsys.readouterr().out != before
    path.write_text(text.replace("road:", "rail:"), encoding="utf-8")
    with pytest.raises(InputError, match=r"looks\.parquet/\S+: lacks rail: the site names other labels"):
        log.run(here, "here")


def test_options_that_would_do_nothing_are_told(here: Workspace) -> None:
    """A label of no sample; a sample that is to be drawn and read at once."""
    with pytest.raises(InputError, match="--label and --date are of a sample"):
        log.run(here, "here", label="water")
    with pytest.raises(InputError, match="leave one of them out"):
        log.run(here, "here", sample=here.root / "a.csv", label="water", judged=[here.root / "b.csv"])
