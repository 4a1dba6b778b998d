"""An inbox on S3: what is new in a bucket is copied to a folder, once."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from igarape.errors import InputError, reason
from igarape.files import whole
from igarape.sites.inbox import ITEM, SCENES

SCHEME = "s3://"
INSTALL = "boto3 is not installed, and reads s3:// inboxes. Type: pip install -e '.[s3]'"

Report = Callable[[int, int], None]


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
    try:
        import boto3  # an extra, and slow
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError
    except ModuleNotFoundError as error:
        raise InputError(f"{address}: {INSTALL}") from error
    bucket, _, prefix = address.removeprefix(SCHEME).partition("/")
    try:
        client = boto3.client("s3")
        found = list(_listed(client, bucket, prefix, folder))
        if not found:
            raise InputError(
                f"{address}: no scene in it; expected names that end in {', '.join(SCENES)}, or STAC items"
            )
        new = [one for one in found if not _same(one)]
        done, total = 0, sum(one.size for one in new)
        for one in new:
            with whole(one.copy) as unfinished:
                client.download_file(bucket, one.key, str(unfinished))
                os.utime(unfinished, (one.written, one.written))
            done += one.size
            report(done, total)
    except (Boto3Error, BotoCoreError, ClientError, ValueError) as error:
        raise InputError(
            f"{address}: cannot be read ({reason(error)}). See AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and its name"
        ) from error
    return folder


def _listed(client: Any, bucket: str, prefix: str, folder: Path) -> Iterator[Kept]:
    """Yield the scenes and items below a prefix."""
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for each in page.get("Contents", ()):
            name = PurePosixPath(each["Key"].removeprefix(prefix).lstrip("/") or PurePosixPath(each["Key"]).name)
            if ".." in name.parts or name.suffix.lower() not in {*SCENES, ITEM}:
                continue
            yield Kept(each["Key"], each["Size"], each["LastModified"].timestamp(), folder / name)


def _same(one: Kept) -> bool:
    """Say whether the copy is that of the object: as large, and as old."""
    if not one.copy.is_file():
        return False
    known = one.copy.stat()
    return known.st_size == one.size and abs(known.st_mtime - one.written) < 1
