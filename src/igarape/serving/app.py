"""The HTTP application: MLflow's protocol at /invocations, pictures as they are at /tag, and what operators ask."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from html import escape
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from starlette.exceptions import HTTPException

from igarape.errors import InputError
from igarape.serving.admission import BearerToken, BodyReader, Refused, error_body, while_here
from igarape.serving.answers import detailed
from igarape.serving.batching import Answer
from igarape.serving.front import add_front
from igarape.serving.input_drift import gauges
from igarape.serving.requests import CSV, FORM, JSON, PARQUET, Files, Unsupported, read_files, read_table
from igarape.serving.service import Service
from igarape.serving.telemetry import PICTURES, AccessLog, Application, Message, Receive, Send, Telemetry

T = TypeVar("T")
Read = Callable[[bytes, str, Any], Files]

SMALL, FEW = 2**18, 8  # bytes of a body, pictures of an answer: what is read and written within a millisecond or two

TABLES = {"content": {kind: {} for kind in (JSON, CSV, PARQUET)}, "required": True}
FILE = {"type": "array", "items": {"type": "string", "format": "binary"}}
PARTS = {"schema": {"type": "object", "properties": {"image": FILE, "nir": FILE}, "required": ["image"]}}
PICTURES_SENT = {"content": {"image/*": {}, FORM: PARTS}, "required": True}
ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"description": "What is wrong with the request, in one sentence"},
    413: {"description": "The request is too large"},
    415: {"description": "The content type is none of those, or the body is compressed"},
    429: {"description": "Too much waits; the header Retry-After says for how many seconds"},
    503: {"description": "The model is being loaded"},
}


def application(service: Service, *, token: bytes | None = None, stop: Callable[[], None]) -> Application:
    """Return the ASGI application.

    Parameters
    ----------
    service
        What answers.
    token
        What has to be sent as a bearer token; None: nothing.
    stop
        Called where no model can be loaded.
    """
    telemetry = Telemetry()
    api = FastAPI(
        title="igarape",
        version=version("igarape"),
        description="Tags satellite chips: pictures in, labels and probabilities out.",
        docs_url=None,  # FastAPI's pages load from addresses outside
        redoc_url=None,
        redirect_slashes=False,  # a redirect says nothing to who does not follow it, and repeats the header Host
        lifespan=_lifespan(service, stop),
    )
    reader = BodyReader()
    _add_answers(api, service, reader)
    add_front(api, service, reader)
    _add_reports(api, service, telemetry)
    api.add_exception_handler(Refused, _refused)
    api.add_exception_handler(InputError, _refused)
    api.add_exception_handler(HTTPException, _refused)
    api.add_exception_handler(Exception, _refused)
    known = frozenset(str(getattr(route, "path", "")) for route in api.routes)
    inner = _headed(api)
    return AccessLog(inner if token is None else BearerToken(inner, token), telemetry, known)


def _headed(inner: Application) -> Application:
    """Answer HEAD as GET, which FastAPI does not; the server itself leaves the body out."""

    async def answer(scope: Message, receive: Receive, send: Send) -> None:
        asked = {**scope, "method": "GET"} if scope.get("method") == "HEAD" else scope
        await inner(asked, receive, send)

    return answer


def _lifespan(service: Service, stop: Callable[[], None]) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Run the service beside the server, so that health can say that the model is being loaded."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        running = asyncio.create_task(service.run(stop))
        yield
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await asyncio.to_thread(service.close)

    return lifespan


async def _refused(_: Request, error: Exception) -> Response:
    """Answer an error in one sentence; what is not the sender's fault says no more than that."""
    headers: Mapping[str, str] = {}
    if isinstance(error, Refused):
        status, message, headers = error.status, error.message, error.headers
    elif isinstance(error, InputError):
        unsupported = isinstance(error, Unsupported)
        status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE if unsupported else HTTPStatus.BAD_REQUEST
        message = str(error)
    elif isinstance(error, HTTPException):
        status = HTTPStatus(error.status_code)
        message, headers = f"{status.phrase.lower()}; /docs lists what there is", error.headers or {}
    else:
        status, message = HTTPStatus.INTERNAL_SERVER_ERROR, "the server failed; its log says why"
    return Response(error_body(status, message), status.value, headers, JSON)


def _add_answers(api: FastAPI, service: Service, reader: BodyReader) -> None:
    """Add the routes that take pictures."""

    async def answered(request: Request, read: Read, say: Callable[[Files, list[Answer]], Any]) -> Response:
        batcher, columns = service.ready, service.columns
        async with AsyncExitStack() as held:
            with batcher.coming():
                body = await held.enter_async_context(reader.body(request))
                kind = request.headers.get("content-type", "")
                files = await _done(lambda: read(body, kind, columns), here=len(body) < SMALL)
            request.scope[PICTURES] = len(files.images)
            answers = await while_here(request, service.answer(files))
            content = await _done(lambda: json.dumps(say(files, answers)), here=len(files.images) < FEW)
        return Response(content, media_type=JSON)

    @api.post("/invocations", openapi_extra={"requestBody": TABLES}, responses=ERRORS)
    async def invocations(request: Request) -> Response:
        """Answer a table of pictures as MLflow's scoring server does: base64 texts in a column image."""
        return await answered(request, read_table, _records)

    @api.post("/tag", openapi_extra={"requestBody": PICTURES_SENT}, responses=ERRORS)
    async def tag(request: Request) -> Response:
        """Answer pictures sent as they are: the bytes of one, or a form with files in the field image.

        For each: tags, alerts where the model has any, the F2 that they may expect, a warning, and probabilities.
        """
        return await answered(request, read_files, _details)


async def _done(work: Callable[[], T], *, here: bool) -> T:
    """Do some work: here where that is quick, else in a thread, so that others are answered meanwhile.

    A thread that wants Python's lock back waits for it beside those that compute, so quick work is not worth one.
    """
    return work() if here else await asyncio.to_thread(work)


def _records(_: Files, answers: list[Answer]) -> dict[str, Any]:
    """Return what MLflow's scoring server would answer."""
    return {"predictions": [row for answer in answers for row in answer.rows.to_dict(orient="records")]}


def _details(files: Files, answers: list[Answer]) -> dict[str, Any]:
    """Return all that is known of each picture, and which version has answered them."""
    told: list[Any] = []
    for answer in answers:
        names = files.names[len(told) : len(told) + len(answer.rows)]
        told += detailed(answer.rows, names, vocabulary=answer.served.bundle.vocabulary)
    return {"model": answers[0].served.name, "version": answers[0].served.version, "answers": told}


def _add_reports(api: FastAPI, service: Service, telemetry: Telemetry) -> None:
    """Add the routes that tell of the server."""

    @api.get("/ping", responses={503: ERRORS[503]}, include_in_schema=False)
    @api.get("/health", responses={503: ERRORS[503]})
    async def health() -> dict[str, str]:
        """Say that the model is loaded; needs no token."""
        _ = service.ready
        return {"status": "ready"}

    @api.get("/version", responses={503: ERRORS[503]})
    async def told_version() -> dict[str, Any]:
        """Return the model, its version, its data set, what it scored on the hold-out, and where it came from."""
        served = service.ready.served
        return {
            "model": served.name,
            "version": served.version,
            "dataset": served.bundle.manifest.dataset,
            "labels": served.bundle.vocabulary.labels,
            "size": served.bundle.manifest.size,
            "cuts": served.bundle.rule.cuts,
            "columns": service.columns,
            "figures": served.figures,
            "lineage": served.lineage,
            "igarape": version("igarape"),
        }

    @api.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> PlainTextResponse:
        """Return figures of the server in Prometheus's text format."""
        batcher = service.batcher
        figures = {"ready": float(batcher is not None), "pictures_waiting": float(batcher.waiting if batcher else 0)}
        figures |= await asyncio.to_thread(gauges, *service.window.snapshot())
        model = {"model": batcher.served.name, "version": batcher.served.version} if batcher else {}
        return PlainTextResponse(telemetry.text(figures, model), media_type="text/plain; version=0.0.4")

    @api.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        """Show the addresses to people."""
        return HTMLResponse(_page(api.openapi()))


def _page(schema: Mapping[str, Any]) -> str:
    """Return a page that lists what an OpenAPI schema describes; it needs no address but its own."""
    parts = []
    for path, methods in schema["paths"].items():
        for method, about in methods.items():
            kinds = ", ".join(about.get("requestBody", {}).get("content", {}))
            taken = f"<p>Takes {escape(kinds)}</p>" if kinds else ""
            answers = "".join(
                f"<tr><td>{escape(status)}<td>{escape(each['description'])}"
                for status, each in about["responses"].items()
            )
            parts.append(
                f"<h2><code>{method.upper()} {escape(path)}</code></h2><p>{escape(about['description'])}</p>"
                f"{taken}<table>{answers}</table>"
            )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>igarape</title>'
        '<meta name="viewport" content="width=device-width">'
        "<style>body{font:1rem/1.5 sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}td{padding:0 1rem 0 0}"
        f"</style><h1>igarape</h1><p>{escape(schema['info']['description'])} "
        f'The same for programs: <a href="openapi.json">openapi.json</a></p>{"".join(parts)}</html>'
    )
