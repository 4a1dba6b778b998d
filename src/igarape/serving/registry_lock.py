"""A lock on a registered model: only one process at a time moves its aliases or makes a version of it.

MLflow has no compare-and-set: it sets an alias whatever it was before, so two processes could both promote. But its
names are unique: of two that create a registered model of one name, one is refused. So the lock is a registered model
called NAME.claim, which exists for as long as it is held. Where the registry is a SQLite file, a file lock beside it
does the same, and the system releases that when a process dies.

On a server a process may die and leave its claim behind. So the holder increments a counter in a tag of the claim (the
heartbeat), and those who wait watch it. A claim whose counter stands still for SILENCE seconds is taken for lost, and
removed. No clocks of two machines are compared.

MLflow removes by name, so that removing a lost claim could hit the next holder's. So whoever removes the claim of a
token, its holder too, first creates NAME.claim.TOKEN, and then checks that it still is that claim.
"""

import threading
import time
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from mlflow import MlflowClient
from mlflow.entities.model_registry import RegisteredModel
from mlflow.exceptions import MlflowException

from igarape.errors import InputError
from igarape.serving.advice import option
from igarape.tracking.address import database, user
from igarape.tracking.locations import ARTIFACTS

PATIENCE = 20.0  # seconds; a change takes a fraction of one
PAUSE = 0.2
BEAT, SILENCE = 1.0, 10.0  # seconds between two signs of life; without any, after which a claim counts as lost
TOKEN, BY, ALIVE = "igarape.claim", "igarape.by", "igarape.alive"
TAKEN = ("RESOURCE_ALREADY_EXISTS", "RESOURCE_DOES_NOT_EXIST")  # the other one has ended while MLflow looked


@contextmanager
def registry_lock(name: str, client: MlflowClient, uri: str) -> Iterator[None]:
    """Hold the lock of a registered model while the block runs. uri: of the registry.

    Raises InputError when another process has held it for PATIENCE seconds, or has taken it from this one meanwhile.
    """
    file = database(uri)
    with _locked(name, file) if file else _created(name, client):
        yield


@contextmanager
def _locked(name: str, file: Path) -> Iterator[None]:
    """Hold a lock among the files of a SQLite registry."""
    place = file.parent / ARTIFACTS / f".{name}.lock"
    place.parent.mkdir(exist_ok=True)
    try:
        acquired = FileLock(place).acquire(timeout=PATIENCE)
    except Timeout as error:
        raise InputError(
            f"{name}: another process has been changing it for {PATIENCE:.0f} seconds ({place}). Wait until it has "
            f"ended, or end it; then see igarape history{option(name)}, and try again"
        ) from error
    with acquired:
        yield


@contextmanager
def _created(name: str, client: MlflowClient) -> Iterator[None]:
    """Hold a registered model of a name that only one can create, and give signs of life."""
    mark, token, ended = f"{name}.claim", uuid.uuid4().hex, threading.Event()
    _take(name, mark, token, client)
    alive = threading.Thread(target=_heartbeat, args=(mark, token, client, ended), daemon=True)
    alive.start()
    try:
        yield
    finally:
        ended.set()
        alive.join()
        kept = _remove(mark, token, client)
    if not kept:
        raise InputError(
            f"{name}: MLflow did not hear of this process for {SILENCE:.0f} seconds, and another one has changed the "
            f"model meanwhile. See who is champion: igarape history{option(name)}; then try again"
        )


def _take(name: str, mark: str, token: str, client: MlflowClient) -> None:
    """Create the claim, as soon as nobody else has one, or that one is lost."""
    deadline = time.monotonic() + PATIENCE
    last, since = None, time.monotonic()
    while not _create(mark, token, client):
        found, now = _found(mark, client), time.monotonic()
        seen = found and found.tags
        if seen != last:
            last, since = seen, now
        elif seen and now - since > SILENCE and _remove(mark, seen.get(TOKEN, ""), client):
            warnings.warn(
                f"{name}: {seen.get(BY, 'somebody')} began to change it and has shown no sign of life for "
                f"{SILENCE:.0f} seconds, so that claim was removed. See igarape history{option(name)} for what is done",
                stacklevel=2,
            )
            continue
        if now > deadline:
            holder = seen.get(BY, "somebody") if seen else "somebody"
            raise InputError(
                f"{name}: {holder} has been changing it for {PATIENCE:.0f} seconds. Wait until that has ended. If it "
                f"died: delete the registered models that begin with {mark} in MLflow's pages. Then see igarape "
                f"history{option(name)}, and try again"
            )
        time.sleep(PAUSE)


def _heartbeat(mark: str, token: str, client: MlflowClient, ended: threading.Event) -> None:
    """Increment the counter in a tag of our claim until that has ended."""
    count = 0
    while not ended.wait(BEAT):
        count += 1
        with suppress(MlflowException):  # whoever works under the claim hears of it
            if not _is_of(_found(mark, client), token):
                return
            client.set_registered_model_tag(mark, ALIVE, str(count))


def _remove(mark: str, token: str, client: MlflowClient) -> bool:
    """Remove the claim of a token; say whether it was there, and nobody else is removing it."""
    right = f"{mark}.{token}"
    if not _create(right, uuid.uuid4().hex, client):
        return False
    try:
        there = _is_of(_found(mark, client), token)
        if there:
            client.delete_registered_model(mark)
    finally:
        client.delete_registered_model(right)
    return there


def _create(mark: str, token: str, client: MlflowClient) -> bool:
    """Try to create it; say whether it is ours. MLflow may have done so, though its answer was lost."""
    try:
        client.create_registered_model(mark, {TOKEN: token, BY: user()}, "Somebody is changing the model of this name.")
    except MlflowException as error:
        if error.error_code not in TAKEN:
            raise
        return _is_of(_found(mark, client), token)
    return True


def _found(mark: str, client: MlflowClient) -> RegisteredModel | None:
    """Return the claim, if there is one still."""
    try:
        return client.get_registered_model(mark)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None


def _is_of(found: RegisteredModel | None, token: str) -> bool:
    """Say whether a claim is there and has a token; one that somebody made by hand has none."""
    return found is not None and found.tags.get(TOKEN, "") == token
