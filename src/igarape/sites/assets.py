"""Scenes that STAC items name by an address: each is copied to a folder, once."""

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from email.utils import parsedate_to_datetime
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from igarape.errors import InputError, reason
from igarape.files import atomic_path
from igarape.progress import Report
from igarape.sites.buckets import fetch_object, local, same
from igarape.sites.inbox import Arrival, list_arrivals, no_scene, read_arrivals

S3, WEB = "s3", ("https", "http")
PIECE = 2**20  # bytes that are read at once
PLAIN = {"Accept-Encoding": "identity"}  # so that lengths are those of the file
TIMEOUT = 60.0  # seconds without an answer


def list_inbox(
    inbox: Path | str, copies: Path, *, show: Callable[[str], AbstractContextManager[Report]]
) -> tuple[list[Arrival], dict[str, str]]:
    """Return the scenes of an inbox as `list_arrivals` does, and bring copies of those elsewhere up to date.

    Parameters
    ----------
    inbox
        A folder of scenes and STAC items, or one of either; or s3://BUCKET/PREFIX.
    copies
        The folder of the copies.
    show
        Opens a bar with a title.

    Raises
    ------
    InputError
        As of `list_arrivals`, and where a bucket does not answer.
    """
    copied = local(inbox, copies, show=lambda: show(str(inbox)))
    return list_arrivals(copied, fetched=_fetcher(copies, show))


def named_scene(path: Path, copies: Path, *, show: Callable[[str], AbstractContextManager[Report]]) -> Arrival:
    """Return the scene at a path, or the one that a STAC item there names; all as of `named_scenes`."""
    (found,), _ = named_scenes([path], copies, show=show)
    return found


def named_scenes(
    paths: Sequence[Path], copies: Path, *, show: Callable[[str], AbstractContextManager[Report]]
) -> tuple[list[Arrival], dict[Path, str]]:
    """Return the scenes at paths, or that STAC items there name; and of which paths there is none, and why.

    All is as of `list_inbox`, but for the names of scenes, which may end in anything. Raises InputError where there is
    no scene of a lone path.
    """
    found, failed, none = read_arrivals(paths, fetched=_fetcher(copies, show))
    why = {Path(path): said for path, said in failed.items()} | {path: str(no_scene(path)) for path in none}
    if len(paths) == 1 and why:
        raise InputError(why[paths[0]])
    return found, why


def _fetcher(copies: Path, show: Callable[[str], AbstractContextManager[Report]]) -> Callable[[str], Path]:
    """Return what gives the copy of the scene at an address."""

    def fetched(address: str) -> Path:
        with show(address.partition("?")[0]) as report:
            return fetch_asset(address, copies, report=report)

    return fetched


def fetch_asset(address: str, folder: Path, *, report: Report) -> Path:
    """Return the copy of the scene at s3://BUCKET/KEY or https://HOST/PATH, made where it is missing or another.

    report: called with the bytes that are done, and all. Raises InputError where nothing can be read there.
    """
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise InputError(f"{address}: is no address ({error}). Write one such as https://HOST/SCENE.tif") from error
    told = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"  # without keys
    if parts.scheme not in {S3, *WEB}:
        raise InputError(f"{told}: is read by nobody here. Fetch it into the inbox, and name it there: ./SCENE.tif")
    place = PurePosixPath(parts.path.lstrip("/"))
    if not place.name or ".." in place.parts or not parts.hostname:
        raise InputError(f"{told}: names no scene; expected an address such as s3://BUCKET/FOLDER/SCENE.tif")
    copy = folder / parts.hostname / place
    if parts.scheme == S3:
        return fetch_object(address, copy, report=report)
    return _downloaded(address, copy, told, report)


def _downloaded(address: str, copy: Path, told: str, report: Report) -> Path:
    """Return the copy of what a web server gives; told: the address as it is shown."""
    import requests  # slow

    try:
        with requests.get(address, stream=True, timeout=TIMEOUT, headers=PLAIN) as response:
            response.raise_for_status()
            size = int(response.headers.get("Content-Length", -1))
            stamp = response.headers.get("Last-Modified")
            written = parsedate_to_datetime(stamp).timestamp() if stamp else None
            if written is not None and same(copy, size, written):
                return copy
            with atomic_path(copy) as unfinished:
                with unfinished.open("wb") as file:
                    for piece in response.iter_content(PIECE):
                        file.write(piece)
                        report(file.tell(), max(size, file.tell()))
                    if size not in {-1, file.tell()}:
                        raise InputError(f"{told}: broke off after {file.tell()} of {size} bytes. Watch again")
                if written is not None:
                    os.utime(unfinished, (written, written))
    except (requests.RequestException, ValueError) as error:
        why = reason(error).replace(f"?{urlsplit(address).query}", "")
        raise InputError(f"{told}: cannot be read ({why}). Look whether it is there, and for all to read") from error
    return copy
