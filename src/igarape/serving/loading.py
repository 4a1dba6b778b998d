"""Load a bundle from where it is: a folder, or MLflow's registry."""

import os
from contextlib import chdir
from pathlib import Path

from igarape.errors import InputError
from igarape.serving.bundle import Bundle
from igarape.workspace import Workspace


def load_bundle(place: str | os.PathLike[str]) -> Bundle:
    """Load the bundle in a folder, such as data/evaluate/bundle, or of a model such as models:/igarape-drawn@champion.

    A folder needs no MLflow. A model is looked up where MLFLOW_TRACKING_URI says, else in the project that we stand in,
    as `igarape predict` does. Raises InputError when there is none, or it is not igarape's.
    """
    address = os.fspath(place)
    if ":/" in address:
        from igarape.serving.registry import load  # and with it MLflow, which takes seconds

        with chdir(_project()):  # MLflow looks around where it is asked
            return load(address)
    return Bundle.load(Path(address))


def _project() -> Path:
    """Return the project that we stand in; where we stand, if that is outside of any."""
    try:
        return Workspace.find().root
    except InputError:
        return Path()
