"""A site's files lie beside its YAML, and one process at a time writes them."""

import subprocess
import sys
from pathlib import Path

import pytest
from site_looks import flooded, look, quiet, write_site
from site_settings import site

from igarape.errors import InputError
from igarape.sites.site_folder import SiteFolder

HOLD = """
import sys
from pathlib import Path
from igarape.sites.site_folder import SiteFolder
with SiteFolder.read("here", Path(sys.argv[1])).held():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_all_that_is_known_of_a_site_lies_in_one_folder(tmp_path: Path) -> None:
    """Beside its YAML, so that it can be versioned as one."""
    place = write_site(tmp_path)
    flooded(place, (5, 300), 210)
    place.update(quiet)
    assert place.folder == tmp_path / "sites/here" and place.labels == ["water", "road"]
    assert sorted(path.name for path in place.folder.iterdir()) == ["alerts.parquet", "looks.parquet", "state.npz"]


def test_two_at_once_are_one_clear_error(tmp_path: Path) -> None:
    """The second one is refused; when the first one has died, the next one goes on."""
    place = write_site(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(place.sites)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(InputError, match="another process is writing it"), place.held():
            pass
        other.kill()
    with place.held():
        pass


def test_a_site_that_is_not_there_is_told(tmp_path: Path) -> None:
    """With what there is."""
    write_site(tmp_path)
    with pytest.raises(InputError, match=r"heer.yaml: not found; did you mean here\?"):
        SiteFolder.read("heer", tmp_path / "sites")


def test_looks_on_another_grid_are_told(tmp_path: Path) -> None:
    """A tile's name is its place on the grid: elsewhere it would be other ground. Tables of before know no grid."""
    place = write_site(tmp_path)
    look(place, 1, {"water": 0.3}, grid=place.area.grid.hash)
    look(place, 2, {"water": 0.3})
    assert len(place.listed()) == 2
    left, bottom, right, top = site().bounds
    moved = write_site(tmp_path, site(bounds=[left + 64, bottom, right + 64, top]))
    with pytest.raises(InputError, match=r"the looks at 2024-01-02\.tif are on another grid .* --replay"):
        moved.update(quiet)


def test_a_state_is_of_all_that_is_watched(tmp_path: Path) -> None:
    """Whatever of the settings changes, but how scenes are read: what follows is what a first watch would find."""
    place = write_site(tmp_path)
    flooded(place, (5, 30), 10)
    place.update(quiet)
    kept = place.now(quiet).key
    water, road = (site().labels[name].model_dump() for name in ("water", "road"))
    evidence, weather = site().evidence.model_dump(), site().weather.model_dump()
    for changes in (
        {"evidence": evidence | {"valid": 0.6}},
        {"evidence": evidence | {"cloudy": 0.4}},
        {"weather": weather | {"haze": []}},
        {"labels": {"road": water, "water": road}},
        {"polygon": [[500_000, 9_000_000], [500_100, 9_000_000], [500_000, 9_000_100]]},
    ):
        assert write_site(tmp_path, site(**changes)).now(quiet).key != kept, changes
    assert write_site(tmp_path, site(bands="r=1,g=2,b=3")).now(quiet).key == kept
