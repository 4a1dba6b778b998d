"""A bundle is loaded from a folder without MLflow, and from the registry wherever one stands in the project."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from igarape.chips.pictures import Pixels
from igarape.errors import InputError
from igarape.serving.bundle import Bundle
from igarape.serving.loading import load_bundle


@pytest.mark.parametrize("kind", [str, Path])
def test_a_folder_gives_its_bundle(bundle_folder: Path, images: list[Pixels], kind: type) -> None:
    """As a text or as a path."""
    expected = Bundle.load(bundle_folder).tag(images)
    pd.testing.assert_frame_equal(load_bundle(kind(bundle_folder)).tag(images), expected)


def test_a_folder_needs_no_mlflow(bundle_folder: Path) -> None:
    """Nor TensorFlow."""
    program = (
        "import sys, igarape; igarape.load_bundle(sys.argv[1]); print(*{'mlflow', 'tensorflow'} & set(sys.modules))"
    )
    words = [sys.executable, "-c", program, str(bundle_folder)]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip() == ""


@pytest.mark.parametrize("inside", [".", "docs/deep"])
def test_an_address_gives_the_bundle_that_was_registered(
    champion: Path, bundle_folder: Path, images: list[Pixels], inside: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From any folder of the project, whose database it is; one stands there afterwards as before."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    (champion / inside).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(champion / inside)
    before = Path.cwd()
    found = load_bundle("models:/igarape-toy@champion").tag(images)
    assert Path.cwd() == before
    pd.testing.assert_frame_equal(found, Bundle.load(bundle_folder).tag(images))


@pytest.mark.parametrize(("folder", "said"), [("there", "found none in it"), ("models/igarape-toy", "found nothing")])
def test_no_bundle_is_one_clear_error(tmp_path: Path, folder: str, said: str) -> None:
    """It says what to give in its place."""
    (tmp_path / "there").mkdir()
    with pytest.raises(InputError, match=rf"{folder}: expected a bundle's folder, .* {said}.*models:/"):
        load_bundle(tmp_path / folder)


def test_outside_of_a_project_mlflow_is_asked_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says that nothing is there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(InputError, match="igarape-toy"):
        load_bundle("models:/igarape-toy@champion")
    assert list(tmp_path.iterdir()) == []
