"""register makes a challenger that says where it came from, and moves nothing else."""

import json
import shutil
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient

from igarape.config.documents import HoldOut, Metrics, Origin, RunFacts
from igarape.errors import InputError
from igarape.stages import register
from igarape.workspace import Workspace

HERE = Workspace(Path())

HOLDOUT = HoldOut(f2=0.87, map=0.8, n=300, f2_low=0.85, f2_high=0.89)


@pytest.fixture
def evaluated(registry: Path, bundle_folder: Path) -> Path:
    """Stand in a folder where evaluate has run."""
    shutil.copytree(bundle_folder, registry / "data/evaluate/bundle")
    scores: dict[str, Any] = {"oof": {}, "learners": {}, "stackers": {}, "rules": {}, "rare": {}}
    Metrics(holdout=HOLDOUT, **scores).write(HERE.metrics)
    origin = Origin(git_commit="abc123", uncommitted_changes=False, dvc={"data/ingest": "d41d8"}, runs={"stack": "9f"})
    origin.write(registry / "data/evaluate/lineage.json")
    return registry


@pytest.mark.usefixtures("evaluated")
def test_the_bundle_becomes_the_challenger(capsys: pytest.CaptureFixture[str]) -> None:
    """version.json names the version, its alias and the run; the run is found in igarape/register."""
    register.run(HERE)
    written = json.loads(Path("data/register/version.json").read_text())
    assert {key: written[key] for key in ("name", "version", "alias")} == {
        "name": "igarape-toy",
        "version": 1,
        "alias": "challenger",
    }
    assert dict(MlflowClient().get_registered_model("igarape-toy").aliases) == {"challenger": 1}
    run = mlflow.get_run(RunFacts.read(HERE.run("register")).run_id)
    assert mlflow.get_experiment(run.info.experiment_id).name == "igarape/register"
    assert run.data.metrics["holdout_f2"] == 0.87
    assert "igarape promote" in capsys.readouterr().out


@pytest.mark.usefixtures("evaluated")
def test_the_version_carries_scores_and_lineage() -> None:
    """Whoever looks at the version in the UI sees the figures, the commit and the data's hashes."""
    register.run(HERE)
    version = MlflowClient().get_model_version("igarape-toy", "1")
    expected = {
        "dataset": "toy",
        "holdout_f2": "0.87",
        "holdout_n": "300",
        "holdout_f2_low": "0.85",
        "git_commit": "abc123",
        "dvc.data/ingest": "d41d8",
    }
    assert expected.items() <= version.tags.items()
    assert version.description == "Hold-out F2 0.8700 on 300 chips of toy; learners: plain, clear, rare."


@pytest.mark.usefixtures("registry")
def test_without_a_bundle_nothing_is_registered() -> None:
    """The error names the file that is missing and what to run."""
    with pytest.raises(InputError, match=r"data/evaluate/bundle/bundle\.json: not found.*dvc repro"):
        register.run(HERE)
