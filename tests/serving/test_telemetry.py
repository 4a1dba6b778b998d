"""Figures in Prometheus's text, and one line for each request that tells nothing of what was sent."""

import asyncio
import logging
import re

import pytest

from igarape.serving.telemetry import BOUNDS, PICTURES, AccessLog, Message, Receive, Send, Telemetry

LINE = re.compile(r'igarape_\w+(\{\w+="(\\.|[^"\\\n])*"(,\w+="(\\.|[^"\\\n])*")*\})? [0-9.e+-]+')


def test_the_text_is_prometheuss() -> None:
    """Buckets count all that took no longer, the last one all; each name has a type; quotes are escaped."""
    telemetry = Telemetry()
    for seconds in (0.001, 0.005, 0.3, 99.0):
        telemetry.count("/tag", 200, seconds=seconds, pictures=2)
    telemetry.count("other", 404, seconds=0.001, pictures=0)
    text = telemetry.text({"ready": 1.0}, {"model": 'a "b"\\\n', "version": "1"})
    lines = text.splitlines()
    assert text.endswith("\n")
    assert all(LINE.fullmatch(line) for line in lines if not line.startswith("# TYPE igarape_"))
    assert 'igarape_requests_total{path="/tag",status="200"} 4' in lines
    assert "igarape_pictures_total 8" in lines and "igarape_ready 1.0" in lines
    counts = [
        line.rpartition(" ")[2] for line in lines if line.startswith('igarape_request_seconds_bucket{path="/tag"')
    ]
    assert counts == ["2", "2", "2", "2", "2", "2", "3", "3", "3", "3", "3", "4"] and len(counts) == len(BOUNDS) + 1
    assert r'igarape_model_info{model="a \"b\"\\\n",version="1"} 1' in lines
    types = {line.split()[2] for line in lines if line.startswith("#")}
    names = {re.split("[{ ]", line)[0] for line in lines if not line.startswith("#")}
    assert {re.sub("_(bucket|sum|count)$", "", name) for name in names} == types


def test_a_request_is_told_in_one_line_without_its_own_words(caplog: pytest.LogCaptureFixture) -> None:
    """An address or a method that is none of ours is called other; a failure counts as 500."""

    async def application(scope: Message, receive: Receive, send: Send) -> None:
        scope[PICTURES] = 3
        if scope["path"] == "/fails":
            raise ValueError("secret")
        await send({"type": "http.response.start", "status": 200})

    async def nothing(*_: object) -> Message:
        return {}

    telemetry = Telemetry()
    told = AccessLog(application, telemetry, frozenset({"/tag", "/fails"}))
    with caplog.at_level(logging.INFO, "igarape.access"):
        for method, path in (("POST", "/tag"), ("SECRET", "/secret\n"), ("GET", "/fails")):
            try:
                asyncio.run(told({"type": "http", "method": method, "path": path}, nothing, nothing))  # type: ignore[arg-type]
            except ValueError:
                assert path == "/fails"
    lines = [record.getMessage() for record in caplog.records]
    assert [line.rpartition(",")[0] for line in lines] == [
        "POST /tag 200, 3 pictures",
        "other other 200, 3 pictures",
        "GET /fails 500, 3 pictures",
    ]
    assert telemetry.requests == {("/tag", 200): 1, ("other", 200): 1, ("/fails", 500): 1} and telemetry.pictures == 9
