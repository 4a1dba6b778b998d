"""A model that is served from a folder: a bundle, or all that MLflow gives of a registered model."""

from pathlib import Path
from typing import Any

from igarape.config.schema import read_yaml
from igarape.serving.batching import Served
from igarape.serving.bundle import Bundle
from igarape.serving.manifest import read_manifest
from igarape.serving.service import Load
from igarape.serving.version_tags import figures_of, lineage_of

# The files and the folder of a model that was downloaded, as MLflow and log_model name them.
MODEL, REGISTERED, BUNDLE = "MLmodel", "registered_model_meta", Path("artifacts/bundle")
UNREGISTERED = "unregistered"  # the version where a folder says of none; the page has words for it


def in_folder(folder: Path, *, threads: int) -> Load:
    """Return what loads the model in a folder, once, with the version that the folder says it is.

    Parameters
    ----------
    folder
        A bundle's, of no version; or one that `mlflow artifacts download` has written: it says the version, what it
        scored on the hold-out and where it came from, as they stood when it was registered.
    threads
        As Bundle.load has it.

    Raises
    ------
    InputError
        When there is no bundle in it, or a file that MLflow has written is damaged.
    """
    inside = folder / BUNDLE if (folder / MODEL).is_file() else folder
    unregistered = {"model_name": f"igarape-{read_manifest(inside).dataset}", "model_version": UNREGISTERED}
    known, told = unregistered | _read(folder / REGISTERED), _texts(_read(folder / MODEL).get("metadata"))

    def load(served: Served | None) -> Served | None:
        if served is not None:
            return None
        name, version = str(known["model_name"]), str(known["model_version"])
        return Served(Bundle.load(inside, threads=threads), name, version, figures_of(told), lineage_of(told))

    return load


def _read(path: Path) -> dict[str, Any]:
    """Return what a file of MLflow's says; nothing where there is none: a bundle's folder has none."""
    return read_yaml(path) if path.is_file() else {}


def _texts(metadata: Any) -> dict[str, str]:
    """Return the texts of a model's metadata: what register logs are texts, others may log anything."""
    told = metadata if isinstance(metadata, dict) else {}
    return {name: value for name, value in told.items() if isinstance(name, str) and isinstance(value, str)}
