"""The DVC remote: whether it takes files, what was not pushed, and what `dvc gc` would delete."""

import os
import platform
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dvc.config import NoRemoteError
from dvc.data_cloud import Remote
from dvc.exceptions import DvcException
from dvc.repo import Repo

from igarape.errors import reason
from igarape.findings import Finding, good, warning, wrong

METADATA = "AWS_EC2_METADATA_DISABLED"
NO_KEY = ("NoCredentials", "Unable to locate credentials")
NO_BUCKET = ("NoSuchBucket", "bucket does not exist")
DENIED = ("AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "Forbidden", "403", "PermissionError")
SECONDS = 5.0


@contextmanager
def opened(root: Path) -> Iterator[tuple[Repo, Remote | None]]:
    """Give the project's DVC, and its default remote; None without one."""
    # Where no key is set, AWS's client asks a machine of Amazon's for one, and elsewhere waits for it 47 seconds.
    os.environ.setdefault(METADATA, "true")
    with Repo(str(root)) as repo:
        try:
            yield repo, repo.cloud.get_remote()
        except NoRemoteError:
            yield repo, None


def reach(root: Path) -> Finding:
    """Write a file into the remote, read it, and remove it."""
    with opened(root) as (repo, remote):
        if remote is None:
            return warning(
                "no DVC remote: nobody else can have this project's results. Type: dvc remote add --default team "
                "s3://BUCKET/dvc, as in docs/scale.md"
            )
        address = str(repo.config["remote"][remote.name]["url"])
        where = f"{remote.name} ({address})"
        if silent := _silent(remote.config.get("endpointurl")):
            return wrong(f"{where}: {silent}. Start it, or: dvc remote modify {remote.name} endpointurl URL")
        fs, token = remote.fs, uuid.uuid4().hex
        # One place for each machine: what may be written and not removed does not pile up.
        place = fs.join(remote.path, f".igarape-doctor-{platform.node()}")
        try:
            fs.makedirs(remote.path, exist_ok=True)
            fs.pipe_file(place, token.encode())
            back = fs.cat_file(place).decode()
        except Exception as error:  # noqa: BLE001 - each store has errors of its own
            return wrong(f"{where}: {_why(error, remote.name)}")
        stays = _removed(fs, place)
    if back != token:
        return wrong(f"{where}: another text came back than was written. See what stands between us and the store")
    if stays:
        return warning(f"{where}: written and read; {place} stays, as it could not be removed ({stays})")
    return good(f"{where}: written, read and removed")


def _removed(fs: Any, place: str) -> str:
    """Remove a file; return why not, or ""."""
    try:
        fs.remove(place)
    except Exception as error:  # noqa: BLE001 - each store has errors of its own
        return f"{type(error).__name__}: {reason(error)}"
    return ""


def run_cache(root: Path) -> Finding:
    """Compare the run cache here with the remote's: without it, `dvc repro` in another clone runs what has run here."""
    with opened(root) as (repo, remote):
        here = _names(repo.cache.legacy.fs, repo.stage_cache.cache_dir)
        if remote is None:
            return good(f"{len(here)} results of steps, on this machine alone")
        there = _names(remote.fs, remote.fs.join(remote.path, "runs"))
    if missing := len(here - there):
        return warning(
            f"{missing} of {len(here)} results of steps are not in {remote.name}, so dvc repro in another clone would "
            "make them anew. Type: dvc push --run-cache"
        )
    return good(f"all {len(here)} results of steps are in {remote.name}, {len(there)} in all")


def collection(root: Path) -> Finding:
    """Say what `dvc gc -c` deletes of others' results, and whether the store would keep it all the same."""
    with opened(root) as (_, remote):
        if remote is None:
            return good("no remote that dvc gc could empty")
        if remote.fs.protocol == "s3" or "s3" in remote.fs.protocol:
            bucket = remote.path.partition("/")[0]
            try:
                answer: Any = remote.fs.fs.call_s3("get_bucket_versioning", Bucket=bucket)
            except Exception as error:  # noqa: BLE001 - each store has errors of its own
                return warning(
                    f"whether bucket {bucket} keeps what dvc gc --cloud deletes of other clones' results is not known: "
                    f"{_why(error, remote.name)}. Ask whoever administers it"
                )
            if answer.get("Status") == "Enabled":
                return good(f"bucket {bucket} keeps what is deleted (versioning is on)")
    return warning(
        f"dvc gc --cloud in one clone deletes from {remote.name} what other clones have pushed, for good. Let nobody "
        "type it, or turn the bucket's versioning on"
    )


def _names(fs: Any, folder: str) -> set[str]:
    """Return the entries of a run cache: KEY/VALUE."""
    if not fs.exists(folder):
        return set()
    return {"/".join(Path(path).parts[-2:]) for path in fs.find(folder)}


def _silent(endpoint: str | None) -> str | None:
    """Say why nothing is to be had from an S3 of one's own; DVC would try for two minutes."""
    parts = urlsplit(endpoint or "")
    if not parts.hostname:
        return None
    try:
        socket.create_connection(
            (parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)), SECONDS
        ).close()
    except OSError as error:
        return f"nothing answers at {endpoint} ({reason(error)})"
    return None


def _why(error: Exception, name: str) -> str:
    """Say why a remote did not take a file, and what mends it."""
    said = f"{type(error).__name__}: {reason(error)}"
    if isinstance(error, DvcException) and error.__cause__ is not None:
        said += f" ({reason(error.__cause__)})"
    if any(word in said for word in NO_KEY):
        key = f"dvc remote modify --local {name} access_key_id KEY, and secret_access_key"
        return f"no key was found. Type: {key}. On a machine whose role has one: {METADATA}=false igarape doctor"
    if any(word in said for word in NO_BUCKET):
        return f"{said}. Make the bucket, or: dvc remote modify {name} url s3://BUCKET/dvc"
    if any(word in said for word in DENIED):
        return f"{said}. See the key (dvc remote modify --local {name} access_key_id KEY), and what it may do"
    return f"{said}. See dvc remote list, and the store's room and log"
