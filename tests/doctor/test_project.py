"""The project: its chips, its weights, its versions, what lies unsent."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from contest import enter
from mlflow import MlflowClient

from igarape.doctor.project import registry, source, unsent, weights
from igarape.errors import InputError
from igarape.findings import good
from igarape.tracking.outbox import Outbox
from igarape.workspace import Workspace

ROOT = Path(__file__).parents[2]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Give a project's settings, and an empty folder for its chips."""
    for name in ("datasets", "experiments"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    (tmp_path / "chips").mkdir()
    monkeypatch.setenv("IGARAPE_DATA", str(tmp_path / "chips"))
    return Workspace(tmp_path)


def change(here: Workspace, **values: Any) -> None:
    """Set values of params.yaml."""
    content = yaml.safe_load(here.params.read_text(encoding="utf-8"))
    here.params.write_text(yaml.safe_dump(content | values), encoding="utf-8")


def test_drawn_chips_need_no_source(here: Workspace) -> None:
    """They are drawn."""
    assert source(here).level == "good"


def test_chips_are_looked_for_where_the_data_set_says(here: Workspace) -> None:
    """Pictures and tags; once they are packed, only ingest misses them."""
    change(here, dataset="ucmerced")
    assert source(here).level == "wrong" and "no pictures in IGARAPE_DATA=" in source(here).said
    content = yaml.safe_load((here.datasets / "ucmerced.yaml").read_text(encoding="utf-8"))["source"]
    chips = here.root / "chips"
    images, tags = (content[key] if isinstance(content[key], str) else content[key][0] for key in ("images", "tags"))
    (chips / images).mkdir(parents=True)
    assert "no tags in" in source(here).said
    (chips / tags).write_text("image_name,tags\n", encoding="utf-8")
    assert source(here).level == "good"
    shutil.rmtree(chips / images)
    here.catalog().parent.mkdir(parents=True)
    here.catalog().touch()
    assert source(here).level == "warning" and "only ingest needs them" in source(here).said
    lock = "stages: {ingest: {params: {params.yaml: {dataset: mine}}}}"  # what is packed is of another data set
    (here.root / "dvc.lock").write_text(lock, encoding="utf-8")
    assert source(here).level == "wrong"


def test_published_weights_are_looked_for(here: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are missing would be downloaded: a warning; a file of one's own that is missing is wrong."""
    for name in ("IGARAPE_WEIGHTS", "KERAS_HOME"):
        monkeypatch.setenv(name, str(here.root / "weights"))
    assert weights(here).level == "good"
    change(here, experiments=["tabular", "mobilenet"])
    finding = weights(here)
    assert finding.level == "warning" and "mobilenet_imagenet_notop.weights.h5" in finding.said
    (here.root / "weights").mkdir()
    (here.root / "weights/mobilenet_imagenet_notop.weights.h5").touch()
    assert weights(here).level == "good"
    change(here, experiments=["mobilenets"])
    with pytest.raises(InputError, match=r"mobilenets\.yaml"):
        weights(here)


def test_it_says_who_is_champion_and_how_one_becomes_it(registry_here: Workspace) -> None:
    """A model without a champion serves nothing."""
    assert "no version yet" in registry(registry_here).said
    enter(2)
    assert registry(registry_here).level == "warning" and "igarape promote" in registry(registry_here).said
    MlflowClient().set_registered_model_alias("igarape-toy", "champion", "1")
    assert registry(registry_here) == good("igarape-toy: champion 1, challenger 2")


@pytest.fixture
def registry_here(request: pytest.FixtureRequest) -> Workspace:
    """Give a project with an empty registry."""
    return Workspace(request.getfixturevalue("registry"))


def test_what_mlflow_was_not_told_is_a_warning(here: Workspace) -> None:
    """With the command that tells it."""
    assert unsent(here).level == "good"
    Outbox.begin(here.outbox / "search@plain.1").close(remove=False)
    assert (
        unsent(here).level == "warning"
        and "search@plain.1" in unsent(here).said
        and "igarape send" in unsent(here).said
    )
