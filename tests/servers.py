"""A real MLflow server that a test stops and starts."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path


class Server:
    """A real `mlflow server` on a database of its own, to be stopped and started."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as opened:
            opened.bind(("127.0.0.1", 0))
            self.port = opened.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: bool = True) -> None:
        """Start the server; wait until it answers."""
        words = ["-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"]
        place = ["--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db", "--artifacts-destination", "artifacts"]
        lean = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # a second process, which nothing here asks
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *words, *place],
                cwd=self.folder,
                env=lean,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while wait and not self.answers():
            assert self.process.poll() is None, (self.folder / "server.log").read_text(encoding="utf-8")
            time.sleep(0.2)

    def answers(self) -> bool:
        """Say whether the server answers."""
        try:
            urllib.request.urlopen(f"{self.uri}/health", timeout=5).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """Kill the server and its workers."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None
