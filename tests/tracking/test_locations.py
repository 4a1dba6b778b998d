"""A project's database names the folder beside it, wherever the project is, in databases that MLflow made."""

import shutil
import sqlite3
from pathlib import Path
from urllib.parse import quote

import mlflow
import pytest
from mlflow import MlflowClient

from igarape.errors import InputError
from igarape.tracking.locations import check_encoded, mend


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder for projects."""
    monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    return tmp_path


def stand(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in a folder, and use the database there; it is named whole, as one process meets several of them here."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{quote(str(folder))}/mlflow.db")


def begin(folder: Path, template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a project with an empty database, and stand in it."""
    folder.mkdir(parents=True)
    shutil.copy(template, folder)
    stand(folder, monkeypatch)


def log(text: str) -> str:
    """Log a text in a run; return the run's id."""
    mlflow.set_experiment("igarape/decide")
    with mlflow.start_run() as run:
        mlflow.log_text(text, "a.txt")
    return str(run.info.run_id)


def logged(run: str) -> str:
    """Return the text that a run has logged."""
    return mlflow.artifacts.load_text(f"{mlflow.get_run(run).info.artifact_uri}/a.txt")


def test_a_folder_that_mlflow_cannot_make_is_told_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in its place stands for a folder that others own: who runs the tests may write everywhere."""
    here = tmp_path / "a b" / "project"
    here.mkdir(parents=True)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    check_encoded(here)
    (tmp_path / "a%20b").touch()
    with pytest.raises(InputError, match=r"a b/project: MLflow would make \S+/a%20b/project too.*export MLFLOW_"):
        check_encoded(here)
    check_encoded(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
    check_encoded(here)


NAMES = ["plain", "a b", "é", "a#b", "a?b", "100%", "a%20b", "a+b&c;d", "it's"]


@pytest.mark.parametrize("name", NAMES)
def test_files_lie_in_the_project_whatever_its_folder_is_called(
    base: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """MLflow takes %20 in a path for a blank, and would write beside the project."""
    folder = base / name
    begin(folder, empty_database, monkeypatch)
    mlflow.set_experiment("igarape/decide")
    mend(folder / "mlflow.db")
    run = log("here")
    assert logged(run) == "here"
    assert len(list(folder.glob("mlruns/*/*/artifacts/a.txt"))) == 1
    strays = [path for path in base.rglob("*") if path.is_file() and folder not in path.parents]
    assert strays == []  # MLflow makes an empty folder of the encoded name
    assert mend(folder / "mlflow.db") == []


@pytest.mark.parametrize(("old", "new"), [("p", "q"), ("p", "a b#%20"), ("a b#%20", "p")])
def test_a_project_that_moved_is_mended(
    base: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str
) -> None:
    """What was logged before is found, what is logged now lies in the new folder, and the old one stays away."""
    begin(base / old, empty_database, monkeypatch)
    mlflow.set_experiment("igarape/decide")
    mend(base / old / "mlflow.db")
    first = log("before")
    (base / old).rename(base / new)
    stand(base / new, monkeypatch)
    assert mend(base / new / "mlflow.db")
    second = log("after")
    assert (logged(first), logged(second)) == ("before", "after")
    assert len(list((base / new).glob("mlruns/*/*/artifacts/a.txt"))) == 2
    assert not (base / old).exists()


def test_a_copied_project_leaves_the_first_alone(
    base: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are complete; what the copy logs lies in the copy."""
    begin(base / "p", empty_database, monkeypatch)
    first = log("before")
    shutil.copytree(base / "p", base / "q")
    stand(base / "q", monkeypatch)
    mend(base / "q/mlflow.db")
    log("after")
    shutil.rmtree(base / "p/mlruns")
    assert logged(first) == "before"
    assert len(list((base / "q").glob("mlruns/*/*/artifacts/a.txt"))) == 2
    assert not (base / "p/mlruns").exists()


def test_folders_that_somebody_chose_stay(base: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also ones called mlruns, and those that are not on this machine."""
    begin(base / "p", empty_database, monkeypatch)
    (base / "shared/mlruns").mkdir(parents=True)
    log("here")
    mend(base / "p/mlflow.db")
    places = ["s3://bucket/mlruns/7", f"{base}/shared/mlruns/8", f"file://{base}/store/9"]
    numbers = [MlflowClient().create_experiment(place, place) for place in places]
    assert mend(base / "p/mlflow.db") == []
    assert [MlflowClient().get_experiment(number).artifact_location for number in numbers] == places


def test_without_a_database_there_is_nothing_to_do(tmp_path: Path) -> None:
    """And none is made; nor is an empty one an error."""
    assert mend(tmp_path / "mlflow.db") == []
    assert list(tmp_path.iterdir()) == []
    sqlite3.connect(tmp_path / "mlflow.db").close()
    assert mend(tmp_path / "mlflow.db") == []


def test_a_file_that_is_no_database_is_one_clear_error(tmp_path: Path) -> None:
    """It names the file."""
    (tmp_path / "mlflow.db").write_text("hello" * 300)
    with pytest.raises(InputError, match=r"mlflow\.db: file is not a database"):
        mend(tmp_path / "mlflow.db")
