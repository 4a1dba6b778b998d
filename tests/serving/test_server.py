"""The server ends with the error of a model that cannot be loaded; how it answers is tested with the stage serve."""

from pathlib import Path

import pytest

from igarape.errors import InputError
from igarape.serving.champion import Version
from igarape.serving.server import serve


def test_a_version_whose_files_are_gone_ends_it(champion: Path) -> None:
    """The error is that of fetching, after the server has begun to listen and has stopped."""
    with pytest.raises(InputError, match="models:/igarape-toy/7: "):
        serve(Version("igarape-toy", "7", {}), champion, host="127.0.0.1", port=0)
