"""The HTTP server: one process, with batches computed in threads; it begins to listen before the model is loaded."""

import asyncio
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from igarape.config.params import workers
from igarape.serving.admission import SECONDS, error_body
from igarape.serving.app import application
from igarape.serving.requests import JSON
from igarape.serving.service import Load, Service

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
SPARED = 4  # one open file in so many is not for clients, but for models, the registry and the like
BACKLOG = 128  # connections that asyncio takes at once, before it asks whether there are too many
GRACE = 60  # seconds in which requests may finish after SIGTERM
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(message)s", "datefmt": "%Y-%m-%dT%H:%M:%S%z"}},
    "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "plain", "stream": "ext://sys.stderr"}},
    "loggers": {
        "igarape.access": {"handlers": ["out"], "level": "INFO", "propagate": False},
        "igarape.serve": {"handlers": ["out"], "level": "INFO", "propagate": False},
        "uvicorn": {"handlers": ["out"], "level": "WARNING", "propagate": False},
    },
}


class Protocol(H11Protocol):
    """HTTP/1.1, whose requests have heads of 64 kB at most; what is no such request is refused as all others are.

    uvicorn by itself may take another implementation, where that is installed, which bounds no head. Who sends no whole
    head in time is hung up on, as is who comes when too many are there: past the bound on open files nobody is served.
    """

    _due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for a head."""
        super().connection_made(transport)
        if len(self.connections) > most_clients():
            transport.abort()
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """End all waiting."""
        super().connection_lost(exc)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """Take what came; more of a head prolongs nothing."""
        super().data_received(data)
        self._wait_for_head()

    def _wait_for_head(self) -> None:
        """Hang up in SECONDS, unless a whole head has come by then."""
        waits = self.conn.their_state is h11.IDLE and not self.transport.is_closing()
        if waits and self._due is None:
            self._due = self.loop.call_later(SECONDS, self.transport.close)
        elif not waits and self._due is not None:
            self._due.cancel()
            self._due = None

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, and hang up; without an answer where one has begun already. msg: uvicorn's words."""
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            message = "expected a request of HTTP/1.1 with one Host and a head of at most 64 kB, found something else"
            body = error_body(HTTPStatus.BAD_REQUEST, message)
            headers = [("content-type", JSON), ("content-length", str(len(body))), ("connection", "close")]
            head_only = self.conn.our_state is h11.SEND_RESPONSE and self.scope["method"] == "HEAD"
            for event in (
                h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
                h11.Data(data=b"" if head_only else body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        if self.cycle is not None:  # of a request whose body this is: an answer of its own could not be sent any more
            self.cycle.disconnected = True
        self.transport.close()

    def shutdown(self) -> None:
        """Hang up after what was begun, and say so in its head: else a client sends its next request into the end."""
        if not getattr(self.cycle, "response_started", True):  # there is no cycle before the first request
            self.cycle.default_headers = [*self.cycle.default_headers, (b"connection", b"close")]
        super().shutdown()


def most_clients() -> int:
    """Return how many connections are taken at a time: what the bound on open files (ulimit -n) leaves."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most - most // SPARED if most != resource.RLIM_INFINITY else sys.maxsize


def serve(load: Load, *, host: str, port: int, watch: float | None = None, token: bytes | None = None) -> None:
    """Load a model, and answer until somebody stops it.

    Parameters
    ----------
    load
        What loads it, as Service has it.
    host, port
        Where to listen.
    watch
        Seconds between two looks for a new model; None: the first one is kept.
    token
        What a request has to bring as a bearer token; None: nothing.

    Raises
    ------
    Exception
        Why the model cannot be loaded: InputError, mostly.
    """

    def stop() -> None:
        server.should_exit = True

    service = Service(load, workers=workers(), watch=watch)
    config = uvicorn.Config(
        application(service, token=token, stop=stop),
        host=host,
        port=port,
        backlog=BACKLOG,
        http=Protocol,
        log_config=LOGGING,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE,
        ws="none",
    )
    server = uvicorn.Server(config)
    with _ended_by_signals(server):
        server.run()
    if service.failure is not None:
        raise service.failure


@contextmanager
def _ended_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """Let signals end a server as they should: what was begun is answered, and the process ends without an error.

    uvicorn by itself raises what it has caught once more at the end, which would kill the process, and knows nothing
    of a terminal that is closed (SIGHUP), unless that is to be ignored (nohup).
    """
    taken = [each for each in SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]
    before = {each: signal.signal(each, server.handle_exit) for each in taken}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
