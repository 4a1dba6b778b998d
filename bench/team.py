"""What a team shares, for real: PostgreSQL, an S3, and MLflow between them, which asks for a password."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import psycopg2
import requests
from buckets import KEY, REGION, SECRET, Store

BUCKET, DATABASE = "team", "tracking"
ADMIN = ("admin", "a-long-one-of-the-admin")
ORDINARY = "postgres"  # the user that PostgreSQL runs as where the tests run as root, as which it refuses to
PATIENCE = 300  # seconds; a busy machine takes its time


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


class NotInstalledError(Exception):
    """What a team's services need is not on this machine."""


class Postgres:
    """A PostgreSQL of one's own, to be stopped and started, in a folder that its user gets to."""

    def __init__(self) -> None:
        for program in ("initdb", "postgres"):
            if shutil.which(program) is None:
                raise NotInstalledError(f"PostgreSQL: no {program} on the PATH. Type: apt-get install postgresql")
        self.folder, self.port = Path(tempfile.mkdtemp(prefix="igarape-postgres-")), free_port()
        self._user = ORDINARY if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self.folder, self._user)
        words = ["initdb", "-D", str(self.folder / "data"), "-U", "mlflow", "--auth=trust", "--no-sync"]
        subprocess.run(words, check=True, capture_output=True, user=self._user, cwd="/")
        self.start()
        self.wait(f"CREATE DATABASE {DATABASE}")

    @property
    def uri(self) -> str:
        """Return its address, as MLflow takes it."""
        return f"postgresql+psycopg2://mlflow@127.0.0.1:{self.port}/{DATABASE}"

    def start(self) -> None:
        """Start it."""
        words = ["postgres", "-D", str(self.folder / "data"), "-p", str(self.port), "-k", "", "-h", "127.0.0.1"]
        with (self.folder / "postgres.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*words, "-c", "fsync=off"], stdout=log, stderr=log, user=self._user, cwd="/"
            )

    def stop(self) -> None:
        """Stop it at once: what is connected is cut off."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait()

    def wait(self, statement: str = "SELECT 1") -> None:
        """Wait until it answers a statement."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                opened = psycopg2.connect(f"postgresql://mlflow@127.0.0.1:{self.port}/postgres")
                break
            except psycopg2.OperationalError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        opened.autocommit = True
        opened.cursor().execute(statement)
        opened.close()


class Team:
    """All of it. uri: MLflow's; clients have a user of MLflow's, and no key of S3."""

    def __init__(self, folder: Path) -> None:
        self.database, self.store = Postgres(), Store()
        self.store.client().create_bucket(Bucket=BUCKET)
        self._folder, self._port = folder, free_port()
        self.uri = f"http://127.0.0.1:{self._port}"
        self._start()

    def _start(self) -> None:
        settings = self._folder / "auth.ini"
        settings.write_text(server_settings(self.database.uri), encoding="utf-8")
        words = ["-m", "mlflow", "server", *server_words(self.database.uri, str(self._port), f"s3://{BUCKET}/mlflow")]
        own = {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": REGION,
            "MLFLOW_S3_ENDPOINT_URL": self.store.endpoint,
            "MLFLOW_AUTH_CONFIG_PATH": str(settings),
            "MLFLOW_AUTH_ADMIN_PASSWORD": ADMIN[1],
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "of tests",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        }
        with (self._folder / "server.log").open("ab") as log:
            self._server = subprocess.Popen(
                [sys.executable, *words],
                cwd=self._folder,
                env=bare(os.environ) | own,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self._folder / "server.log").read_text(encoding="utf-8")[-3000:])
            time.sleep(0.5)

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.uri}/health", timeout=PATIENCE).ok
        except requests.ConnectionError:
            return False

    def join(self, user: str) -> dict[str, str]:
        """Make a user; return the variables of whoever is that."""
        password = f"a-long-one-of-{user}"
        made = requests.post(
            f"{self.uri}/api/2.0/mlflow/users/create",
            json={"username": user, "password": password},
            auth=ADMIN,
            timeout=PATIENCE,
        )
        made.raise_for_status()
        return {
            "MLFLOW_TRACKING_URI": self.uri,
            "MLFLOW_TRACKING_USERNAME": user,
            "MLFLOW_TRACKING_PASSWORD": password,
            "MLFLOW_HTTP_REQUEST_TIMEOUT": str(PATIENCE),  # a request with a password is slow on a busy machine
        }

    def kept(self) -> list[str]:
        """Return the names of what lies in the bucket."""
        found = self.store.client().list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return [each["Key"] for each in found]

    def stop(self) -> None:
        """Stop all of it."""
        os.killpg(self._server.pid, signal.SIGKILL)
        self._server.wait()
        self.store.stop()
        self.database.stop()
        shutil.rmtree(self.database.folder)


def server_settings(database: str) -> str:
    """Return the settings of MLflow's users."""
    return f"""\
[mlflow]
default_permission = EDIT
database_uri = {database}
admin_username = {ADMIN[0]}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
auth_cache_ttl_seconds = 60
"""


def server_words(database: str, port: str, artifacts: str) -> list[str]:
    """Return the options of `mlflow server`."""
    words = ["--app-name", "basic-auth", "--host", "127.0.0.1", "--port", port, "--workers", "1"]
    return [*words, "--backend-store-uri", database, "--artifacts-destination", artifacts]


def bare(variables: Mapping[str, str]) -> dict[str, str]:
    """Return variables without those that name a store, an MLflow or a cluster."""
    return {name: value for name, value in variables.items() if not name.startswith(("AWS_", "MLFLOW_", "IGARAPE_"))}
