"""Where a project's MLflow is."""

import os
import shutil
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

from igarape.errors import InputError
from igarape.tracking.address import connected, database, new_experiment
from igarape.tracking.locations import project


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder whose name holds what an address would take for its own; no MLflow is named."""
    place = tmp_path / "igarapé #1 100%20?"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return place


def test_the_default_is_a_database_in_the_project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named whole, and encoded as MLflow does, so that two projects have two addresses; afterwards nothing is set."""
    default = mlflow.get_tracking_uri()
    with connected() as uri:
        assert uri == mlflow.get_tracking_uri() == default
        assert database(uri) == folder / "mlflow.db"
    assert "MLFLOW_TRACKING_URI" not in os.environ
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")
    with connected(folder) as uri:
        assert database(uri) == folder / "mlflow.db"


@pytest.mark.parametrize("uri", ["http://127.0.0.1:9", "sqlite:////elsewhere/mlflow.db"])
def test_an_address_that_is_set_stays(folder: Path, monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    """As people wrote it."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with connected() as found:
        assert found == uri


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("./mlruns", r"=\./mlruns: MLflow keeps no runs in plain folders any more.* sqlite:///mlflow\.db"),
        ("file:///srv/mlruns", "=file:///srv/mlruns: MLflow keeps no runs in plain folders"),
        ("postgresql://ana:secret@db/mlflow", r"begins with postgresql://.* begin with postgresql\+psycopg2://"),
    ],
)
def test_an_address_at_which_mlflow_keeps_nothing_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, uri: str, said: str
) -> None:
    """In our words, which say what to write, and no password."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(InputError, match=said) as raised, connected(folder):
        pass
    assert "secret" not in str(raised.value)


def test_a_path_is_read_as_mlflow_reads_it(folder: Path) -> None:
    """MLflow's own default address is percent-encoded; options behind a question mark are no part of the path."""
    default = mlflow.get_tracking_uri()
    assert "%23" in default
    assert database(default) == folder / "mlflow.db"
    assert database("sqlite:////a/mlflow.db?timeout=5") == Path("/a/mlflow.db")
    assert database("http://127.0.0.1:5000") is None


@pytest.mark.parametrize("below", [".dvc/tmp/exps/standalone/tmpa1", ".dvc/tmp/exps/tmpa1/sub"])
def test_a_copy_that_dvc_runs_an_experiment_in_tracks_to_the_project(
    folder: Path, monkeypatch: pytest.MonkeyPatch, below: str
) -> None:
    """With `--temp` and from DVC's queue; also where `mlflow run` has named the copy's own database. A server stays."""
    copy = folder / below
    copy.mkdir(parents=True)
    monkeypatch.chdir(copy)
    assert project() == folder
    for given in (None, "sqlite:///mlflow.db", mlflow.get_tracking_uri()):
        if given:
            monkeypatch.setenv("MLFLOW_TRACKING_URI", given)
        with connected() as uri:
            assert database(uri) == folder / "mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with connected() as uri:
        assert uri == "http://127.0.0.1:9"


def test_a_project_is_itself_elsewhere(folder: Path) -> None:
    """A folder is given back as it was given."""
    assert project() == Path()
    assert project(folder / ".dvc/tmp") == folder / ".dvc/tmp"
    assert project(Path("data")) == Path("data")


def test_a_new_experiments_files_lie_beside_the_database(tmp_path: Path, empty_database: Path) -> None:
    """Wherever we stand; one that another process has just made is taken as it is."""
    shutil.copy(empty_database, tmp_path)
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = MlflowClient(uri)
    number = new_experiment("igarape/search", client, uri)
    assert client.get_experiment(number).artifact_location == (tmp_path / "mlruns/igarape-search").as_uri()
    assert new_experiment("igarape/search", client, uri) == number
