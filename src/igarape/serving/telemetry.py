"""What a server tells of itself: figures in Prometheus's text, and a line for each request, without what was sent."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    disable_created_metrics,
    generate_latest,
)

from igarape.errors import counted

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

LOG = logging.getLogger("igarape.access")
PICTURES = "igarape.pictures"  # the key under which a route notes how many pictures a request had
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
# The gauges, each with what Prometheus's pages say of it.
GAUGES = {
    "ready": "Whether a model is loaded: 1 or 0",
    "pictures_waiting": "Pictures that wait for a batch",
    "drift": "How the last pictures lie: 0 in range, 1 unusual, 2 not like training",
    "drift_chance": "Share of sets like the training's whose answers are as far off",
    "drift_far": "Share of the last pictures that are far from the training data",
    "drift_pictures": "The last pictures, of which drift is told",
}
OTHER = "other"  # addresses that are none of ours, as anybody may make up any number of them


class Telemetry:
    """Counts of requests by address and status, their seconds, and pictures."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each of these, when it began
        self._registry = CollectorRegistry()
        self._requests = Counter("igarape_requests", "Requests answered", ["path", "status"], registry=self._registry)
        self._pictures = Counter("igarape_pictures", "Pictures in requests", registry=self._registry)
        self._seconds = Histogram(
            "igarape_request_seconds", "Seconds of a request", ["path"], buckets=BOUNDS, registry=self._registry
        )

    def count(self, path: str, status: int, *, seconds: float, pictures: int) -> None:
        """Count a request that was answered.

        Parameters
        ----------
        path
            One of the server's addresses, or OTHER.
        status
            Of the answer.
        seconds
            That it took.
        pictures
            In the request.
        """
        self._requests.labels(path, str(status)).inc()
        self._pictures.inc(pictures)
        self._seconds.labels(path).observe(seconds)

    def text(self, gauges: Mapping[str, float], model: Mapping[str, str]) -> bytes:
        """Return all in Prometheus's text format, version 0.0.4.

        gauges: figures of this moment, by their names in GAUGES. model: labels of igarape_model_info; empty while none
        is loaded.
        """
        moment = CollectorRegistry()
        for name, value in gauges.items():
            Gauge(f"igarape_{name}", GAUGES[name], registry=moment).set(value)
        if model:
            Info("igarape_model", "The model that answers", registry=moment).info(dict(model))
        return generate_latest(self._registry) + generate_latest(moment)


class AccessLog:
    """ASGI middleware that counts each request, and writes one line of the log for it."""

    def __init__(self, application: Application, telemetry: Telemetry, known: frozenset[str]) -> None:
        """Wrap an application. known: its addresses; others are counted together, and not repeated in the log."""
        self._application = application
        self._telemetry = telemetry
        self._known = known

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer, then count and log."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        start, status = time.perf_counter(), HTTPStatus.INTERNAL_SERVER_ERROR.value

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._application(scope, receive, noted)
        finally:
            seconds, pictures = time.perf_counter() - start, scope.get(PICTURES, 0)
            path = scope["path"] if scope["path"] in self._known else OTHER
            method = scope["method"] if scope["method"] in {"GET", "HEAD", "POST"} else OTHER
            self._telemetry.count(path, status, seconds=seconds, pictures=pictures)
            LOG.info("%s %s %d, %s, %.1f ms", method, path, status, counted(pictures, "picture"), 1000 * seconds)
