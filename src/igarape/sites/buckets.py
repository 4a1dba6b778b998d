"""Scenes on S3: what is new in a bucket is copied to a folder, once."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from igarape.errors import InputError, reason
from igarape.files import atomic_path
from igarape.progress import Report
from igarape.sites.inbox import ITEM, SCENES

SCHEME = "s3://"
INSTALL = "boto3 is not installed, and reads s3://. Type: pip install -e '.[s3]'"


class Kept(NamedTuple):
    """An object of a bucket: its key, its bytes, when it was written there, in seconds, and where its copy lies."""

    key: str
    size: int
    written: float
    copy: Path


def local(inbox: Path | str, copies: Path, *, show: Callable[[], AbstractContextManager[Report]]) -> Path:
    """Return an inbox on this machine: itself, or the folder of copies of a bucket, which is brought up to date.

    show: opens a bar.
    """
    if isinstance(inbox, Path):
        return inbox
    with show() as report:
        return fetch(inbox, copies, report=report)


def fetch(address: str, folder: Path, *, report: Report) -> Path:
    """Copy what is new or has changed of the scenes and items of s3://BUCKET/PREFIX to a folder; return the folder.

    Credentials and the endpoint are boto3's: AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL... report: called with the bytes that
    are done, and all. Raises InputError where the bucket does not answer, or holds no scene there.
    """
    bucket, prefix = _split(address)
    with _client(address) as client:
        found = list(_listed(client, bucket, prefix, folder))
        if not found:
            raise InputError(
                f"{address}: no scene in it; expected names that end in {', '.join(SCENES)}, or STAC items"
            )
        _copy(client, bucket, found, report)
    return folder


def fetch_object(address: str, copy: Path, *, report: Report) -> Path:
    """Copy s3://BUCKET/KEY, where the copy is missing or another; return the copy. As of fetch."""
    bucket, key = _split(address)
    with _client(address) as client:
        head = client.head_object(Bucket=bucket, Key=key)
        _copy(client, bucket, [Kept(key, head["ContentLength"], head["LastModified"].timestamp(), copy)], report)
    return copy


def _split(address: str) -> tuple[str, str]:
    """Return the bucket and what follows it."""
    bucket, _, rest = address.removeprefix(SCHEME).partition("/")
    return bucket, rest


@contextmanager
def _client(address: str) -> Iterator[Any]:
    """Give a client of S3; raise InputError that begins with address for all that it says."""
    try:
        import boto3  # an extra, and slow
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError
    except ModuleNotFoundError as error:
        raise InputError(f"{address}: {INSTALL}") from error
    try:
        yield boto3.client("s3")
    except (Boto3Error, BotoCoreError, ClientError, ValueError) as error:
        raise InputError(
            f"{address}: cannot be read ({reason(error)}). See AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and its name"
        ) from error


def _copy(client: Any, bucket: str, found: Sequence[Kept], report: Report) -> None:
    """Copy those objects that have no copy yet, or another one."""
    new = [one for one in found if not same(one.copy, one.size, one.written)]
    done, total = 0, sum(one.size for one in new)
    for one in new:
        with atomic_path(one.copy) as unfinished:
            client.download_file(bucket, one.key, str(unfinished))
            os.utime(unfinished, (one.written, one.written))
        done += one.size
        report(done, total)


def _listed(client: Any, bucket: str, prefix: str, folder: Path) -> Iterator[Kept]:
    """Yield the scenes and items below a prefix."""
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for each in page.get("Contents", ()):
            name = PurePosixPath(each["Key"].removeprefix(prefix).lstrip("/") or PurePosixPath(each["Key"]).name)
            if ".." in name.parts or name.suffix.lower() not in {*SCENES, ITEM}:
                continue
            yield Kept(each["Key"], each["Size"], each["LastModified"].timestamp(), folder / name)


def same(copy: Path, size: int, written: float) -> bool:
    """Say whether a copy is as large as what it was made of, and as old; written: in seconds."""
    if not copy.is_file():
        return False
    known = copy.stat()
    return known.st_size == size and abs(known.st_mtime - written) < 1
