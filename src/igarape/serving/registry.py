"""The model registry: the versions of a data set's tagger, and who is challenger, champion and previous champion."""

import base64
import io
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version as installed
from pathlib import Path

import mlflow
import numpy as np
import numpy.typing as npt
import pandas as pd
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.types.schema import AnyType, ColSpec, DataType, Schema

import igarape
from igarape.chips.pictures import encode_jpeg
from igarape.errors import InputError, did_you_mean
from igarape.serving.bundle import Bundle

CHALLENGER, CHAMPION, PREVIOUS = "challenger", "champion", "previous"
SCORE = "holdout_f2"

# What a bundle is used with; MLflow installs these beside the model.
REQUIREMENTS = (
    "filelock",
    "imagecodecs",
    "mlflow",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "pandas",
    "pillow",
    "pydantic",
    "pyyaml",
    "tifffile",
    "xgboost",
)
SQLITE = "sqlite:///"
SECONDS = 5


def model_name(dataset: str) -> str:
    """Return the registered model's name."""
    return f"igarape-{dataset}"


def register(
    bundle: Path, *, name: str, score: float, tags: Mapping[str, str], description: str, run_id: str | None = None
) -> str:
    """Log the bundle to a run (None: the active one) and register it as the challenger; return its version.

    score: hold-out F2, which promote compares. tags and description show in MLflow's UI where the version came from.
    Raises InputError when MLflow does not take it.
    """
    loaded = Bundle.load(bundle)
    with _client() as client:
        logged = Model.log(
            artifact_path=None,
            name="tagger",
            flavor=mlflow.pyfunc,
            run_id=run_id,
            python_model=Path(__file__).with_name("pyfunc.py"),
            artifacts={"bundle": str(bundle)},
            code_paths=[str(Path(igarape.__file__).parent)],
            pip_requirements=[f"{package}=={installed(package)}" for package in REQUIREMENTS],
            signature=_signature(loaded),
            input_example=_example(loaded),
        )
        every = {**tags, SCORE: repr(score)}
        version = str(mlflow.register_model(logged.model_uri, name, tags=every).version)
        client.update_model_version(name, version, description)
        client.set_registered_model_alias(name, CHALLENGER, version)
    return version


def _signature(bundle: Bundle) -> ModelSignature:
    """Describe input and output; files are of any type, because a schema cannot say "text or bytes"."""
    columns = ["image", "nir"] if bundle.needs_nir else ["image"]
    files = Schema([ColSpec(AnyType(), column) for column in columns])  # type: ignore[no-untyped-call]
    p = [ColSpec(DataType.float, f"p_{label}") for label in bundle.vocabulary.labels]
    return ModelSignature(inputs=files, outputs=Schema([ColSpec(DataType.string, "tags"), *p]))


def _example(bundle: Bundle) -> pd.DataFrame:
    """Return a request with one picture, a ramp from black to white; its near-infrared, where needed, is one too."""
    size = bundle.manifest.size
    ramp = np.ascontiguousarray(
        np.broadcast_to(np.linspace(0, 255, size, dtype=np.uint8)[None, :, None], (size, size, 4))
    )
    files = {"image": encode_jpeg(ramp[:, :, :3], 95)} | ({"nir": _tif(ramp)} if bundle.needs_nir else {})
    return pd.DataFrame({column: [base64.b64encode(data).decode()] for column, data in files.items()})


def _tif(bands: npt.NDArray[np.uint8]) -> bytes:
    """Encode bands of shape (height, width, 4)."""
    from tifffile import imwrite

    file = io.BytesIO()
    imwrite(file, bands, photometric="minisblack", planarconfig="contig", compression="deflate")
    return file.getvalue()


def promote(name: str, *, version: str | None = None, force: bool = False) -> str:
    """Make a version (default: the challenger) the champion, the old champion the previous one; say so in a sentence.

    Raises InputError when its hold-out F2 is below the champion's, unless force; and when there is no such version.
    """
    with _client() as client:
        holders = _aliases(name)
        version = version or holders.get(CHALLENGER)
        if version is None:
            raise InputError(f"{name}: no challenger to promote. Run: make repro")
        client.get_model_version(name, version)
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


def rollback(name: str) -> str:
    """Let champion and previous change places; say so in a sentence. Raises InputError without a previous one."""
    with _client() as client:
        holders = _aliases(name)
        champion, previous = holders.get(CHAMPION), holders.get(PREVIOUS)
        if champion is None or previous is None:
            raise InputError(
                f"{name}: nothing to roll back to: no version has the alias {PREVIOUS}. "
                "A second promotion sets it: igarape promote"
            )
        client.set_registered_model_alias(name, CHAMPION, previous)
        client.set_registered_model_alias(name, PREVIOUS, champion)
    return f"{name}: version {previous} is the champion again; version {champion} was"


def champion_uri(name: str) -> str:
    """Return the champion's URI. Raises InputError when there is none."""
    uri = f"models:/{name}@{CHAMPION}"
    _check_alias(uri)
    return uri


def load(uri: str) -> Bundle:
    """Load the bundle of a registered model, such as models:/igarape-drawn@champion or models:/igarape-drawn/3.

    Raises InputError when there is none, it is not igarape's, or the MLflow server does not answer.
    """
    _check_alias(uri)
    with _client():
        model = mlflow.pyfunc.load_model(uri)
        bundle = getattr(model.unwrap_python_model(), "bundle", None)
    if not isinstance(bundle, Bundle):
        raise InputError(f"{uri}: expected a model that igarape registered, found {type(bundle).__name__}")
    return bundle


def _check_alias(uri: str) -> None:
    """Refuse models:/NAME@ALIAS when no version has that alias."""
    match = re.fullmatch(r"models:/([^@/]+)@([^@/]+)", uri)
    if not match:
        return
    name, alias = match.groups()
    known = _aliases(name)
    if alias not in known:
        if alias == CHAMPION:
            raise InputError(f"{uri}: no champion yet. Run: make repro, then: igarape promote")
        raise InputError(f"{uri}: no such alias{did_you_mean(alias, known) if known else '. Run: make repro'}")


def _aliases(name: str) -> dict[str, str]:
    """Return which version has which alias; nothing when the model is not registered."""
    if _missing_file(mlflow.get_registry_uri()):
        return {}
    with _client() as client:
        try:
            return {alias: str(version) for alias, version in client.get_registered_model(name).aliases.items()}
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return {}
            raise


def _missing_file(uri: str) -> bool:
    """Say whether uri is a SQLite file that does not exist; MLflow would create it just to look into it."""
    return uri.startswith(SQLITE) and not Path(uri.removeprefix(SQLITE).partition("?")[0]).exists()


@contextmanager
def _client() -> Iterator[MlflowClient]:
    """Give a client of the registry, and turn what goes wrong there into one clear error."""
    uri = mlflow.get_registry_uri()
    if _missing_file(uri):
        raise InputError(f"MLflow at {uri}: no such file yet. Run: make repro, or point MLFLOW_TRACKING_URI elsewhere")
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
