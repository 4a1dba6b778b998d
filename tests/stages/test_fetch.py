"""fetch: Kaggle's files under their names when they are whole, or an error that says what to do."""

import contextlib
import importlib
import json
import sys
import threading
import warnings
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from toy_dataset import drawn, write_dataset

from igarape.errors import InputError
from igarape.stages import fetch
from igarape.workspace import Workspace

ROOT = Path(__file__).parents[2]
FILES = {"tags.csv.zip": b"PK tags", "train.tar.7z": b"7z" * 50_000}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Give a project whose data set toy names two files."""
    (tmp_path / "chips").mkdir()
    labels = {"exclusive": [], "alone": [], "common": ["tree"], "rare": []}
    here = Workspace(tmp_path)
    write_dataset(here, drawn(), labels, size=64, name="bare")
    write_dataset(here, drawn(), labels, size=64, fetch={"competition": "toy-world", "files": list(FILES)})
    monkeypatch.setenv("IGARAPE_DATA", str(tmp_path / "chips"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_API_TOKEN", "KAGGLE_CONFIG_DIR"):
        monkeypatch.delenv(name, raising=False)
    return here


@pytest.fixture
def folder(project: Workspace) -> Path:
    """Give the folder that the files belong in."""
    return project.root / "chips/toy"


class RefusedError(Exception):
    """Stands for an answer of Kaggle's that is no file."""

    def __init__(self, status: int) -> None:
        """status: of HTTP."""
        super().__init__(f"status {status}")
        self.response = self
        self.status_code = status


class Client:
    """Stands for Kaggle's client: writes half a file, then the other half, or stops in between."""

    def __init__(self, stop: Exception | None = None) -> None:
        self.stop = stop
        self.asked: list[tuple[str, str]] = []

    def competition_download_file(self, competition: str, file_name: str, *, path: str, quiet: bool) -> None:
        """Download a file into the folder `path`."""
        self.asked.append((competition, file_name))
        data, target = FILES[file_name], Path(path) / file_name
        target.write_bytes(data[: len(data) // 2])
        if self.stop is not None:
            raise self.stop
        target.write_bytes(data)


def use(monkeypatch: pytest.MonkeyPatch, client: Client) -> Client:
    """Let the stage find this client."""
    monkeypatch.setattr(fetch, "find_client", lambda _: client)
    return client


def files(folder: Path) -> dict[str, bytes]:
    """Read what lies in a folder under its own name."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_the_files_are_downloaded_and_those_that_are_there_are_kept(
    project: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second time nothing is asked for, and no client is needed."""
    folder.mkdir()
    (folder / "tags.csv.zip").write_bytes(b"mine")
    client = use(monkeypatch, Client())
    fetch.run(project, "toy")
    assert client.asked == [("toy-world", "train.tar.7z")]
    assert files(folder) == FILES | {"tags.csv.zip": b"mine"} and len(list(folder.iterdir())) == 2
    assert "tags.csv.zip, train.tar.7z are there, 1 of them new" in capsys.readouterr().out
    monkeypatch.delattr(fetch, "find_client")
    fetch.run(project, "toy")


def test_what_stops_halfway_takes_no_name_and_can_be_gone_on_with(
    project: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The half stays where the client finds it again."""
    use(monkeypatch, Client(ConnectionError("the line is dead")))
    with pytest.raises(
        InputError, match=r"tags\.csv\.zip: the download stopped \(the line is dead\)\. Type the command"
    ):
        fetch.run(project, "toy")
    assert files(folder) == {}
    assert files(folder / ".unfinished-tags.csv.zip") == {"tags.csv.zip": b"PK "}
    use(monkeypatch, Client())
    fetch.run(project, "toy")
    assert files(folder) == FILES and len(list(folder.iterdir())) == 2


SITE = r"https://www\.kaggle\.com/c/toy-world"
BY_HAND = rf"Or download tags\.csv\.zip, train\.tar\.7z from {SITE}/data by hand into .*/chips/toy"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, rf"refused it \(401\).* accept the rules at {SITE}/rules"),
        (403, rf"refused it \(403\).* accept the rules at {SITE}/rules"),
        (404, r"Kaggle has no such file in toy-world \(404\)"),
        (500, r"the download stopped \(status 500\)"),
    ],
)
def test_a_refusal_says_what_to_do(
    project: Workspace, monkeypatch: pytest.MonkeyPatch, status: int, words: str
) -> None:
    """And how to do without."""
    use(monkeypatch, Client(RefusedError(status)))
    with pytest.raises(InputError, match=rf"tags\.csv\.zip: .*{words}.* {BY_HAND}"):
        fetch.run(project, "toy")


def test_without_the_client_the_error_says_how_to_install_it(
    project: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or which files to place where."""
    monkeypatch.setitem(sys.modules, "kaggle", None)
    with pytest.raises(InputError, match=rf"not installed\..* pip install -e '\.\[kaggle\]'\. {BY_HAND}"):
        fetch.run(project, "toy")


def test_a_data_set_that_names_no_files_says_so(project: Workspace) -> None:
    """It needs no IGARAPE_DATA for that; a path to another file is no name."""
    with pytest.raises(InputError, match=r"datasets/bare\.yaml: has no fetch section"):
        fetch.run(project, "bare")
    with pytest.raises(InputError, match=r"^'\.\./datasets/toy': expected small letters, digits, - and _, such as "):
        fetch.run(project, "../datasets/toy")


def test_planet_can_be_fetched() -> None:
    """Each file that its YAML downloads is one that its source looks for."""
    planet = yaml.safe_load((ROOT / "datasets/planet.yaml").read_text(encoding="utf-8"))
    source = planet["source"]
    looked_for = {*source["images"], *source["tags"], *(path for paths in source["unlabelled"] for path in paths)}
    assert {f"planet/{name}" for name in planet["fetch"]["files"]} <= looked_for


@pytest.fixture
def real_client() -> Iterator[None]:
    """Skip where Kaggle's client is not installed; import it anew, for it looks for credentials as it is imported."""
    if importlib.util.find_spec("kaggle") is None:
        reason = "NOT TESTED with Kaggle's own client: it is not installed. Type: pip install -e '.[kaggle]'"
        warnings.warn(reason, stacklevel=2)
        pytest.skip(reason)
    yield
    for name in [name for name in sys.modules if name.split(".")[0] in {"kaggle", "kagglesdk"}]:
        del sys.modules[name]


def test_without_credentials_kaggles_client_ends_in_an_error_of_ours(
    project: Workspace, real_client: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """It prints and ends the process otherwise."""
    with pytest.raises(InputError, match=rf"no credentials\..*kaggle\.json into ~/\.kaggle/.*KAGGLE_KEY\. {BY_HAND}"):
        fetch.run(project, "toy")
    assert capsys.readouterr().out == ""


class Site(BaseHTTPRequestHandler):
    """Answers as Kaggle's site does: a request for a file is sent on to where it lies."""

    accepted = True

    def do_POST(self) -> None:
        """Send on to the file, for those who have accepted the rules."""
        wanted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(302 if self.accepted else 403)
        self.send_header("Location", f"/files/{wanted['fileName']}?signature=1")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        """Give the file."""
        data = FILES[self.path.split("/")[-1].split("?")[0]]
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Type", "application/octet-stream")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *what: object) -> None:
        """Say nothing."""


@pytest.fixture
def site(real_client: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Site]]:
    """Run a site on this machine, to which Kaggle's own client turns."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("KAGGLE_USERNAME", "someone")
    monkeypatch.setenv("KAGGLE_KEY", "0123")
    environments = importlib.import_module("kagglesdk.kaggle_env")
    monkeypatch.setitem(
        environments._env_to_endpoint, environments.KaggleEnv.PROD, f"http://127.0.0.1:{server.server_port}"
    )
    with contextlib.ExitStack() as stack:
        stack.callback(thread.join)
        stack.callback(server.shutdown)
        yield Site
    server.server_close()


def test_kaggles_own_client_downloads_from_a_site_that_answers_as_kaggles(
    project: Workspace, folder: Path, site: type[Site]
) -> None:
    """Each file whole under its name, and nothing else left."""
    fetch.run(project, "toy")
    assert files(folder) == FILES and len(list(folder.iterdir())) == 2


def test_kaggles_own_client_tells_that_the_rules_are_not_accepted(
    project: Workspace, folder: Path, site: type[Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the site answers before one has done so."""
    monkeypatch.setattr(site, "accepted", False)
    with pytest.raises(InputError, match=r"refused it \(403\)"):
        fetch.run(project, "toy")
    assert files(folder) == {}
