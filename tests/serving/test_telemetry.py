"""Figures in Prometheus's text, and one line for each request that tells nothing of what was sent."""

import asyncio
import logging

import pytest
from prometheus_client.parser import text_string_to_metric_families

from igarape.serving.telemetry import BOUNDS, GAUGES, PICTURES, AccessLog, Message, Receive, Send, Telemetry


def samples(text: bytes) -> dict[tuple[str, ...], float]:
    """Read the text as Prometheus does: figures by their names and the values of their labels."""
    families = text_string_to_metric_families(text.decode())
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


def test_the_text_is_prometheuss() -> None:
    """Buckets count all that took no longer, the last one all; quotes are escaped; nothing but what was asked for."""
    telemetry = Telemetry()
    for seconds in (0.001, 0.005, 0.3, 99.0):
        telemetry.count("/tag", 200, seconds=seconds, pictures=2)
    telemetry.count("other", 404, seconds=0.001, pictures=0)
    found = samples(telemetry.text({"ready": 1.0}, {"model": 'a "b"\\\n', "version": "1"}))
    counts = [2.0] * 6 + [3.0] * 5 + [4.0]
    bounds = [*map(str, BOUNDS), "+Inf"]
    buckets = {("igarape_request_seconds_bucket", bound, "/tag"): n for bound, n in zip(bounds, counts, strict=True)}
    buckets |= {("igarape_request_seconds_bucket", bound, "other"): 1.0 for bound in bounds}
    assert found == buckets | {
        ("igarape_requests_total", "/tag", "200"): 4.0,
        ("igarape_requests_total", "other", "404"): 1.0,
        ("igarape_pictures_total",): 8.0,
        ("igarape_request_seconds_count", "/tag"): 4.0,
        ("igarape_request_seconds_sum", "/tag"): pytest.approx(99.306),
        ("igarape_request_seconds_count", "other"): 1.0,
        ("igarape_request_seconds_sum", "other"): 0.001,
        ("igarape_ready",): 1.0,
        ("igarape_model_info", 'a "b"\\\n', "1"): 1.0,
    }


def test_each_figure_says_what_it_is() -> None:
    """Prometheus's pages show that beside it."""
    families = text_string_to_metric_families(Telemetry().text(dict.fromkeys(GAUGES, 1.0), {"model": "a"}).decode())
    told = {one.name: one.documentation for one in families}
    assert all(told.values()) and set(told) > {f"igarape_{name}" for name in GAUGES}


def test_before_a_model_is_loaded_nothing_is_said_of_one() -> None:
    """And what was counted by one server is not another one's."""
    Telemetry().count("/tag", 200, seconds=0.1, pictures=1)
    assert samples(Telemetry().text({"ready": 0.0}, {})) == {("igarape_pictures_total",): 0.0, ("igarape_ready",): 0.0}


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
    found = samples(telemetry.text({}, {}))
    for path, status in (("/tag", "200"), ("other", "200"), ("/fails", "500")):
        assert found["igarape_requests_total", path, status] == 1
    assert found["igarape_pictures_total",] == 9
