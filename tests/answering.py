"""The server's application on a port of its own, in a thread, for a bundle that needs no registry."""

import http.client
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from igarape.serving.app import application
from igarape.serving.batching import Served
from igarape.serving.bundle import Bundle
from igarape.serving.server import Protocol
from igarape.serving.service import Load, Service

HOST = "127.0.0.1"


def served(folder: Path, version: str = "1") -> Served:
    """Load a bundle as a version of a model."""
    return Served(Bundle.load(folder, threads=1), "igarape-toy", version, {"holdout_f2": 0.9}, {"git_commit": "c0ffee"})


@contextmanager
def running(load: Load, *, watch: float | None = None, token: bytes | None = None) -> Iterator[tuple[int, Service]]:
    """Serve in a thread, with two workers; give the port and the service, which may not be ready yet."""
    service = Service(load, workers=2, watch=watch)
    config = uvicorn.Config(
        application(service, token=token, stop=lambda: None),
        host=HOST,
        port=0,
        http=Protocol,
        log_config=None,
        access_log=False,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield server.servers[0].sockets[0].getsockname()[1], service
    finally:
        server.should_exit = True
        thread.join(30)


@contextmanager
def answering(folder: Path, *, token: bytes | None = None) -> Iterator[int]:
    """Serve a bundle; give the port when it is loaded."""
    model = served(folder)
    with running(lambda before: None if before else model, token=token) as (port, service):
        wait_until(lambda: service.batcher is not None)
        yield port


def wait_until(holds: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it does not come to hold"
        time.sleep(0.01)


def ask(
    port: int,
    path: str,
    body: bytes | None = None,
    kind: str | None = "application/json",
    headers: Mapping[str, str] | None = None,
    *,
    method: str | None = None,
) -> tuple[int, Mapping[str, str], bytes]:
    """Send a request; return status, headers in small letters and body. method: None: POST where it has a body."""
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    every = dict(headers or {}) | ({} if kind is None or body is None else {"Content-Type": kind})
    try:
        connection.request(method or ("GET" if body is None else "POST"), path, body, every)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def form(*files: tuple[str, str, bytes]) -> tuple[bytes, str]:
    """Write a form of (field, file name, content) as curl does; return it with its content type."""
    parts = [
        f'--edge\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'.encode()
        + b"Content-Type: application/octet-stream\r\n\r\n"
        + content
        + b"\r\n"
        for field, name, content in files
    ]
    return b"".join([*parts, b"--edge--\r\n"]), "multipart/form-data; boundary=edge"
