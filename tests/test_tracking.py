"""What MLflow remembers of a step, in a real database."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
from mlflow.entities import Run as Recorded

from igarape.errors import InputError
from igarape.tracking import Lineage, Run, lineage, step_run

LOCK = """\
schema: '2.0'
stages:
  ingest:
    cmd: igarape ingest
    outs:
    - {path: data/ingest, hash: md5, md5: aaa.dir, size: 5}
  split:
    cmd: igarape split
    deps:
    - {path: data/ingest, hash: md5, md5: aaa.dir, size: 5}
    outs:
    - {path: data/split, hash: md5, md5: bbb.dir, size: 5}
  train@plain:
    cmd: igarape train
    outs:
    - {path: data/train/plain, hash: md5, md5: ccc.dir, size: 5}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[Path]:
    """Stand in a git repository with a dvc.lock and a database."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(empty_database, folder)
    (folder / "dvc.lock").write_text(LOCK, encoding="utf-8")
    (folder / ".gitignore").write_text("mlflow.db\nmlruns\ndata\n", encoding="utf-8")
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
        patch.delenv("MLFLOW_RUN_ID", raising=False)
        patch.delenv("MLFLOW_EXPERIMENT_ID", raising=False)
        yield folder


@pytest.fixture(scope="module")
def recorded(project: Path) -> Recorded:
    """Run a search step with two trials, the second of which fails; give its run."""
    with step_run("search", params={"seed": 1, "plain": {"knobs": {"width": 1.0}}}, learner="plain") as run:
        try_out(run, "trial-0", dropout=0.0, error=None)
        with pytest.raises(MemoryError):
            try_out(run, "trial-1", dropout=0.1, error=MemoryError("out of memory"))
        run.metrics({"best_val_f2": 0.5})
        run.tags({"igarape.best_trial": "trial-0"})
        run.log_of("fold3_")(2, {"val_f2": 0.25})
        run.table(pd.DataFrame({"trial": ["trial-0"], "score": [0.5]}), "trials.json")
        run.artifact(project / "dvc.lock")
        (project / "parts" / "deep").mkdir(parents=True)
        (project / "parts" / "deep" / "a.txt").write_text("a", encoding="utf-8")
        run.artifact(project / "parts", "kept")
    return mlflow.get_run(run.id)


def try_out(run: Run, name: str, *, dropout: float, error: BaseException | None) -> None:
    """Run a trial of three epochs that fails at the end when there is an error."""
    with run.trial(name, {"dropout": dropout, "width": 1.0}) as trial:
        for epoch in range(3):
            trial.log(epoch, {"loss": 1.0 - epoch / 10})
        if error:
            raise error


def trials(parent: Recorded) -> list[Recorded]:
    """Return the nested runs, in the order they were opened."""
    nested = f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'"
    found: list[Recorded] = mlflow.search_runs(
        [parent.info.experiment_id], nested, order_by=["attributes.start_time"], output_format="list"
    )
    return found


def test_a_steps_runs_lie_in_the_steps_experiment(recorded: Recorded) -> None:
    """igarape/STEP holds the runs of STEP; a learner's run has the learner's name."""
    experiment = mlflow.get_experiment(recorded.info.experiment_id)
    assert experiment.name == "igarape/search"
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"
    assert recorded.info.run_name == "plain"
    assert recorded.info.status == "FINISHED"
    assert recorded.data.tags["igarape.step"] == "search"


def test_a_run_carries_its_parameters_by_dotted_names(recorded: Recorded) -> None:
    """Nested parameters are joined as they are written in the YAML."""
    assert recorded.data.params == {"seed": "1", "plain.knobs.width": "1.0"}


def test_a_run_carries_the_git_commit(project: Path, recorded: Recorded) -> None:
    """The commit is HEAD, and the run says that nothing tracked was changed since."""
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True, cwd=project)
    assert recorded.data.tags["mlflow.source.git.commit"] == head.stdout.strip()
    assert recorded.data.tags["igarape.uncommitted_changes"] == "false"


def test_a_run_carries_the_data_sets_dvc_hashes_as_inputs(recorded: Recorded) -> None:
    """The digest is DVC's MD5 of the chips and the folds; other outputs of dvc.lock are no data set."""
    assert recorded.inputs is not None
    inputs = {given.dataset.name: given.dataset for given in recorded.inputs.dataset_inputs}
    assert {name: dataset.digest for name, dataset in inputs.items()} == {
        "data/ingest": "aaa.dir",
        "data/split": "bbb.dir",
    }
    assert inputs["data/split"].source_type == "dvc"
    assert json.loads(inputs["data/split"].source) == {"path": "data/split", "md5": "bbb.dir"}


def test_each_trial_is_a_nested_run_with_its_knobs_epochs_duration_and_status(recorded: Recorded) -> None:
    """A trial that failed is told apart from one that finished, and keeps its traceback."""
    first, second = trials(recorded)
    assert [first.info.run_name, second.info.run_name] == ["trial-0", "trial-1"]
    assert [first.info.status, second.info.status] == ["FINISHED", "FAILED"]
    assert first.data.params == {"dropout": "0.0", "width": "1.0"}
    history = mlflow.MlflowClient().get_metric_history(first.info.run_id, "loss")
    assert [(point.step, point.value) for point in history] == [(0, 1.0), (1, 0.9), (2, 0.8)]
    assert first.info.end_time >= first.info.start_time
    assert "MemoryError: out of memory" in mlflow.artifacts.load_text(f"{second.info.artifact_uri}/traceback.txt")


def test_figures_tables_and_files_are_kept(recorded: Recorded) -> None:
    """What a step hands over can be looked at in MLflow."""
    assert recorded.data.metrics == {"best_val_f2": 0.5, "fold3_val_f2": 0.25}
    assert recorded.data.tags["igarape.best_trial"] == "trial-0"
    table = mlflow.artifacts.load_dict(f"{recorded.info.artifact_uri}/trials.json")
    assert table == {"columns": ["trial", "score"], "data": [["trial-0", 0.5]]}
    kept = {item.path for item in mlflow.artifacts.list_artifacts(run_id=recorded.info.run_id)}
    assert kept == {"dvc.lock", "kept", "trials.json"}
    assert mlflow.artifacts.load_text(f"{recorded.info.artifact_uri}/kept/deep/a.txt") == "a"


def fail(step: str, error: BaseException) -> None:
    """Run a step that fails."""
    with step_run(step, params={}):
        raise error


def test_a_step_that_fails_leaves_a_failed_run_with_its_traceback(project: Path) -> None:
    """The error goes on, and the run tells what happened."""
    with pytest.raises(InputError, match="chips are gone"):
        fail("decide", InputError("the chips are gone"))
    (run,) = mlflow.search_runs(
        search_all_experiments=True, filter_string="tags.`igarape.step` = 'decide'", output_format="list"
    )
    assert run.info.status == "FAILED"
    assert "the chips are gone" in mlflow.artifacts.load_text(f"{run.info.artifact_uri}/traceback.txt")


def test_under_mlflow_run_the_step_joins_the_projects_run(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MLFLOW_RUN_ID names a run that `mlflow run` has opened: no second one appears, and it gets the step's tags."""
    client = mlflow.MlflowClient()
    experiment = mlflow.set_experiment("igarape/stack").experiment_id
    opened = client.create_run(experiment).info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", opened)
    with step_run("stack", params={"seed": 1}) as run, run.trial("inner", {}):
        assert run.id == opened
    joined = client.get_run(opened)
    assert joined.info.status == "FINISHED"
    assert joined.info.run_name == "stack"
    assert joined.data.params == {"seed": "1"}
    assert len(client.search_runs([experiment])) == 2


@pytest.mark.parametrize("uri", ["http://127.0.0.1:9", "sqlite:////dev/null/mlflow.db", "htp://127.0.0.1"])
def test_an_mlflow_that_does_not_answer_is_one_clear_error(
    project: Path, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    """The error names the address, and what to do about it."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(InputError, match=f"MLflow at {uri} does not answer.*unset MLFLOW_TRACKING_URI"):
        fail("train", ZeroDivisionError())
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "0"
