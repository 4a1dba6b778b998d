"""A bundle in a folder is served once; a model that cannot be loaded ends the server with its error."""

import subprocess
import sys
from pathlib import Path

import pytest

from igarape.errors import InputError
from igarape.serving.champion import Version, following
from igarape.serving.server import in_folder, serve


def test_a_bundle_in_a_folder_is_loaded_once(bundle_folder: Path) -> None:
    """It is named for its data set; there is nothing to exchange it for."""
    load = in_folder(bundle_folder, threads=1)
    served = load(None)
    assert served is not None and (served.name, served.version) == ("igarape-toy", "unregistered")
    assert load(served) is None


def test_a_version_whose_files_are_gone_ends_it(champion: Path) -> None:
    """The error is that of fetching, after the server has begun to listen and has stopped."""
    with pytest.raises(InputError, match="models:/igarape-toy/7: "):
        serve(following(Version("igarape-toy", "7", {}, {}), champion), host="127.0.0.1", port=0)


def test_serving_a_folder_loads_no_mlflow_and_the_command_no_numpy() -> None:
    """MLflow takes seconds; NumPy's BLAS reads how many threads it has when it is loaded."""
    program = "import igarape.stages.serve, sys; assert 'numpy' not in sys.modules; import igarape.serving.server"
    subprocess.run([sys.executable, "-c", f"{program}; assert 'mlflow' not in sys.modules"], check=True)
