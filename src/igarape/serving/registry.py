"""The model registry: the versions of a data set's tagger, who is challenger, champion and previous one; loading."""

import errno
import os
import re
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from igarape.errors import InputError, did_you_mean
from igarape.serving.advice import REGISTER, STUDENTS, how_to_promote, how_to_register
from igarape.serving.bundle import Bundle
from igarape.serving.manifest import MANIFEST, Manifest
from igarape.tracking.address import RETRIES, connected, database, environment
from igarape.tracking.health import refused

CHALLENGER, CHAMPION, PREVIOUS = "challenger", "champion", "previous"
STUDENT = "student"
FILES = "files_digest"  # a version's tag: of its bundle.json, and so of its files, whatever code answers with them
SECONDS = 5


def model_name(dataset: str, *, student: bool = False) -> str:
    """Return the registered model's name: the ensemble's, or the student's."""
    return f"igarape-{dataset}{STUDENTS if student else ''}"


def model_uri(model: str | None, dataset: str, folder: Path = Path()) -> str:
    """Return the address of what --model asks for: an MLflow URI, student, or None, which is the ensemble.

    Of models:/NAME@ALIAS, which the champions are, that of the version that has the alias now. Raises InputError when
    none has it.
    """
    if model is None or model == STUDENT:
        model = f"models:/{model_name(dataset, student=model == STUDENT)}@{CHAMPION}"
    return _numbered(model, folder)


def versions_of(client: MlflowClient, name: str) -> list[str]:
    """Return the versions that a model has, in order; those that somebody deleted are not among them."""
    found = client.search_model_versions(f"name = '{name}'")
    return [str(number) for number in sorted(int(each.version) for each in found)]


def one_of(known: Sequence[str], name: str, folder: Path) -> str:
    """Say which versions there are, or how to get one."""
    return f"; there are {', '.join(known)}" if known else f" and no other. {how_to_register(name, folder)}"


def champion_uri(name: str, folder: Path = Path()) -> str:
    """Return the champion's URI. Raises InputError when there is none."""
    version_of(name, CHAMPION, folder)
    return f"models:/{name}@{CHAMPION}"


def _numbered(uri: str, folder: Path) -> str:
    """Return the address of the version that models:/NAME@ALIAS means now; any other address as it is."""
    match = re.fullmatch(r"models:/([^@/]+)@([^@/]+)", uri)
    return f"models:/{match[1]}/{version_of(match[1], match[2], folder)}" if match else uri


def registered(uri: str) -> bool:
    """Say whether an address is one of the registry."""
    return uri.startswith("models:/")


def load(uri: str, folder: Path = Path(), *, threads: int = 0) -> Bundle:
    """Load the bundle of a registered model, such as models:/igarape-drawn@champion or models:/igarape-drawn/3.

    MLflow's copy of igarape's code, beside it, is not run. folder: of the project. threads: as Bundle.load has it.
    Raises InputError when there is none, it is not what igarape registered, or the MLflow server does not answer.
    """
    uri = _numbered(uri, folder)
    with tempfile.TemporaryDirectory() as unpacked:
        found = unpack(uri, Path(unpacked), folder)
        try:
            bundle = Bundle.load(found, threads=threads)
        except InputError as error:  # in the words of the address: the folder is gone when somebody reads them
            raise InputError(str(error).replace(str(found), uri)) from error
    _require_registered(uri, bundle, folder)
    return bundle


def _require_registered(uri: str, bundle: Bundle, folder: Path) -> None:
    """Refuse a bundle that is whole, but another one than was registered as this version."""
    if not (match := re.fullmatch(r"models:/([^@/]+)/(\d+)/?", uri)):
        return
    with client_of(match[1], folder) as client:
        tags = client.get_model_version(match[1], match[2]).tags
    if fault := another_manifest(tags, bundle.manifest):
        raise InputError(f"{uri}: {fault}: somebody changed it. Bring the file back, or register again: {REGISTER}")


def another_manifest(tags: Mapping[str, str], manifest: Manifest) -> str | None:
    """Say how a manifest differs from the one that a version's tags name; None: it is that one, or they name none."""
    if tags.get(FILES, manifest.digest) == manifest.digest:
        return None
    return f"{MANIFEST} was registered as {tags[FILES]}, and is {manifest.digest} now"


def unpack(uri: str, target: Path, folder: Path = Path()) -> Path:
    """Copy the files of a model into a folder, and return where its bundle is; raises InputError as load does."""
    uri = _numbered(uri, folder)
    with client_of(_name(uri), folder):
        try:
            mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(target))
        except Exception as error:  # each kind of store has errors of its own
            raise InputError(f"{uri}: {_why_not(uri, error, folder)}") from error
    found = next(target.rglob(MANIFEST), None)
    if found is None:
        raise InputError(
            f"{uri}: expected a model that igarape registered, found no {MANIFEST} among its files. Bring them back, "
            f"or register again: {REGISTER}"
        )
    return found.parent


def _name(uri: str) -> str:
    """Return the model's name in an address of the registry."""
    return re.split("[@/]", uri.removeprefix("models:/"))[0]


def _why_not(uri: str, error: Exception, folder: Path) -> str:
    """Say why a model cannot be loaded: no room for its files, no such version, or its files are gone."""
    if os.strerror(errno.ENOSPC) in str(error):  # which MLflow says of each file
        return f"no room for its files in {tempfile.gettempdir()}. Make room there, or: export TMPDIR=FOLDER"
    match = re.fullmatch(r"models:/([^@/]+)/(\d+)", uri)
    if match:
        known = versions_of(MlflowClient(), match[1])
        if match[2] not in known:
            return f"no such version{one_of(known, match[1], folder)}"
    said = " ".join(str(error).split())
    if not registered(uri):
        return f"{said}. Expected a model's address, such as models:/NAME@{CHAMPION} or models:/NAME/1"
    if not re.fullmatch(r"models:/[^@/]+(@[^@/]+|/\d+/?)", uri):
        name = _name(uri) or "NAME"
        return f"names no version. Expected such as models:/{name}@{CHAMPION} or models:/{name}/1"
    return (
        f"MLflow has the version, but cannot read its files ({said}). They lie in mlruns beside mlflow.db, or where "
        f"MLflow's server keeps them: bring them back, or register again: {REGISTER}"
    )


def version_of(name: str, alias: str, folder: Path) -> str:
    """Return the version of a model that has an alias; raise InputError when none has it."""
    known, uri = aliases_of(name, folder), f"models:/{name}@{alias}"
    if alias in known:
        return known[alias]
    if alias == CHAMPION:
        with connected(folder):
            there = not _missing_file(mlflow.get_registry_uri())
            versions = versions_of(MlflowClient(), name) if there else []
        raise InputError(f"{uri}: no champion yet. {how_to_promote(name, known, versions, folder)}")
    raise InputError(
        f"{uri}: no such alias{did_you_mean(alias, known) if known else f'. {how_to_register(name, folder)}'}"
    )


def aliases_of(name: str, folder: Path) -> dict[str, str]:
    """Return which version has which alias; nothing when the model is not registered."""
    with connected(folder):
        if _missing_file(mlflow.get_registry_uri()):
            return {}
    with client_of(name, folder) as client:
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
def client_of(name: str, folder: Path = Path()) -> Iterator[MlflowClient]:
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
        # Left to itself MLflow tries for minutes where its database is away.
        with environment(RETRIES, os.environ.get(RETRIES, "2")):
            try:
                yield MlflowClient()
            except (MlflowException, OSError) as error:
                raise InputError(f"MLflow at {refused(uri) or f'{uri}: {error}'}") from error


def _require_answer(uri: str) -> None:
    """Ask the server for any answer at all: MLflow itself would try for minutes before it gives up."""
    try:
        # client_of let no other scheme pass than http and https.
        urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=SECONDS).close()  # noqa: S310
    except urllib.error.HTTPError:
        return  # it answers; whether it likes us is for the real request to find out
    except OSError as error:
        raise InputError(
            f"MLflow at {uri}: cannot be reached ({error}). Start it, or point MLFLOW_TRACKING_URI elsewhere"
        ) from error
