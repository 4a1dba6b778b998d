"""Whether MLflow answers, knows us, and takes files; what `igarape doctor` says of it."""

import tempfile
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import mlflow
from mlflow import MlflowClient
from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.utils.credentials import get_default_host_creds, read_mlflow_creds
from mlflow.utils.rest_utils import MlflowHostCreds, http_request
from requests import Response

from igarape.errors import reason
from igarape.findings import Finding, found, good, warning, wrong
from igarape.tracking.address import VARIABLE, database, new_experiment, user

ASKED = "/api/2.0/mlflow/experiments/search?max_results=1"  # unlike /health, for users alone
REFUSED_HOST = "Invalid Host header"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
# What installers and examples come with, and so the first that a stranger tries.
COMMON = ("password", "password1234", "mlflow", "admin", "minioadmin", "changeme", "secret")
WHO = "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD (or ~/.mlflow/credentials)"
PLACE = "igarape/register"  # the experiment whose artifacts are tried: what is served is written there
PROBE = "doctor"
OURS = "name LIKE 'igarape/%'"  # the experiments of steps
SHOWN = 300  # letters of what somebody else says


def reach(uri: str) -> Finding:
    """Ask MLflow for its experiments."""
    if _is_server(uri):
        response = _asked(uri)
        refusal = None if response is None else _refusal(uri, response)
        # Who is not known is told so by the check of the user; here it is enough that MLflow answers.
        if response is None or (refusal and response.status_code != HTTPStatus.UNAUTHORIZED):
            return wrong(refusal or f"{uri}: nothing answers. {_start(uri)}")
        return _versions(uri)
    file = database(uri)
    if file is not None and not file.exists():
        return good(f"{file}: not there yet; the first step makes it")
    try:
        MlflowClient().search_experiments(max_results=1)
    except Exception as error:  # noqa: BLE001 - each kind of database has errors of its own
        return wrong(
            f"{uri}: {_short(error)}. Restore it from a copy; where an older MLflow wrote it: mlflow db upgrade {uri}"
        )
    return good(f"MLflow {mlflow.__version__} at {uri}")


def identify(uri: str) -> Finding:
    """Say as whom MLflow knows us, and how well that is guarded."""
    if not _is_server(uri):
        if database(uri) is not None:
            return good("no user: a database in a file is for those who can read the file")
        return warning(
            f"{VARIABLE} is the database itself: whoever works with it holds its password, and MLflow asks nobody. For "
            "several people start mlflow server --app-name basic-auth, as in docs/scale.md"
        )
    response = _asked(uri)
    if response is None:
        return wrong(f"{uri}: nothing answers. {_start(uri)}")
    if refusal := _refusal(uri, response):
        return wrong(refusal)
    parts, creds = urlsplit(uri), read_mlflow_creds()
    open_to_all = (anonymous := _asked(uri, anonymous=True)) is not None and anonymous.ok
    near = parts.hostname in LOOPBACK
    if open_to_all and not near:
        return warning(
            f"{uri} asks for no password: whoever reaches it can set champion. Start the server with --app-name "
            "basic-auth, as in docs/scale.md"
        )
    user, password = parts.username or creds.username, parts.password or creds.password
    doubts = []
    if parts.password:
        doubts.append(f"a password stands in {VARIABLE}, and so in logs: put it into {WHO}")
    if password and password.lower() in COMMON:
        doubts.append("its password is one that everybody tries first: change it by MLflow's pages, or its user API")
    if password and parts.scheme == "http" and not near:
        doubts.append("http carries the password readably: put TLS before the server")
    return found("no password is asked for, on this machine alone" if open_to_all else f"as {user}", doubts)


def keep(uri: str) -> Finding:
    """Write a file where the registry's models go, read it, and remove it; name experiments that were deleted."""
    file = database(uri)
    if file is not None and not file.exists():
        return good(f"beside {file}, which is not there yet")
    client = MlflowClient()
    if gone := client.search_experiments(ViewType.DELETED_ONLY, filter_string=OURS):
        named = ", ".join(f"{each.name} (mlflow experiments restore -x {each.experiment_id})" for each in gone)
        return wrong(f"deleted, so that MLflow takes no runs of them: {named}")
    known = client.get_experiment_by_name(PLACE)
    number = known.experiment_id if known else new_experiment(PLACE, client, uri)
    location = client.get_experiment(number).artifact_location
    # One place for each of us: what may be written and not removed does not pile up.
    place = f"{location}/{PROBE}/{user()}"
    repository: Any = get_artifact_repository(place)
    try:
        same = _kept(repository)
    except Exception as error:  # noqa: BLE001 - each store has errors of its own
        return wrong(f"{place}: {_why(error, uri)}")
    if not same:
        return wrong(f"{place}: another text came back than was written. See what stands between us and the store")
    doubts = []
    if urlsplit(location).scheme not in {"", "file", "mlflow-artifacts"}:
        doubts.append(
            f"{location} is reached without MLflow's server, so each of you needs its key: start the server with "
            "--artifacts-destination in place of --default-artifact-root, as in docs/scale.md"
        )
    stays = _removed(repository)
    if stays and not _forbidden(stays):
        doubts.append(f"the file that was written to try it could not be removed: {_short(stays)}")
    return found(
        f"{place}: written and read" + (", and stays: who manages the experiment removes" if stays else ""), doubts
    )


def _removed(repository: Any) -> Exception | None:
    """Remove what was written; return why not, where it stays."""
    try:
        repository.delete_artifacts()
    except Exception as error:  # noqa: BLE001 - each store has errors of its own
        return error
    return None


def _kept(repository: Any) -> bool:
    """Write a file, read it, and say whether it is the same."""
    with tempfile.TemporaryDirectory() as folder:
        probe, back = Path(folder) / "probe.txt", Path(folder) / "back"
        probe.write_text(folder, encoding="utf-8")
        back.mkdir()
        repository.log_artifact(str(probe))
        return Path(repository.download_artifacts(probe.name, str(back))).read_text(encoding="utf-8") == folder


def refused(uri: str) -> str | None:
    """Say why a server refuses us, and what mends that; None where it does not, is silent, or is no server."""
    response = _asked(uri) if _is_server(uri) else None
    return None if response is None else _refusal(uri, response)


def _is_server(uri: str) -> bool:
    return urlsplit(uri).scheme in {"http", "https"}


def _asked(uri: str, path: str = ASKED, *, anonymous: bool = False) -> Response | None:
    """Ask a server, with our password or without; None where nothing answers."""
    parts = urlsplit(uri)
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    who = MlflowHostCreds(bare) if anonymous else get_default_host_creds(uri)  # type: ignore[no-untyped-call]
    request: Any = http_request
    try:
        answer: Response = request(who, path, "GET", max_retries=0, raise_on_status=False)
    except MlflowException:
        return None
    return answer


def _refusal(uri: str, response: Response) -> str | None:
    """Say what a server's answer means, and what mends it; None for the answer that was asked for."""
    parts, said = urlsplit(uri), " ".join(response.text.split())[:SHOWN]
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        user = parts.username or read_mlflow_creds().username
        who = f"does not take the password of {user}" if user else "wants a user and a password"
        return f"{uri} {who}. Set {WHO}; who has none asks whoever administers the server"
    if response.status_code == HTTPStatus.FORBIDDEN and REFUSED_HOST in said:
        host = parts.netloc.rpartition("@")[2]
        return (
            f"{uri}: the server does not want to be called {host} ({said}). Start it with --allowed-hosts {host}, or "
            f"MLFLOW_SERVER_ALLOWED_HOSTS={host}"
        )
    if response.status_code == HTTPStatus.FORBIDDEN:
        return f"{uri}: may not read ({said}). Ask whoever administers the server for the permission EDIT"
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return f"{uri}: MLflow answers, but not its database ({response.status_code}: {said}). See the server's log"
    if not response.ok or "experiments" not in response.text:
        return f"{uri}: something answers ({response.status_code}: {said}), and it is not MLflow. Check {VARIABLE}"
    return None


def _start(uri: str) -> str:
    return f"Start the server, or unset {VARIABLE} to track into mlflow.db here" if _is_server(uri) else ""


def _versions(uri: str) -> Finding:
    """Compare the server's version with ours."""
    answer, own = _asked(uri, "/version"), mlflow.__version__
    theirs = answer.text.strip() if answer is not None and answer.ok else "of a version that it does not tell"
    same = not answer or not answer.ok or theirs.split(".")[:2] == own.split(".")[:2]
    return found(f"MLflow {theirs} at {uri}", [] if same else [f"here is {own}: install the same on both sides"])


def _why(error: Exception, uri: str) -> str:
    """Say why a store did not take a file, and what mends it."""
    said = _short(error)
    if "Timeout" in said:
        return "no answer in time: MLflow answers, but perhaps not the store behind it. See the server's log"
    if _forbidden(error):
        return f"{said}. You may not write into {PLACE}: ask whoever administers MLflow for the permission EDIT"
    if _is_server(uri):
        return f"{said}. See the server's log: its key for the store, the bucket, its room"
    return f"{said}. See who may write there"


def _forbidden(error: Exception) -> bool:
    """Say whether MLflow's server has refused us; the number alone may be a port's, or an experiment's."""
    return getattr(getattr(error, "response", None), "status_code", None) == HTTPStatus.FORBIDDEN


def _short(error: Exception) -> str:
    return " ".join(reason(error).split())[:SHOWN]
