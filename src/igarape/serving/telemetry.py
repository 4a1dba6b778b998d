"""What a server tells of itself: figures in Prometheus's text, and a line for each request, without what was sent."""

import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any

from igarape.errors import counted

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

LOG = logging.getLogger("igarape.access")
PICTURES = "igarape.pictures"  # the key under which a route notes how many pictures a request had
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
OTHER = "other"  # addresses that are none of ours, as anybody may make up any number of them


class Telemetry:
    """Counts of requests by address and status, their seconds, and pictures; to be used by one thread."""

    def __init__(self) -> None:
        self.requests: dict[tuple[str, int], int] = defaultdict(int)
        self.pictures = 0
        self._seconds: dict[str, float] = defaultdict(float)
        self._within: dict[str, list[int]] = defaultdict(lambda: [0] * (len(BOUNDS) + 1))

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
        self.requests[path, status] += 1
        self.pictures += pictures
        self._seconds[path] += seconds
        self._within[path][sum(seconds > bound for bound in BOUNDS)] += 1

    def text(self, gauges: Mapping[str, float], model: Mapping[str, str]) -> str:
        """Return all in Prometheus's text format, version 0.0.4.

        gauges: figures of this moment, by name. model: labels of igarape_model_info; empty while none is loaded.
        """
        lines = ["# TYPE igarape_requests_total counter"]
        for (path, status), count in sorted(self.requests.items()):
            lines.append(f"igarape_requests_total{_labels(path=path, status=str(status))} {count}")
        lines += ["# TYPE igarape_pictures_total counter", f"igarape_pictures_total {self.pictures}"]
        lines.append("# TYPE igarape_request_seconds histogram")
        for path, counts in sorted(self._within.items()):
            for place, bound in enumerate([*map(str, BOUNDS), "+Inf"]):
                total = sum(counts[: place + 1])
                lines.append(f"igarape_request_seconds_bucket{_labels(path=path, le=bound)} {total}")
            lines.append(f"igarape_request_seconds_sum{_labels(path=path)} {self._seconds[path]}")
            lines.append(f"igarape_request_seconds_count{_labels(path=path)} {sum(counts)}")
        for name, value in gauges.items():
            lines += [f"# TYPE igarape_{name} gauge", f"igarape_{name} {value}"]
        if model:
            lines += ["# TYPE igarape_model_info gauge", f"igarape_model_info{_labels(**model)} 1"]
        return "\n".join([*lines, ""])


def _labels(**labels: str) -> str:
    """Write labels; a backslash, a quote and a line's end are escaped."""
    escaped = {name: text.translate({92: r"\\", 34: r"\"", 10: r"\n"}) for name, text in labels.items()}
    return "{" + ",".join(f'{name}="{text}"' for name, text in escaped.items()) + "}"


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
