"""serve_http: requests/s of eight clients against one, and what HTTP adds to the time of one chip in process.

The bundle and the chips are those of this project's own finished stream. The server is a process of its own, as
`igarape serve --bundle` starts it; each side computes a chip on one processor. Clients take turns with one another, and
so does one chip in process with one over HTTP, so that what else the machine does costs both.
"""

import http.client
import signal
import socket
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from threadpoolctl import threadpool_limits

from igarape.chips.store import Store
from igarape.serving.bundle import Bundle
from igarape.tables import read_catalog
from igarape.workspace import Workspace

HOST, CLIENTS = "127.0.0.1", 8
CHIPS, PAIRS, ROUNDS, SECONDS = 32, 60, 3, 4
PROGRAM = "from igarape.cli import main; main()"
MINUTES = 10  # that an answer may take


def run() -> dict[str, object]:
    """Return requests/s of eight clients (ours) and of one (peer), and the medians of one chip both ways in ms."""
    workspace = Workspace(Path())
    if not workspace.bundle.is_dir():
        raise SystemExit("serve_http: no finished stream here; type: make repro")
    bundle = Bundle.load(workspace.bundle, threads=1)
    catalog = read_catalog(workspace.catalog(), bundle.vocabulary.labels)
    store = Store(workspace.chips("raw"), catalog)
    chips = [bytes(store.bytes(name)) for name in catalog["image_id"][:CHIPS]]
    with socket.create_server((HOST, 0)) as opened:
        port = opened.getsockname()[1]
    words = ["serve", "--bundle", str(workspace.bundle), "--port", str(port)]
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            wait(port)
            with threadpool_limits(1):  # as the server has it
                inside, outside = _one(bundle, chips, port)
            many, one = _rates(chips, port)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)
    row = {"ours": many, "peer": one, "ratio": many / one, "unit": "requests/s", "n": ROUNDS}
    return row | {
        "http_ms": outside,
        "in_process_ms": inside,
        "http_adds_ms": outside - inside,
    }


def wait(port: int) -> None:
    """Wait until the server is ready."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            if asked(port, "GET", "/health", None) == 200:
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("serve_http: the server does not come up")


def asked(port: int, method: str, path: str, body: bytes | None, kind: str = "image/jpeg") -> int:
    """Send one request over a connection of its own, and return the status."""
    connection = http.client.HTTPConnection(HOST, port, timeout=MINUTES * 60)
    try:
        connection.request(method, path, body, {"Content-Type": kind} if body else {})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def _one(bundle: Bundle, chips: list[bytes], port: int) -> tuple[float, float]:
    """Return the median milliseconds of one chip, in process and over HTTP, in turns."""
    inside, outside = [], []
    for k in range(PAIRS + 5):
        chip = chips[k % len(chips)]
        start = time.perf_counter()
        bundle.answer([chip])
        middle = time.perf_counter()
        if asked(port, "POST", "/tag", chip) != 200:
            raise SystemExit("serve_http: a chip is refused")
        inside.append(middle - start)
        outside.append(time.perf_counter() - middle)
    return statistics.median(inside[5:]) * 1000, statistics.median(outside[5:]) * 1000


def _rates(chips: list[bytes], port: int) -> tuple[float, float]:
    """Return the median requests/s of eight clients and of one, in turns."""
    rounds = [[_rate(chips, port, clients) for clients in (CLIENTS, 1)] for _ in range(ROUNDS)]
    many, one = zip(*rounds, strict=True)
    return statistics.median(many), statistics.median(one)


def _rate(chips: list[bytes], port: int, clients: int) -> float:
    """Return the requests/s of so many clients, each of which sends the next chip when it has its answer."""
    start = time.perf_counter()

    def client(first: int) -> int:
        sent = 0
        while time.perf_counter() < start + SECONDS:
            if asked(port, "POST", "/tag", chips[(first + sent) % len(chips)]) != 200:
                raise SystemExit("serve_http: a chip is refused")
            sent += 1
        return sent

    with ThreadPoolExecutor(clients) as pool:
        total = sum(pool.map(client, range(clients)))
    return total / (time.perf_counter() - start)


if __name__ == "__main__":
    print(run())
