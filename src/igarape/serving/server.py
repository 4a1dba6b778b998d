"""The HTTP server: MLflow's own, with TensorFlow Serving's form besides, and errors that do not repeat the request."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import uvicorn
from mlflow.pyfunc import scoring_server

from igarape.serving.registry import load_model

INVOCATIONS = "/invocations"
SHOWN = 60  # characters of MLflow's words, which may be the request's
FORMS = (
    'expected JSON such as {"dataframe_records": [{"image": BASE64}]}, {"instances": [{"b64": BASE64}]}, '
    "or text/csv with a column image"
)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def serve(uri: str, folder: Path = Path(), *, host: str, port: int) -> None:
    """Load a registered model, and answer until somebody stops it.

    Parameters
    ----------
    uri
        The model's address, such as models:/igarape-drawn@champion.
    folder
        The project, in whose MLflow it is registered.
    host, port
        Where to listen.
    """
    uvicorn.run(Answers(scoring_server.init(load_model(uri, folder))), host=host, port=port, log_level="info")


class Answers:
    """An ASGI application around MLflow's: it unwraps {"b64": text} in requests, and shortens errors."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer; all but the model's own address is left to MLflow."""
        if scope["type"] != "http" or scope["path"] != INVOCATIONS:
            await self._application(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if b"content-type" not in headers:  # MLflow would fail
            scope["headers"] = [*scope["headers"], (b"content-type", b"application/json")]
        body = unwrapped(await _body(receive))
        given = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def replay() -> Message:
            return next(given, None) or await receive()

        await self._application(scope, replay, _Shortened(send))


class _Shortened:
    """Sends what an application sends; of an error, one short sentence."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        """Take a message of the answer."""
        if message["type"] == "http.response.start" and message["status"] >= HTTPStatus.BAD_REQUEST:
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._finish(self._start)

    async def _finish(self, start: Message) -> None:
        """Send the error."""
        body = json.dumps(sentence(self._body)).encode()
        start["headers"] = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


def unwrapped(body: bytes) -> bytes:
    """Put the text in the place of each {"b64": text}; what is no JSON stays as it is, for MLflow to refuse."""
    if b'"b64"' not in body:
        return body
    try:
        return json.dumps(json.loads(body, object_hook=_text)).encode()
    except ValueError:
        return body


def _text(each: dict[str, Any]) -> Any:
    """Return what an object wraps, where that is all it does."""
    return each["b64"] if set(each) == {"b64"} else each


def sentence(body: bytes) -> dict[str, str]:
    """Return what an error says to the sender: the model's own words, or the forms and the beginning of MLflow's."""
    try:
        error = json.loads(body)
    except ValueError:
        error = {"message": body.decode(errors="replace")}
    if not isinstance(error, dict):
        error = {}
    code, said = str(error.get("error_code", "BAD_REQUEST")), str(error.get("message", ""))
    if error.get("by") == "igarape":
        return {"error_code": code, "message": said}
    return {"error_code": code, "message": f"{FORMS}. MLflow says: {' '.join(said.split())[:SHOWN]}"}


async def _body(receive: Receive) -> bytes:
    """Receive a request's whole body."""
    parts: list[bytes] = []
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message["type"] == "http.request" and message.get("more_body", False)
    return b"".join(parts)
