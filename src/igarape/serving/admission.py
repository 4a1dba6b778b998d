"""Admission control: a bearer token, limits on bytes in flight, and no work for who has hung up."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from igarape.errors import InputError
from igarape.serving.requests import BYTES
from igarape.serving.telemetry import Application, Message, Receive, Send

T = TypeVar("T")

HELD = 4 * BYTES  # of all requests that are at work
PLAIN = "identity"  # the coding of a body that has none
SECONDS = 60  # in which a body has to arrive
SHORTEST = 16  # characters of a token
PAGE = {"/": "index.html", "/page.css": "page.css", "/page.js": "page.js"}  # which asks for the token
OPEN = frozenset({"/health", "/ping", *PAGE})  # what tells no more than that the server is there
AGAIN = {"Retry-After": "1"}
CODES = {
    HTTPStatus.BAD_REQUEST: "INVALID_PARAMETER_VALUE",  # as MLflow has it
    HTTPStatus.NOT_FOUND: "ENDPOINT_NOT_FOUND",
    HTTPStatus.SERVICE_UNAVAILABLE: "TEMPORARILY_UNAVAILABLE",
    HTTPStatus.INTERNAL_SERVER_ERROR: "INTERNAL_ERROR",
}


class Refused(Exception):  # noqa: N818 - a refusal is no error of ours
    """A request that is answered with an HTTP error: a status, and a sentence that says why."""

    def __init__(self, status: HTTPStatus, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}


def error_body(status: HTTPStatus, message: str) -> bytes:
    """Return the body of an error, as MLflow's clients read it."""
    return json.dumps({"error_code": CODES.get(status, status.name), "message": message}).encode()


def read_token(file: Path) -> bytes:
    """Read a token from a file; raise InputError where it holds none, or one that is too short or has blanks."""
    made = f"To make one: openssl rand -hex 32 > {file}"
    try:
        token = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no ASCII text"
        raise InputError(f"--token-file {file}: cannot be read: {why}. {made}") from error
    if len(token) < SHORTEST or token.split() != [token]:
        raise InputError(
            f"--token-file {file}: expected a token of at least {SHORTEST} characters without blanks. {made}"
        )
    return token.encode()


class BearerToken:
    """ASGI middleware that requires a bearer token (RFC 6750), but for the addresses in OPEN."""

    def __init__(self, application: Application, token: bytes) -> None:
        self._application = application
        self._token = token

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] == "http" and scope["path"] not in OPEN:
            scheme, _, given = dict(scope["headers"]).get(b"authorization", b"").partition(b" ")
            same = hmac.compare_digest(given.lstrip(), self._token)  # which takes as long wherever they differ
            if scheme.lower() != b"bearer" or not same:
                body = error_body(HTTPStatus.UNAUTHORIZED, "expected the header Authorization: Bearer TOKEN")
                headers = [(b"content-type", b"application/json"), (b"www-authenticate", b"Bearer")]
                status = HTTPStatus.UNAUTHORIZED.value
                await send({"type": "http.response.start", "status": status, "headers": headers})
                await send({"type": "http.response.body", "body": body})
                return
        await self._application(scope, receive, send)


class BodyReader:
    """Receives request bodies, and limits the bytes of those in flight. held: those bytes."""

    def __init__(self) -> None:
        self.held = 0

    @asynccontextmanager
    async def body(self, request: Request) -> AsyncIterator[bytes]:
        """Receive a request's whole body, which counts as held until the block ends.

        Raises Refused for one that is too large (413), compressed (415), too slow (408) or cut short (400), and when
        too much is at work (429).
        """
        parts: list[bytes] = []
        try:
            await self._receive(request, parts)
            yield b"".join(parts)
        finally:
            self.held -= sum(map(len, parts))

    async def _receive(self, request: Request, parts: list[bytes]) -> None:
        """Append to parts what comes; raise Refused as body does."""
        if int(request.headers.get("content-length", "0")) > BYTES:
            raise _too_large()
        if request.headers.get("content-encoding", PLAIN).strip().lower() not in {"", PLAIN}:
            message = "expected a body that is not compressed, found a header Content-Encoding; send it without"
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message, {"Accept-Encoding": PLAIN})
        received = 0
        try:
            async with asyncio.timeout(SECONDS):
                async for part in request.stream():
                    parts.append(part)
                    received += len(part)
                    self.held += len(part)
                    if received > BYTES:
                        raise _too_large()
                    if self.held > HELD:
                        raise Refused(HTTPStatus.TOO_MANY_REQUESTS, "too much is at work; try again later", AGAIN)
        except ClientDisconnect as error:  # who hung up is not answered, but told in the log, and counted as theirs
            raise Refused(HTTPStatus.BAD_REQUEST, "expected the whole request, found that it ended early") from error
        except TimeoutError as error:
            message = f"expected the whole request within {SECONDS} s"
            raise Refused(HTTPStatus.REQUEST_TIMEOUT, message, {"Connection": "close"}) from error


async def while_here(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Return what some work gives; stop it when the client hangs up, and raise Refused (400), for the log.

    A client that has lost patience asks again: what it left would be computed before that, for nobody. request: of
    which all is received.
    """
    working, leaving = asyncio.create_task(work), asyncio.create_task(_hung_up(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:  # the server ends, as the work says
        working.cancel()
        return await working
    finally:
        leaving.cancel()
    if not working.done():
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        raise Refused(HTTPStatus.BAD_REQUEST, "expected somebody to answer to, found that they have hung up")
    try:
        return working.result()
    finally:
        del working  # its error would hold this frame, and that the request


async def _hung_up(request: Request) -> None:
    """Wait until the client hangs up."""
    while (await request.receive())["type"] != "http.disconnect":
        continue


def _too_large() -> Refused:
    return Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"expected a request of at most {BYTES // 2**20} MB")
