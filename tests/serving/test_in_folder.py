"""A folder is served once: a bundle of no version, or a downloaded model with its version and where it came from."""

from pathlib import Path

import mlflow
import pytest
from conftest import crown

from igarape.errors import InputError
from igarape.serving.in_folder import in_folder

COMMIT = "0f" * 20
TAGS = {"git_commit": COMMIT, "dvc.data/ingest": "1a.dir", "holdout_f2": "0.9", "dataset": "toy"}


@pytest.fixture
def downloaded(registry: Path, bundle_folder: Path) -> Path:
    """Give the folder of a registered model as MLflow downloads it."""
    crown(bundle_folder, registry, **TAGS)
    target = registry / "build/model"
    return Path(mlflow.artifacts.download_artifacts("models:/igarape-toy@champion", dst_path=str(target)))


def test_a_bundle_is_loaded_once(bundle_folder: Path) -> None:
    """It is named for its data set; there is nothing to exchange it for."""
    load = in_folder(bundle_folder, threads=1)
    served = load(None)
    assert served is not None and (served.name, served.version) == ("igarape-toy", "unregistered")
    assert not served.figures and not served.lineage and load(served) is None


def test_a_downloaded_model_says_which_version_it_is_and_where_it_came_from(downloaded: Path) -> None:
    """No registry is asked: where it is served, there may be none."""
    served = in_folder(downloaded, threads=1)(None)
    assert served is not None and (served.name, served.version) == ("igarape-toy", "1")
    assert served.figures == {"holdout_f2": 0.9}
    assert served.lineage == {"git_commit": COMMIT, "dvc.data/ingest": "1a.dir"}


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    """At once: what holds no bundle, a model that igarape has not registered, a damaged file of MLflow's."""
    for _ in range(2):
        with pytest.raises(InputError, match=r"expected a bundle's folder, which holds bundle\.json"):
            in_folder(tmp_path, threads=1)
        (tmp_path / "MLmodel").write_text("flavors: {}", encoding="utf-8")


def test_a_damaged_file_of_mlflow_is_told(downloaded: Path) -> None:
    """A bundle without its version is not served for another: nobody would know."""
    (downloaded / "registered_model_meta").write_text("model_name: [", encoding="utf-8")
    with pytest.raises(InputError, match="registered_model_meta: not a YAML file"):
        in_folder(downloaded, threads=1)
