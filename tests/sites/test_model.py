"""A model is known by its version in the registry, and by what its bundle is made of."""

from pathlib import Path

import pytest

from igarape.errors import InputError
from igarape.serving.registry import model_uri
from igarape.sites.model import load_model


def test_an_alias_becomes_the_version_that_it_means(champion: Path, bundle_folder: Path) -> None:
    """The champion may be another one tomorrow; a folder stays a folder. Both are one bundle."""
    registered = load_model(model_uri(None, "toy", champion))
    folder = load_model(model_uri(str(bundle_folder), "toy", champion))
    assert registered.address == "models:/igarape-toy/1" and folder.address == str(bundle_folder)
    assert registered.digest == folder.digest
    assert folder.metres == 3.0 and folder.usual is None and list(folder.levels) == ["10", "50", "90"]


def test_a_folder_without_a_bundle_is_refused(tmp_path: Path) -> None:
    """In one line."""
    with pytest.raises(InputError, match=r"bundle\.json"):
        load_model(str(tmp_path))
