"""Where a version comes from: by its tags, by the runs that led to it, and by its files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
from contest import NAME, decide, enter
from mlflow import MlflowClient
from servers import Server

from igarape.errors import InputError
from igarape.serving.manifest import read_manifest
from igarape.serving.provenance import provenance
from igarape.serving.registry import FILES
from igarape.tracking.address import new_experiment
from igarape.workspace import Workspace

REPRO = "2026-01-01T00:00:00Z-9"


def log(step: str, *, params: dict[str, Any], metrics: dict[str, float], tags: dict[str, str]) -> str:
    """Log a run as a step does; return its id."""
    experiment = new_experiment(f"igarape/{step}", MlflowClient(), mlflow.get_tracking_uri())
    with mlflow.start_run(experiment_id=experiment, tags=tags) as run:
        mlflow.log_params(params)
        mlflow.log_metrics(metrics)
    return str(run.info.run_id)


def give_origin() -> dict[str, str]:
    """Give version 1 the tags and runs that a stream leaves; return the runs."""
    trained = {"tiny.size": 32, "tiny.hyperparameters.depth": 2, "seed": 7}
    runs = {
        "search/tiny": log("search", params={}, metrics={}, tags={}),
        "train/tiny": log("train", params=trained, metrics={"oof_f2": 0.7}, tags={}),
        "stack": log("stack", params={}, metrics={}, tags={"igarape.chosen": "blend"}),
        "evaluate": log("evaluate", params={"seed": 7}, metrics={"corrected_labels": 3}, tags={"igarape.repro": REPRO}),
    }
    figures = {"holdout_f2": "0.9", "holdout_map": "0.8", "holdout_n": "300"}
    tags = {"git_commit": "abc123", "uncommitted_changes": "false", "dataset": "toy", "dvc.data/ingest": "d41d8"}
    for key, value in {**tags, **figures, **{f"runs.{step}": run for step, run in runs.items()}}.items():
        MlflowClient().set_model_version_tag(NAME, "1", key, value)
    return runs


def test_the_champion_says_where_it_comes_from(champion: Path, bundle_folder: Path) -> None:
    """By its own tags, and by the runs that they name; its files are fetched, and held against what was registered."""
    runs = give_origin()
    found = provenance(NAME, None, champion)
    assert (found.version, set(found.aliases)) == ("1", {"challenger", "champion"})
    assert (found.commit, found.uncommitted, found.data) == ("abc123", False, {"data/ingest": "d41d8"})
    assert (found.dataset, found.seed, found.corrected, found.stack) == ("toy", "7", 3, "blend")
    assert found.repro == REPRO
    assert found.figures == {"f2": 0.9, "map": 0.8, "n": 300}
    (learner,) = found.learners
    assert (learner.name, learner.search_run, learner.train_run) == ("tiny", runs["search/tiny"], runs["train/tiny"])
    assert learner.oof_f2 == 0.7 and learner.settings == {"size": "32", "hyperparameters.depth": "2"}
    assert set(found.runs) == {"stack", "evaluate", "register"}
    assert found.registered_by == MlflowClient().get_run(found.runs["register"]).data.tags["mlflow.user"]
    manifest = read_manifest(bundle_folder)
    assert (found.files.digest, found.files.count) == (manifest.digest, len(manifest.files))
    assert found.files.fault is None and found.files.proved
    assert found.files.python and any(each.startswith("onnxruntime==") for each in found.files.requirements)


def test_who_promoted_it_and_why_is_told(champion: Path) -> None:
    """The verdicts that made it the champion, and no others."""
    here = Workspace(champion)
    enter(1)
    decide(here, "2", force=True, reason="to try")
    assert [row["reason"] for row in provenance(NAME, "2", champion).crowned] == ["to try"]
    assert provenance(NAME, "1", champion).crowned == ()


def test_a_version_that_says_nothing_is_told_with_what_is_known(registry: Path) -> None:
    """An older igarape, or somebody by hand, registered it: nothing is made up, and nothing fails."""
    enter(1)
    found = provenance(NAME, "1", registry)
    assert (found.commit, found.uncommitted, found.seed, found.stack, found.corrected) == (None,) * 5
    assert (found.learners, found.crowned, dict(found.data), dict(found.runs)) == ((), (), {}, {})
    assert found.files.count is None and "models:/igarape-toy/1" in str(found.files.fault)


def test_runs_that_are_gone_leave_gaps(champion: Path) -> None:
    """Such as on another server than that of the training."""
    MlflowClient().set_model_version_tag(NAME, "1", "runs.train/tiny", "f" * 32)
    MlflowClient().set_model_version_tag(NAME, "1", "runs.evaluate", "e" * 32)
    found = provenance(NAME, "1", champion)
    assert found.seed is None and found.learners[0].oof_f2 is None and found.learners[0].train_run == "f" * 32


def artifact(champion: Path, name: str) -> Path:
    """Return a file of the registered model, where MLflow has it."""
    (found,) = champion.joinpath("mlruns").rglob(name)
    return found


def test_files_that_are_not_what_was_registered_are_told(champion: Path) -> None:
    """A file that was changed, and a whole bundle that was put in its place."""
    manifest = artifact(champion, "bundle.json")
    kept = manifest.read_text(encoding="utf-8")
    manifest.write_text(kept.replace('"dataset": "toy"', '"dataset": "other"'), encoding="utf-8")
    assert "bundle.json was registered as" in str(provenance(NAME, "1", champion).files.fault)
    manifest.write_text(kept, encoding="utf-8")
    assert provenance(NAME, "1", champion).files.fault is None
    next(manifest.parent.rglob("*.onnx")).write_bytes(b"another")
    assert "changed: " in str(provenance(NAME, "1", champion).files.fault)


def test_before_the_hash_of_its_files_was_kept_the_code_has_to_be_the_same(
    champion: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else only bundle.json tells what the files should be, and that is said."""
    MlflowClient().delete_model_version_tag(NAME, "1", FILES)
    assert provenance(NAME, "1", champion).files.proved
    monkeypatch.setattr("igarape.serving.registration.code_hash", lambda *_: "another")
    found = provenance(NAME, "1", champion).files
    assert found.fault is None and not found.proved


def test_a_version_that_is_not_there_names_those_that_are(champion: Path) -> None:
    """And without a champion it says how to have one."""
    with pytest.raises(InputError, match="no version 7; there are 1"):
        provenance(NAME, "7", champion)
    with pytest.raises(InputError, match="no champion yet"):
        provenance(f"{NAME}-student", None, champion)


@pytest.fixture
def server(champion: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Let a real server have the champion, which runs, and MLflow ask that."""
    started = Server(champion)
    started.start()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", started.uri)
    yield started
    started.stop()


def test_a_server_tells_the_same(server: Server, champion: Path, tmp_path: Path) -> None:
    """From a folder that holds nothing but params.yaml."""
    give_origin()
    (tmp_path / "clone").mkdir()
    found = provenance(NAME, None, tmp_path / "clone")
    assert (found.commit, found.seed, found.mlflow) == ("abc123", "7", server.uri)
