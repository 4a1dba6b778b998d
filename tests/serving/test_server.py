"""A model that cannot be loaded ends the server with its error; what a folder needs is loaded, and no more."""

import subprocess
import sys
from pathlib import Path

import pytest

from igarape.errors import InputError
from igarape.serving.champion import Version, following
from igarape.serving.server import serve


def test_a_version_whose_files_are_gone_ends_it(champion: Path) -> None:
    """The error is that of fetching, after the server has begun to listen and has stopped."""
    with pytest.raises(InputError, match="models:/igarape-toy/7: "):
        serve(following(Version("igarape-toy", "7", {}, {}), champion), host="127.0.0.1", port=0)


def test_serving_a_folder_loads_no_mlflow_and_the_command_no_numpy() -> None:
    """MLflow takes seconds; NumPy's BLAS reads how many threads it has when it is loaded."""
    command = "import igarape.stages.serve, sys; assert 'numpy' not in sys.modules"
    rest = "import igarape.serving.server, igarape.serving.in_folder"
    subprocess.run([sys.executable, "-c", f"{command}; {rest}; assert 'mlflow' not in sys.modules"], check=True)
