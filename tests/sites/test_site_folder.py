"""A site's files lie beside its YAML, and one process at a time writes them."""

import subprocess
import sys
from pathlib import Path

import pytest
from site_looks import flooded, quiet, write_site

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
