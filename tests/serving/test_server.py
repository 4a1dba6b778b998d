"""A model that cannot be loaded ends the server with its error; what is no HTTP is refused, and little is loaded."""

import http.client
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from answering import HOST, answering, ask, wait_until

from igarape.errors import InputError
from igarape.serving import server
from igarape.serving.batching import Served
from igarape.serving.champion import Version, following
from igarape.serving.server import serve


def test_a_version_whose_files_are_gone_ends_it(champion: Path) -> None:
    """The error is that of fetching, after the server has begun to listen and has stopped."""
    with pytest.raises(InputError, match="models:/igarape-toy/7: "):
        serve(following(Version("igarape-toy", "7", {}, {}), champion), host="127.0.0.1", port=0)


def test_what_else_goes_wrong_with_a_model_ends_it_too() -> None:
    """Who started it, such as systemd, would take an end without an error for one that was wanted."""

    def load(_: Served | None) -> Served | None:
        raise MemoryError("no room for the model")

    with pytest.raises(MemoryError, match="no room"):
        serve(load, host=HOST, port=0)


def test_what_is_no_http_is_refused_in_one_sentence(bundle_folder: Path) -> None:
    """In the form of all errors, and the line is closed; where an answer has begun, nothing is put into it."""
    post = b"POST /tag HTTP/1.1\r\nHost: a\r\nContent-Type: image/jpeg\r\n"
    with answering(bundle_folder) as port:
        for sent in (
            b"GET /health\x00 HTTP/1.1\r\n\r\n",
            b"GET /health HTTP/1.1\r\n\r\n",
            b"GET /health HTTP/1.1\r\nHost: a\r\nLong: " + b"x" * 70_000,
            post + b"Content-Length: many\r\n\r\n",
            post + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
        ):
            head, _, body = talked(port, sent).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n") and b"application/json" in head
            assert json.loads(body)["message"].startswith("expected a request of HTTP/1.1")
        begun = talked(
            port, post + b"Transfer-Encoding: chunked\r\nContent-Encoding: br\r\n\r\n3\r\nabc\r\n", b"zz\r\n"
        )
        assert begun.startswith(b"HTTP/1.1 415 ") and begun.count(b"HTTP/1.1") == 1


def test_what_is_no_http_leaves_no_traceback(bundle_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where the head was understood, its answer would come after the one that refuses the rest."""
    heads = (b"GET /health HTTP/1.1\r\nHost: a\r\n", b"POST /tag HTTP/1.1\r\nHost: a\r\nContent-Encoding: br\r\n")
    with answering(bundle_folder) as port:
        for head in heads:
            answer = talked(port, head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")
            assert answer.startswith(b"HTTP/1.1 400 ") and answer.endswith(b"}")
        answer = talked(port, heads[0].replace(b"GET", b"HEAD") + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")
        assert answer.startswith(b"HTTP/1.1 400 ") and answer.endswith(b"\r\n\r\n")  # without the sentence
        assert talked(port, heads[0] + b"Connection: close\r\n\r\n").startswith(b"HTTP/1.1 200 ")
    assert "Invalid HTTP request" in caplog.text and "Exception" not in caplog.text


def test_who_sends_no_whole_head_is_hung_up_on(bundle_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after an answer, however the rest trickles; a body has its own time. Each costs an open file."""
    monkeypatch.setattr(server, "SECONDS", 0.3)
    health = b"GET /health HTTP/1.1\r\nHost: a\r\n"
    with answering(bundle_folder) as port:
        assert talked(port) == talked(port, health[:9]) == b""
        assert talked(port, health + b"\r\n", health).count(b"HTTP/1.1 ") == 1
        with socket.create_connection((HOST, port), timeout=30) as opened:
            opened.sendall(b"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{")
            assert talked(port) == b""  # a whole time has passed
            opened.sendall(b"}")
            assert opened.recv(1000).startswith(b"HTTP/1.1 400 ")


def test_no_more_clients_are_taken_than_there_are_files(bundle_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past that bound nobody would be served, and the log would grow by megabytes a second."""
    assert server.most_clients() > 0
    monkeypatch.setattr(server, "most_clients", lambda: 2)
    with answering(bundle_folder) as port:
        idle = [socket.create_connection((HOST, port)) for _ in range(2)]
        wait_until(lambda: refuses_health(port))  # the two are there as soon as the server has looked
        for each in idle:
            each.close()
        wait_until(lambda: not refuses_health(port))


def refuses_health(port: int) -> bool:
    """Say whether a server hangs up on who asks."""
    try:
        return ask(port, "/health")[0] != 200
    except (ConnectionError, http.client.HTTPException):
        return True


def talked(port: int, *sent: bytes) -> bytes:
    """Send bytes, each when something has come back for those before; return all that comes back."""
    with socket.create_connection((HOST, port), timeout=30) as opened:
        found = b""
        for each in sent:
            opened.sendall(each)
            found += opened.recv(10_000)
        return found + b"".join(iter(lambda: opened.recv(10_000), b""))


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_after_what_was_begun_and_without_an_error(bundle_folder: Path, sign: int) -> None:
    """The answer says that no other will follow on its line, and the process ends with 0, as who stopped it expects."""
    if signal.getsignal(sign) is signal.SIG_IGN:
        pytest.skip("it is to be ignored here, as nohup says")
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "igarape", "serve", "--bundle", str(bundle_folder), "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None and " answers" in process.stderr.readline()
        with socket.create_connection((HOST, port), timeout=30) as opened:
            opened.sendall(b"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{")
            wait_until(lambda: b"igarape_ready 1.0" in ask(port, "/metrics")[2])  # the head has been read by then
            process.send_signal(sign)
            wait_until(lambda: refuses(port))
            opened.sendall(b"}")
            answer = opened.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 400 ") and b"connection: close\r\n" in answer.lower()
        assert process.wait(30) == 0
        assert "Traceback" not in process.stderr.read()


def refuses(port: int) -> bool:
    """Say whether nothing listens on a port any more."""
    with socket.socket() as asked:
        return asked.connect_ex((HOST, port)) != 0


def test_serving_a_folder_loads_no_mlflow_and_the_command_no_numpy() -> None:
    """MLflow takes seconds; NumPy's BLAS reads how many threads it has when it is loaded."""
    command = "import igarape.stages.serve, sys; assert 'numpy' not in sys.modules"
    rest = "import igarape.serving.server, igarape.serving.in_folder"
    program = f"{command}; {rest}; assert 'mlflow' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
