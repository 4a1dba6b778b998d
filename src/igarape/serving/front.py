"""The page for people, at /, and what it alone asks for: the chip as it is read, where the learners looked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, Response

from igarape.errors import InputError
from igarape.serving.admission import AGAIN, PAGE, BodyReader, Refused, while_here
from igarape.serving.bundle import Bundle, DecodedChip
from igarape.serving.requests import Files, read_files
from igarape.serving.saliency import explain, preview
from igarape.serving.service import Service

FOLDER = Path(__file__).with_name("page")
# The page asks its own server and nobody else, runs its own script, and shows pictures that it was given.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob: data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}


def add_front(api: FastAPI, service: Service, reader: BodyReader) -> None:
    """Add the page and what it asks for.

    Parameters
    ----------
    api
        The application.
    service
        What answers.
    reader
        Receives bodies.
    """
    for path, file in PAGE.items():
        api.get(path, include_in_schema=False)(_sender(FOLDER / file))
    looking = asyncio.Lock()

    @asynccontextmanager
    async def asked(request: Request) -> AsyncIterator[tuple[Bundle, Files]]:
        bundle, columns = service.ready.served.bundle, service.columns
        async with reader.body(request) as body:
            yield bundle, await asyncio.to_thread(read_files, body, request.headers.get("content-type", ""), columns)

    @api.post("/preview", include_in_schema=False)
    async def previewed(request: Request) -> Response:
        """Return one picture as every browser shows it: few show a TIF."""
        async with asked(request) as (bundle, files):
            chip = await asyncio.to_thread(_one, bundle, files)
            picture = await asyncio.to_thread(preview, chip.image)
        return JSONResponse({"picture": picture})

    @api.post("/look", include_in_schema=False)
    async def looked(request: Request) -> Response:
        """Return saliency.explain of one picture. It asks each learner dozens of times; a second one is refused."""
        async with asked(request) as (bundle, files):
            if looking.locked():
                raise Refused(
                    HTTPStatus.TOO_MANY_REQUESTS, "another picture is looked at; try again in a moment", AGAIN
                )
            async with looking:
                chip = await asyncio.to_thread(_one, bundle, files)
                found = await while_here(request, explain(bundle, chip))
        return JSONResponse(found)


def _sender(path: Path) -> Callable[[], Awaitable[FileResponse]]:
    """Return the handler that sends a file of the page."""

    async def send() -> FileResponse:
        return FileResponse(path, headers=HEADERS)

    return send


def _one(bundle: Bundle, files: Files) -> DecodedChip:
    """Read the one picture of a request; raise InputError for more."""
    if len(files.images) != 1:
        raise InputError(f"expected one picture to look at, found {len(files.images)}")
    return bundle.decode_all(files.images, files.nir)[0]
