"""Where a project's MLflow is: MLFLOW_TRACKING_URI, else mlflow.db in the project's folder; and as whom it knows us."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.tracking.context.registry import resolve_tags

from igarape.errors import InputError
from igarape.tracking.locations import ARTIFACTS, mend, project

DATABASE = "mlflow.db"
VARIABLE = "MLFLOW_TRACKING_URI"
RETRIES, TIMEOUT = "MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_HTTP_REQUEST_TIMEOUT"
SQLITE = "sqlite:///"


def database(uri: str) -> Path | None:
    """Return the file of a SQLite address, whose path is percent-encoded; None for any other address."""
    if not uri.startswith(SQLITE):
        return None
    path = uri.removeprefix(SQLITE).partition("?")[0]
    return _place(Path(unquote(path)))


@contextmanager
def connected(folder: Path = Path()) -> Iterator[str]:
    """Let MLflow use the project's address for the block, and give it.

    A copy that DVC runs an experiment in, and then removes, uses the database of the project itself. Where a project's
    own database names a folder that the project has left, it is mended. Raises InputError for an address that MLflow
    keeps no runs at.
    """
    uri = _given(folder) or SQLITE + quote(str(_own(folder)))
    _check(uri)
    with environment(VARIABLE, uri):
        if database(uri) == _own(folder):
            mend(_own(folder))
        yield uri


def new_experiment(name: str, client: MlflowClient, uri: str) -> str:
    """Create an experiment, unless another process has just done so; return its id.

    Where the address is a SQLite database, its files lie in mlruns beside that: MLflow by itself would take mlruns in
    the folder that we stand in. A server knows better.
    """
    file = database(uri)
    place = None if file is None else (file.parent / ARTIFACTS / name.replace("/", "-")).as_uri()
    try:
        return client.create_experiment(name, place)
    except MlflowException as error:
        there = client.get_experiment_by_name(name) if error.error_code == "RESOURCE_ALREADY_EXISTS" else None
        if there is None:
            raise
        return str(there.experiment_id)


def to_do(uri: str, folder: Path) -> str:
    """Say what to do where the MLflow at an address does not answer a project."""
    file = database(uri)
    advice = "Start it" if file is None else f"See who may read and write {file}"
    return advice if file == _own(folder) else f"{advice}, or unset {VARIABLE} to track into {DATABASE} of this folder"


def user() -> str:
    """Return who we are, as MLflow's own runs have it."""
    return str(resolve_tags().get("mlflow.user", "unknown"))


def _check(uri: str) -> None:
    """Refuse an address that leads nowhere: MLflow's words speak of a store that it has given up, or of a package."""
    scheme = urlsplit(uri).scheme
    folder = scheme == "file" or (not scheme and uri != "databricks")
    if folder and "MLFLOW_ALLOW_FILE_STORE" not in os.environ:  # by which MLflow is told that it is wanted all the same
        raise InputError(
            f"{VARIABLE}={uri}: MLflow keeps no runs in plain folders any more. Name a server, such as "
            "http://127.0.0.1:5000, or a database, such as sqlite:///mlflow.db"
        )
    if scheme in {"postgresql", "postgres"} and find_spec("psycopg") is None:
        raise InputError(
            f"{VARIABLE}: begins with {scheme}://, which asks for psycopg 3. psycopg2 is what is installed with "
            "igarape[server]: let it begin with postgresql+psycopg2://"
        )


def _own(folder: Path) -> Path:
    """Return the place of a project's own database."""
    return _place(project(folder) / DATABASE)


def _given(folder: Path) -> str:
    """Return the address that was asked for; "" where there is none, or where it is that of a copy of DVC's."""
    given = mlflow.is_tracking_uri_set()  # type: ignore[no-untyped-call]
    uri = mlflow.get_tracking_uri() if given else ""
    copy = project(folder) != folder and database(uri) == _place(folder / DATABASE)
    return "" if copy else uri


def _place(file: Path) -> Path:
    """Return the one absolute path of a file, which may itself be a link, in its folder."""
    return file.parent.resolve() / file.name


@contextmanager
def environment(name: str, value: str) -> Iterator[None]:
    """Set an environment variable for the block."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before
