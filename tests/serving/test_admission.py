"""Who may send, and how much: tokens, bodies that are too large, too slow or too many; who hangs up."""

import gzip
import http.client
import json
import socket
from pathlib import Path

import pytest
from answering import HOST, answering, ask, form, running, wait_until
from slow_bundle import slow

from igarape.chips.pictures import Pixels, encode_jpeg
from igarape.errors import InputError
from igarape.serving import admission
from igarape.serving.admission import read_token

TOKEN = "".join(map(chr, range(97, 119)))


def test_without_the_token_only_health_answers(bundle_folder: Path, images: list[Pixels]) -> None:
    """401 says what is expected; nothing tells how near a wrong one was."""
    chip = encode_jpeg(images[0], 95)
    with answering(bundle_folder, token=TOKEN.encode()) as port:
        for path in ("/health", "/ping"):
            assert ask(port, path)[0] == 200
        wrong = (TOKEN, f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}")
        for given in ({}, *({"Authorization": each} for each in wrong)):
            for path, body in (("/tag", chip), ("/version", None), ("/metrics", None), ("/docs", None), ("/no", None)):
                status, headers, said = ask(port, path, body, "image/jpeg", given)
                assert status == 401 and headers["www-authenticate"] == "Bearer"
                assert TOKEN[:8].encode() not in said
        for scheme in ("Bearer", "bearer"):  # whose case does not count (RFC 7235)
            assert ask(port, "/tag", chip, "image/jpeg", {"Authorization": f"{scheme} {TOKEN}"})[0] == 200


def test_a_token_is_read_from_a_file(tmp_path: Path) -> None:
    """Without the line's end; a file that holds none is refused, and not repeated."""
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n", encoding="ascii")
    assert read_token(file) == TOKEN.encode()
    for content in ("", "short", "two words of enough length", "naïve-naïve-naïve-naïve"):
        file.write_text(content, encoding="utf-8")
        with pytest.raises(InputError, match=r"--token-file .*token") as caught:
            read_token(file)
        assert not content or content not in str(caught.value)
    with pytest.raises(InputError, match=r"cannot be read: No such file.*openssl"):
        read_token(tmp_path / "none")


def test_a_body_that_is_too_large_is_refused(bundle_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once where its length says so, else as soon as it shows; what was held is given back."""
    monkeypatch.setattr(admission, "BYTES", 1000)
    with answering(bundle_folder) as port:
        assert ask(port, "/tag", bytes(1001), "image/jpeg")[0] == 413
        connection = http.client.HTTPConnection(HOST, port, timeout=30)
        chunks = iter([bytes(600), bytes(600)])
        connection.request("POST", "/tag", chunks, {"Content-Type": "image/jpeg"}, encode_chunked=True)
        assert connection.getresponse().status == 413
        connection.close()
        monkeypatch.setattr(admission, "HELD", 1500)
        for _ in range(5):
            assert ask(port, "/tag", bytes(900), "image/jpeg")[0] == 400  # no picture
        monkeypatch.setattr(admission, "HELD", 800)
        status, headers, _ = ask(port, "/tag", bytes(900), "image/jpeg")
        assert status == 429 and headers["retry-after"] == "1"


def test_a_body_that_does_not_come_is_not_waited_for(bundle_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """408 after the time that is set, and an end; who hangs up before costs nothing, and is no failure of ours."""
    monkeypatch.setattr(admission, "SECONDS", 0.1)
    head = b"POST /tag HTTP/1.1\r\nHost: a\r\nContent-Type: image/jpeg\r\nContent-Length: 100\r\n\r\nabc"
    with answering(bundle_folder) as port:
        with socket.create_connection((HOST, port), timeout=30) as opened:
            opened.sendall(head)
        with socket.create_connection((HOST, port), timeout=30) as opened:
            opened.sendall(head)
            assert b"".join(iter(lambda: opened.recv(1000), b"")).startswith(b"HTTP/1.1 408 ")  # and hangs up
        assert ask(port, "/health")[0] == 200
        told = ask(port, "/metrics")[2].decode()
        assert 'path="/tag",status="400"' in told and 'status="500"' not in told


def test_a_compressed_body_is_refused_by_its_header(bundle_folder: Path, images: list[Pixels]) -> None:
    """415 at every address that takes bodies, in words that say what to do; one that is called plain is taken."""
    chip = encode_jpeg(images[0], 95)
    with answering(bundle_folder) as port:
        for path in ("/tag", "/invocations", "/preview", "/look"):
            status, headers, said = ask(port, path, gzip.compress(chip), "image/jpeg", {"Content-Encoding": "gzip"})
            assert status == 415 and headers["accept-encoding"] == "identity"
            assert "not compressed, found a header Content-Encoding; send it without" in json.loads(said)["message"]
        assert ask(port, "/tag", chip, "image/jpeg", {"Content-Encoding": "Identity"})[0] == 200


def test_nothing_is_computed_for_who_has_hung_up(bundle_folder: Path, images: list[Pixels]) -> None:
    """What it left in the queue is gone at once, and the next one is answered; the log counts it as the sender's."""
    chip = encode_jpeg(images[0], 95)
    bundle, model = slow(bundle_folder)
    body, kind = form(*(("image", f"{k}.jpg", chip) for k in range(10)))
    head = f"POST /tag HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with running(lambda before: None if before else model) as (port, service):
        wait_until(lambda: service.batcher is not None)
        batcher = service.ready
        opened = [socket.create_connection((HOST, port), timeout=30) for _ in range(6)]
        for each in opened:
            each.sendall(head + body)
        wait_until(lambda: len(bundle.batches) == 2 and batcher.waiting + sum(bundle.batches) == 60)
        for each in opened:
            each.close()
        wait_until(lambda: batcher.waiting == 0)
        begun = list(bundle.batches)
        bundle.go.set()
        assert ask(port, "/tag", chip, "image/jpeg")[0] == 200
        assert bundle.batches == [*begun, 1]
        told = ask(port, "/metrics")[2].decode()
        assert 'igarape_requests_total{path="/tag",status="400"} 6.0' in told and 'status="500"' not in told
