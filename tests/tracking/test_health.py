"""Whether MLflow answers, knows us and takes files. Servers that refuse stand in; test_services.py has real ones."""

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import mlflow
import pytest

from igarape.findings import good, warning
from igarape.tracking import health
from igarape.tracking.health import identify, keep, reach

OURS = mlflow.__version__
EXPERIMENTS = '{"experiments": []}'
HOST = "Invalid Host header - possible DNS rebinding attack detected"
Answers = Mapping[str, tuple[int, str]]
Serve = Callable[[Answers], str]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Give what serves an answer for each user; "" is nobody, * is anybody else."""
    servers = []

    def begin(answers: Answers) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                known = self.headers.get("Authorization", "")
                status, text = answers.get(known, answers["*"])
                if self.path == "/version":
                    status, text = 200, OURS
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    for name in ("USERNAME", "PASSWORD"):
        monkeypatch.delenv(f"MLFLOW_TRACKING_{name}", raising=False)
    monkeypatch.setenv("HOME", "/nonexistent")  # where ~/.mlflow/credentials would be
    yield begin
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_server_that_answers_is_named_with_its_version(serve: Serve) -> None:
    """And another version than ours is a warning."""
    uri = serve({"*": (200, EXPERIMENTS)})
    assert reach(uri) == good(f"MLflow {mlflow.__version__} at {uri}")


def test_another_version_is_a_warning(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client may ask for what the server has not."""
    uri = serve({"*": (200, EXPERIMENTS)})
    monkeypatch.setattr(mlflow, "__version__", "2.0.1")
    assert reach(uri).level == "warning" and "here is 2.0.1" in reach(uri).said


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        (403, HOST, r"the server does not want to be called 127\.0\.0\.1:\d+ .*--allowed-hosts 127\.0\.0\.1:\d+"),
        (403, "Permission denied", "may not read .*EDIT"),
        (503, '{"error_code": "TEMPORARILY_UNAVAILABLE"}', "not its database .*TEMPORARILY_UNAVAILABLE.*server's log"),
        (200, "<html>a router</html>", "it is not MLflow. Check MLFLOW_TRACKING_URI"),
        (404, "Not Found", "it is not MLflow"),
    ],
)
def test_what_a_server_refuses_is_explained(serve: Serve, status: int, text: str, expected: str) -> None:
    """By what it answers to the first real request: to /health it would say OK."""
    finding = reach(serve({"*": (status, text)}))
    assert finding.level == "wrong"
    assert re.search(expected, finding.said), finding.said


def test_where_nothing_listens_it_says_so_at_once() -> None:
    """What to type next, too."""
    finding = reach("http://127.0.0.1:9")
    assert finding.level == "wrong" and "nothing answers. Start the server, or unset" in finding.said


def test_a_wrong_password_is_the_users_check_and_not_the_servers(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow answers; it does not know who asks."""
    uri = serve({"*": (401, "You are not authenticated.")})
    assert reach(uri).level == "good"
    assert "wants a user and a password. Set MLFLOW_TRACKING_USERNAME" in identify(uri).said
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ana")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "wrong-password")
    finding = identify(uri)
    assert finding.level == "wrong" and "does not take the password of ana" in finding.said
    assert "wrong-password" not in finding.said


def test_who_is_known_is_named(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name that the password belongs to."""
    uri = serve({"": (401, "no"), "*": (200, EXPERIMENTS)})
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ana")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "a-long-one-of-ana")
    assert identify(uri) == good("as ana")


@pytest.mark.parametrize(
    ("password", "in_address", "expected"),
    [
        ("a-long-one-of-ana", True, "a password stands in MLFLOW_TRACKING_URI"),
        ("password1234", False, "one that everybody tries first"),
    ],
)
def test_a_password_that_others_may_know_is_a_warning(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, password: str, in_address: bool, expected: str
) -> None:
    """The finding does not tell it."""
    uri = serve({"": (401, "no"), "*": (200, EXPERIMENTS)})
    if in_address:
        uri = uri.replace("://", f"://ana:{password}@")
    else:
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ana")
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", password)
    finding = identify(uri)
    assert finding.level == "warning" and expected in finding.said and password not in finding.said


def test_a_server_that_asks_nobody_is_a_warning_unless_it_is_on_this_machine(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reaches it may say who is champion."""
    uri = serve({"*": (200, EXPERIMENTS)})
    assert identify(uri) == good("no password is asked for, on this machine alone")
    monkeypatch.setattr(health, "LOOPBACK", ())
    assert identify(uri).level == "warning" and "whoever reaches it can set champion" in identify(uri).said


def test_http_to_another_machine_carries_the_password_readably(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A warning, as it may be a network of one's own."""
    uri = serve({"": (401, "no"), "*": (200, EXPERIMENTS)})
    monkeypatch.setattr(health, "LOOPBACK", ())
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ana")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "a-long-one-of-ana")
    assert identify(uri) == warning("as ana; http carries the password readably: put TLS before the server")


def test_a_database_as_address_is_a_warning_where_it_has_users() -> None:
    """MLflow's own permissions are the server's; a file has those of the file."""
    assert identify("postgresql+psycopg2://mlflow:x@db/tracking").level == "warning"
    assert identify("sqlite:////somewhere/mlflow.db").level == "good"


def test_a_project_without_a_database_is_well(tmp_path: Path) -> None:
    """Its first step makes one; looking for it makes none."""
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    assert reach(uri).level == keep(uri).level == "good"
    assert list(tmp_path.iterdir()) == []


def test_artifacts_are_written_read_and_removed(registry: Path) -> None:
    """Nothing is left of it."""
    uri = mlflow.get_tracking_uri()
    assert reach(uri).level == "good"
    assert keep(uri).level == "good"
    assert [path for path in (registry / "mlruns").rglob("*") if path.is_file()] == []


def test_artifacts_that_nobody_may_write_are_wrong(registry: Path) -> None:
    """Here a file is in the way of the folder, whose name is no answer of a server's."""
    (registry / "number-403").write_text("in the way")
    mlflow.create_experiment(health.PLACE, (registry / "number-403").as_uri())
    finding = keep(mlflow.get_tracking_uri())
    assert finding.level == "wrong" and "See who may write there" in finding.said


def test_an_experiment_that_was_deleted_is_wrong(registry: Path) -> None:
    """A step of it cannot run; others' experiments are not ours to restore."""
    client = mlflow.MlflowClient()
    ours, other = (client.create_experiment(name, str(registry)) for name in ("igarape/decide", "igarape"))
    for number in (ours, other):
        client.delete_experiment(number)
    finding = keep(mlflow.get_tracking_uri())
    assert finding.level == "wrong" and finding.said.endswith(
        f": igarape/decide (mlflow experiments restore -x {ours})"
    )


def test_a_database_that_is_none_is_wrong(tmp_path: Path) -> None:
    """With what mends it."""
    (tmp_path / "mlflow.db").write_text("no database")
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", uri)
        finding = reach(uri)
    assert finding.level == "wrong" and "Restore it from a copy" in finding.said
