"""The model registry: the versions of a data set's tagger, and who is challenger, champion and previous champion."""

import re
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PyFuncModel

from igarape.errors import InputError, did_you_mean
from igarape.serving.advice import REGISTER, how_to_promote, how_to_register
from igarape.serving.bundle import Bundle
from igarape.serving.model import log_model
from igarape.tracking.address import connected, database

CHALLENGER, CHAMPION, PREVIOUS = "challenger", "champion", "previous"
SCORE = "holdout_f2"
SECONDS = 5


def model_name(dataset: str) -> str:
    """Return the registered model's name."""
    return f"igarape-{dataset}"


def register(
    bundle: Path, *, name: str, score: float, tags: Mapping[str, str], description: str, run_id: str | None = None
) -> str:
    """Log the bundle to a run and register it as the challenger; return its version.

    Parameters
    ----------
    bundle
        Its folder.
    name
        Of the registered model.
    score
        Hold-out F2, which promote compares.
    tags, description
        Show in MLflow's UI where the version came from.
    run_id
        The run; None: the active one.

    Raises
    ------
    InputError
        When MLflow does not take it.
    """
    with _client(name) as client:
        logged = log_model(bundle, run_id=run_id)
        every = {**tags, SCORE: repr(score)}
        version = str(mlflow.register_model(logged.model_uri, name, tags=every).version)
        client.update_model_version(name, version, description)
        client.set_registered_model_alias(name, CHALLENGER, version)
    return version


def promote(name: str, folder: Path = Path(), *, version: str | None = None, force: bool = False) -> str:
    """Make a version (default: the challenger) the champion, the old champion the previous one; say so in a sentence.

    Parameters
    ----------
    name
        The registered model's.
    folder
        The project, in whose MLflow it is registered.
    version
        Its number; None is the challenger's.
    force
        Whether a lower hold-out F2 than the champion's may pass.

    Raises
    ------
    InputError
        When its hold-out F2 is below the champion's, unless force; and when there is no such version.
    """
    with _client(name, folder) as client:
        holders = _aliases(name, folder)
        version = version or holders.get(CHALLENGER)
        known = _versions(client, name)
        if version is None:
            raise InputError(f"{name}: no challenger to promote. {how_to_promote(name, holders, known, folder)}")
        if version not in known:
            raise InputError(f"{name}: no version {version}{_one_of(known, name, folder)}")
        champion = holders.get(CHAMPION)
        if version == champion:
            return f"{name}: version {version} is the champion already"
        if champion is not None and not force:
            _gate(name, version, _score(client, name, version), champion, _score(client, name, champion))
        if champion is not None:
            client.set_registered_model_alias(name, PREVIOUS, champion)
        client.set_registered_model_alias(name, CHAMPION, version)
    before = f"; version {champion} was. To undo: igarape rollback" if champion else ""
    return f"{name}: version {version} is the champion{before}"


def _versions(client: MlflowClient, name: str) -> list[str]:
    """Return the versions that a model has, in order; those that somebody deleted are not among them."""
    found = client.search_model_versions(f"name = '{name}'")
    return [str(number) for number in sorted(int(each.version) for each in found)]


def _one_of(known: Sequence[str], name: str, folder: Path) -> str:
    """Say which versions there are, or how to get one."""
    return f"; there are {', '.join(known)}" if known else f" and no other. {how_to_register(name, folder)}"


def _gate(name: str, version: str, score: float, champion: str, bar: float) -> None:
    """Refuse a lower score than the champion's."""
    if score < bar:
        raise InputError(
            f"{name}: version {version} has hold-out F2 {score:.4f}, the champion (version {champion}) {bar:.4f}. "
            "The champion stays; to promote all the same: igarape promote --force"
        )


def _score(client: MlflowClient, name: str, version: str) -> float:
    """Return a version's hold-out F2."""
    tags = client.get_model_version(name, version).tags
    if SCORE not in tags:
        raise InputError(
            f"{name}: version {version} has no tag {SCORE} to compare; igarape register sets it. "
            "To promote all the same: igarape promote --force"
        )
    return float(tags[SCORE])


def rollback(name: str, folder: Path = Path()) -> str:
    """Let champion and previous change places; say so in a sentence. Raises InputError without a previous one."""
    with _client(name, folder) as client:
        holders = _aliases(name, folder)
        champion, previous = holders.get(CHAMPION), holders.get(PREVIOUS)
        if champion is None or previous is None:
            raise InputError(
                f"{name}: nothing to roll back to: no version has the alias {PREVIOUS}. "
                "It is set when a newer version is promoted: dvc repro, then igarape promote"
            )
        client.set_registered_model_alias(name, CHAMPION, previous)
        client.set_registered_model_alias(name, PREVIOUS, champion)
    return f"{name}: version {previous} is the champion again; version {champion} was"


def champion_uri(name: str, folder: Path = Path()) -> str:
    """Return the champion's URI. Raises InputError when there is none."""
    uri = f"models:/{name}@{CHAMPION}"
    _check_alias(uri, folder)
    return uri


def load(uri: str, folder: Path = Path()) -> Bundle:
    """Load the bundle of a registered model, such as models:/igarape-drawn@champion or models:/igarape-drawn/3.

    Raises InputError when there is none, it is not igarape's, or the MLflow server does not answer.
    """
    return bundle_of(load_model(uri, folder), uri)


def bundle_of(model: PyFuncModel, uri: str) -> Bundle:
    """Return the bundle of a loaded model. Raises InputError when the model is not igarape's."""
    loaded: Any = model
    bundle = getattr(loaded.unwrap_python_model(), "bundle", None)
    if not isinstance(bundle, Bundle):
        raise InputError(f"{uri}: expected a model that igarape registered, found {type(bundle).__name__}")
    return bundle


def load_model(uri: str, folder: Path = Path()) -> PyFuncModel:
    """Load a model as MLflow has it; raises InputError as load does."""
    _check_alias(uri, folder)
    # In a folder of its own: where MLflow reads a model in place, it takes %, # and ? in the project's path for an
    # address's. What was loaded needs no files.
    before = list(sys.path)
    with _client(_name(uri), folder), tempfile.TemporaryDirectory() as unpacked:
        try:
            model: PyFuncModel = mlflow.pyfunc.load_model(uri, dst_path=unpacked)
        except (MlflowException, OSError) as error:
            raise InputError(f"{uri}: {_why_not(uri, error, folder)}") from error
        finally:
            sys.path[:] = before  # where MLflow puts the model's own copy of igarape, which has no more than answers
    return model


def _name(uri: str) -> str:
    """Return the model's name in an address of the registry."""
    return re.split("[@/]", uri.removeprefix("models:/"))[0]


def _why_not(uri: str, error: Exception, folder: Path) -> str:
    """Say why a model cannot be loaded: there is no such version, or its files are gone."""
    match = re.fullmatch(r"models:/([^@/]+)/(\d+)", uri)
    if match:
        known = _versions(MlflowClient(), match[1])
        if match[2] not in known:
            return f"no such version{_one_of(known, match[1], folder)}"
    said = " ".join(str(error).split())
    if not uri.startswith("models:/"):
        return said
    return (
        f"MLflow has the version, but cannot read its files ({said}). They lie in mlruns beside mlflow.db, or where "
        f"MLflow's server keeps them: bring them back, or register again: {REGISTER}"
    )


def _check_alias(uri: str, folder: Path) -> None:
    """Refuse models:/NAME@ALIAS when no version has that alias."""
    match = re.fullmatch(r"models:/([^@/]+)@([^@/]+)", uri)
    if not match:
        return
    name, alias = match.groups()
    known = _aliases(name, folder)
    if alias in known:
        return
    if alias == CHAMPION:
        with connected(folder):
            there = not _missing_file(mlflow.get_registry_uri())
            versions = _versions(MlflowClient(), name) if there else []
        raise InputError(f"{uri}: no champion yet. {how_to_promote(name, known, versions, folder)}")
    raise InputError(
        f"{uri}: no such alias{did_you_mean(alias, known) if known else f'. {how_to_register(name, folder)}'}"
    )


def _aliases(name: str, folder: Path) -> dict[str, str]:
    """Return which version has which alias; nothing when the model is not registered."""
    with connected(folder):
        if _missing_file(mlflow.get_registry_uri()):
            return {}
    with _client(name, folder) as client:
        try:
            return {alias: str(version) for alias, version in client.get_registered_model(name).aliases.items()}
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return {}
            raise


def _missing_file(uri: str) -> bool:
    """Say whether uri is a SQLite file that does not exist; MLflow would create it just to look into it."""
    file = database(uri)
    return file is not None and not file.exists()


@contextmanager
def _client(name: str, folder: Path = Path()) -> Iterator[MlflowClient]:
    """Give a client of the registry, and turn what goes wrong there with a model into one clear error."""
    with connected(folder):
        uri = mlflow.get_registry_uri()
        if _missing_file(uri):
            raise InputError(
                f"MLflow at {uri}: no such file yet. {how_to_register(name, folder)}, "
                "or point MLFLOW_TRACKING_URI elsewhere"
            )
        if uri.startswith("http"):
            _require_answer(uri)
        try:
            yield MlflowClient()
        except (MlflowException, OSError) as error:
            raise InputError(f"MLflow at {uri}: {error}") from error


def _require_answer(uri: str) -> None:
    """Ask the server for any answer at all: MLflow itself would try for minutes before it gives up."""
    try:
        # _client let no other scheme pass than http and https.
        urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=SECONDS).close()  # noqa: S310
    except urllib.error.HTTPError:
        return  # it answers; whether it likes us is for the real request to find out
    except OSError as error:
        raise InputError(
            f"MLflow at {uri}: cannot be reached ({error}). Start it, or point MLFLOW_TRACKING_URI elsewhere"
        ) from error
