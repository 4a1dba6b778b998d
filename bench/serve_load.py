"""serve_load: from the command `igarape serve` to the first answer, and the memory that it takes.

Five MobileNets, eight views a chip. The peer is a pyfunc of MLflow that loads the same networks by Keras, in a process
of its own, and answers one chip too. Then a request of 1,000 chips goes to a server of one of the networks, one view,
which computes as many pictures at once as the five do; how much memory that takes at most is compared with before.
"""

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from mobilenets import make_networks, pack
from real import chips, labels_of
from serve_http import HOST, PROGRAM, asked, wait

from igarape.chips.pictures import encode_jpeg

SET, MANY, LOOK = "ucmerced", 1000, 0.05
BOUNDARY = "chips"
MODEL = """
import sys
from pathlib import Path
import cv2, keras, numpy as np
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

KNOWN = {"BatchNormalization": keras.layers.BatchNormalization}  # they were saved with a subclass of it

class Five(PythonModel):
    def load_context(self, context):
        paths = sorted(Path(context.artifacts["networks"]).glob("*.keras"))
        self.networks = [keras.models.load_model(path, custom_objects=KNOWN) for path in paths]

    def predict(self, context, model_input, params=None):
        image = cv2.cvtColor(cv2.imdecode(np.frombuffer(model_input[0], np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        sized = cv2.resize(image, (128, 128), interpolation=cv2.INTER_AREA)
        turned = [np.rot90(sized, k) for k in range(4)]
        views = np.stack([*turned, *(view[:, ::-1] for view in turned)]).astype(np.float32)
        return np.mean([network.predict(views, verbose=0) for network in self.networks], axis=(0, 1))

set_model(Five())
"""
PEER = """
import sys, time
import mlflow
model = mlflow.pyfunc.load_model(sys.argv[1])
model.predict([open(sys.argv[2], "rb").read()])
print("answered", flush=True)
time.sleep(600)
"""


def run() -> dict[str, object]:
    """Return the megabytes that both processes hold after one answer, and what our start and 1,000 chips take."""
    found = chips(SET)
    labels = labels_of(SET)
    pictures = [encode_jpeg(rgb, 95) for _, rgb in list(found.values())[:MANY]]
    networks = make_networks(labels)
    with TemporaryDirectory() as made:
        for name in ("five", "one"):
            Path(made, name).mkdir()
        five = pack(Path(made, "five"), networks, labels)
        one = pack(Path(made, "one"), networks[:1], labels, tta=False)
        begun = time.perf_counter()
        with _serving(five, pictures[0]) as (server, _):
            wall, cpu = time.perf_counter() - begun, sum(server.cpu_times()[:2])
            ours = _megabytes(server)
        with _serving(one, pictures[0]) as (server, port):
            grown = _grown(server, port, pictures)
        peer = _peer(Path(made), networks, pictures[0])
    row = {"ours": ours, "peer": peer, "ratio": peer / ours, "unit": "MB", "n": 1}
    return row | {"first_answer_s": wall, "first_answer_cpu_s": cpu, "many_mb": grown, "many": len(pictures)}


@contextmanager
def _serving(bundle: Path, picture: bytes) -> Iterator[tuple[psutil.Process, int]]:
    """Serve a bundle until it has answered a picture, and as long as it is needed; give the process and its port."""
    with socket.create_server((HOST, 0)) as opened:
        port: int = opened.getsockname()[1]
    words = ["serve", "--bundle", str(bundle), "--port", str(port)]
    program = [sys.executable, "-c", PROGRAM, *words]
    with subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            wait(port)
            if asked(port, "POST", "/tag", picture) != 200:
                raise SystemExit("serve_load: a chip is refused")
            yield psutil.Process(server.pid), port
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)


def _grown(server: psutil.Process, port: int, pictures: list[bytes]) -> float:
    """Return the megabytes that a request of many pictures takes at most, above those before."""
    before, most, done = _megabytes(server), [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(LOOK):
            most.append(_megabytes(server))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        if asked(port, "POST", "/tag", _form(pictures), f"multipart/form-data; boundary={BOUNDARY}") != 200:
            raise SystemExit("serve_load: the chips are refused")
    finally:
        done.set()
        watcher.join()
    return max(most) - before


def _form(pictures: list[bytes]) -> bytes:
    """Write a form of pictures."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="chip.jpg"\r\n\r\n'.encode()
    return b"".join(head + picture + b"\r\n" for picture in pictures) + f"--{BOUNDARY}--\r\n".encode()


def _peer(folder: Path, networks: list[Any], picture: bytes) -> float:
    """Return the megabytes of a process that has answered by MLflow's pyfunc and Keras."""
    import mlflow

    (folder / "keras").mkdir()
    for number, network in enumerate(networks):
        network.save(folder / f"keras/{number}.keras")
    (folder / "model.py").write_text(MODEL, encoding="utf-8")
    (folder / "chip.jpg").write_bytes(picture)
    mlflow.pyfunc.save_model(
        str(folder / "model"),
        python_model=str(folder / "model.py"),
        artifacts={"networks": (folder / "keras").as_uri()},
        pip_requirements=["keras"],
    )
    words = [sys.executable, "-c", PEER, str(folder / "model"), str(folder / "chip.jpg")]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as peer:
        try:
            if peer.stdout is None or b"answered" not in peer.stdout.read(9):
                raise SystemExit("serve_load: the peer does not answer")
            return _megabytes(psutil.Process(peer.pid))
        finally:
            peer.kill()


def _megabytes(process: psutil.Process) -> float:
    """Return the memory that a process holds."""
    return float(process.memory_info().rss) / 2**20


if __name__ == "__main__":
    print(run())
