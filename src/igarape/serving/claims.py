"""One at a time: whoever changes who holds an alias, or makes a version, first claims the model.

MLflow sets an alias whatever it was before, so that two who have both looked would both set it. What MLflow does have
is names that are unique: of two who create a registered model of one name, one is refused. So the claim is a registered
model called NAME.claim, there for the moment of the change. Where the registry is a SQLite file, a lock beside it does
the same, and the system takes that from a process that dies.
"""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from mlflow import MlflowClient
from mlflow.entities.model_registry import RegisteredModel
from mlflow.exceptions import MlflowException
from mlflow.tracking.context.registry import resolve_tags

from igarape.errors import InputError
from igarape.serving.advice import option
from igarape.tracking.address import database
from igarape.tracking.locations import ARTIFACTS

PATIENCE = 20.0  # seconds; a change takes a fraction of one
PAUSE = 0.2
TOKEN, BY = "igarape.claim", "igarape.by"
TAKEN = ("RESOURCE_ALREADY_EXISTS", "RESOURCE_DOES_NOT_EXIST")  # the other one has ended while MLflow looked


@contextmanager
def claimed(name: str, client: MlflowClient, uri: str) -> Iterator[None]:
    """Be the only one who changes a model, as far as they all do so by this function; uri: of its registry.

    Raises InputError when another one has been at it for PATIENCE seconds.
    """
    file = database(uri)
    with _locked(name, file) if file else _created(name, client):
        yield


def user() -> str:
    """Return who we are, as MLflow's own runs have it."""
    return str(resolve_tags().get("mlflow.user", "unknown"))


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
    """Hold a registered model of a name that only one can create."""
    mark, token = f"{name}.claim", uuid.uuid4().hex
    deadline = time.monotonic() + PATIENCE
    while not _create(mark, token, client):
        if time.monotonic() > deadline:
            raise InputError(
                f"{name}: {_holder(mark, client)} has been changing it for {PATIENCE:.0f} seconds. Wait until that has "
                f"ended. If it died: delete the registered model {mark} in MLflow's pages. Then see igarape "
                f"history{option(name)}, and try again"
            )
        time.sleep(PAUSE)
    try:
        yield
    finally:
        client.delete_registered_model(mark)


def _create(mark: str, token: str, client: MlflowClient) -> bool:
    """Try to create it; say whether it is ours. MLflow may have done so, though its answer was lost."""
    try:
        client.create_registered_model(mark, {TOKEN: token, BY: user()}, "Somebody is changing the model of this name.")
    except MlflowException as error:
        if error.error_code not in TAKEN:
            raise
        found = _found(mark, client)
        return found is not None and found.tags.get(TOKEN) == token
    return True


def _found(mark: str, client: MlflowClient) -> RegisteredModel | None:
    """Return the claim, if there is one still."""
    try:
        return client.get_registered_model(mark)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None


def _holder(mark: str, client: MlflowClient) -> str:
    """Say who holds the claim."""
    found = _found(mark, client)
    return found.tags.get(BY, "somebody") if found else "somebody"
